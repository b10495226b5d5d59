"""Find the people of all images of a data set, or of folders and files, and write them as result files.

    cd models/aic/test
    python ../../../tools/predict_multiperson.py --out_dir results                     # the data set of pose_cfg.yaml
    python ../../../tools/predict_multiperson.py --images ~/photos --out_dir results --draw

writes results/coco.json (COCO keypoint results) and, for skeletons with AI Challenger's joints, results/aic.json
(an AI Challenger submission, for tools/eval_aic.py); with --draw also a picture of each image.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from config import load_config
from util.cli import config_parser, run
from util.errors import InputError
from util.files import write_json


class Target(NamedTuple):
    """An image to look at, and what the result files call it."""

    path: Path
    coco_id: int | str
    aic_id: str


def main(argv: list[str] | None = None) -> int:
    arguments = config_parser(__doc__)
    arguments.add_argument("--snapshot", help="checkpoint (default: the newest snapshot, else init_weights)")
    arguments.add_argument("--images", nargs="+", metavar="PATH", help="images or folders instead of the data set")
    arguments.add_argument("--out_dir", type=Path, default=Path("results"), help="folder (default: %(default)s)")
    arguments.add_argument("--draw", action="store_true", help="write a picture of each image with its people")
    options = arguments.parse_args(argv)
    cfg = load_config(options.cfg, options.overrides)
    targets = list(_image_files(options.images) if options.images else _dataset_images(cfg))

    from demo.model import build_estimator

    return predict(build_estimator(cfg, options.snapshot), targets, options.out_dir, options.draw)


def _image_files(paths) -> Iterator[Target]:
    from util.images import find_images

    for path in find_images(paths):
        yield Target(path, path.stem, path.stem)


def _dataset_images(cfg) -> Iterator[Target]:
    from dataset.factory import create

    dataset = create(cfg)
    for sample in map(dataset.__getitem__, range(len(dataset))):
        yield Target(sample.image, sample.id, sample.image.stem)


def predict(estimator, targets: list[Target], out_dir: Path, draw: bool) -> int:
    """Run over all images and write the result files; 2 if an image could not be read (the others are in)."""
    from tqdm import tqdm

    from dataset.aic import people_to_aic
    from dataset.skeleton import AIC, from_config
    from util.mscoco_util import people_to_coco

    skeleton = from_config(estimator.cfg)
    is_aic = set(AIC.keypoints) <= set(skeleton.keypoints)
    coco, aic, unread, seconds = [], [], 0, 0.0
    for target in tqdm(targets, unit="image", disable=None):
        try:
            result = estimator(target.path)
        except InputError as error:
            print(f"skipped {error}", file=sys.stderr)
            unread += 1
            continue
        keypoints, score = result.people
        coco += people_to_coco(target.coco_id, keypoints, score)
        if is_aic:
            aic.append(people_to_aic(target.aic_id, keypoints, score, skeleton))
        seconds += result.network_seconds + result.grouping_seconds
        if draw:
            _draw(target.path, result, skeleton, out_dir / f"{target.path.stem}_people.png")
    write_json(out_dir / "coco.json", coco)
    if is_aic:
        write_json(out_dir / "aic.json", aic)
    done = len(targets) - unread
    print(f"{done} images, {len(coco)} people, {seconds / max(done, 1):.3f} s an image, written to {out_dir}"
          + (f"; {unread} images could not be read" if unread else ""))  # fmt: skip
    return 2 if unread else 0


def _draw(image_path, result, skeleton, picture_path) -> None:
    from multiperson.visualize import PersonDraw
    from util.images import read_image
    from util.visualize import save_figure

    save_figure(picture_path, PersonDraw(skeleton.limbs).figure(read_image(image_path), result.people))


if __name__ == "__main__":
    run(main)
