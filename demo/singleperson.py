"""Find the one person in each picture: the best place of every joint, and the score maps they come from.

    python demo/singleperson.py                        # two photographs, small model: all come with the code
    python demo/singleperson.py photo.jpg folder/ --cfg models/mpii/test/pose_cfg.yaml --out_dir out

Writes <name>_pose.jpg, <name>_heatmaps.png (one map per joint) and <name>_pose.json for each picture. For pictures of
several people: demo/demo_multiperson.py.
"""

try:
    from util.cli import run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

from pathlib import Path

import numpy as np

from config import load_config
from demo.options import demo_parser
from multiperson.load import build_estimator
from multiperson.single_person import SinglePersonEstimator
from util.files import unused_name, write_json
from util.images import find_images, sample_photographs, write_image
from util.report import Reductions


def main(argv: list[str] | None = None) -> None:
    options = demo_parser(__doc__, files="IMAGE or FOLDER").parse_args(argv)
    paths = find_images(options.files or sample_photographs())
    cfg = load_config(options.cfg, options.overrides)
    run_demo(build_estimator(cfg, num_images=len(paths), single_person=True), paths, options.out_dir, options.show)


def run_demo(model: SinglePersonEstimator, paths: list[Path], out_dir: Path, show: bool) -> None:
    """Write the results of each picture. Raises InputError if none can be read."""
    from util.visualize import save_figure, show_heatmaps  # matplotlib
    from util.visualize import show as show_picture

    used = list(model.skeleton.used)
    names = [model.skeleton.keypoints[joint] for joint in used]
    width = max(len(path.name) for path in paths)
    print(f"{'picture':{width}}  joints  mean score")
    taken, reductions = set(), Reductions(model.cfg.max_input_size)
    for image, result in model.stream(paths):
        path = result.source
        name = unused_name(path.stem, taken)
        picture = result.draw(image)
        write_image(out_dir / f"{name}_pose.jpg", picture)
        maps = result.maps._replace(part_prob=result.maps.part_prob[..., used])
        seen_at = result.view.points(result.people.keypoints[0, used, :2])
        save_figure(out_dir / f"{name}_heatmaps.png", show_heatmaps(result.view.image(image), maps, names, seen_at))
        write_json(out_dir / f"{name}_pose.json", result.as_dict())
        joints = np.count_nonzero(result.sure_keypoints[..., 2])
        print(f"{path.name:{width}}  {joints:6}  {result.people.score[0]:10.2f}", flush=True)
        reductions.add(path.name, result.reduction)
        if show:
            show_picture(picture)
    reductions.print()
    print(f"written to {out_dir}")


if __name__ == "__main__":
    run(main, frozen_weights=True)
