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


def main(argv: list[str] | None = None) -> None:
    options = demo_parser(__doc__, files="IMAGE or FOLDER").parse_args(argv)

    from util.images import find_images, sample_photographs

    paths = find_images(options.files or sample_photographs())
    cfg = load_config(options.cfg, options.overrides)

    from nnet.load import build_single_estimator

    run_demo(build_single_estimator(cfg, num_images=len(paths)), paths, options.out_dir, options.show)


def run_demo(estimator, paths: list[Path], out_dir: Path, show: bool) -> None:
    """Write the results of each picture. Raises InputError if none can be read."""
    from multiperson.predict import People, named_joints
    from multiperson.visualize import PersonDraw
    from util.files import unused_name, write_json
    from util.images import readable_images, write_image
    from util.report import Reductions
    from util.visualize import save_figure, show_heatmaps
    from util.visualize import show as show_picture

    skeleton = estimator.skeleton
    drawer = PersonDraw(skeleton.limbs)
    used = list(skeleton.used)
    width = max(len(path.name) for path in paths)
    print(f"{'picture':{width}}  joints  mean score")
    taken, reductions = set(), Reductions(estimator.cfg.max_input_size)
    for number, image in readable_images(paths):
        path, result = paths[number], estimator(image)
        pose = sure_joints(result.keypoints, estimator.cfg.scmap_threshold)
        name = unused_name(path.stem, taken)
        picture = drawer.draw(image, People.of(pose[None]))
        write_image(out_dir / f"{name}_pose.jpg", picture)
        heatmaps = show_heatmaps(
            result.image,
            result.part_prob[..., used],
            [skeleton.keypoints[j] for j in used],
            result.network_keypoints[used],
        )
        save_figure(out_dir / f"{name}_heatmaps.png", heatmaps)
        size = {"height": image.shape[0], "width": image.shape[1]}
        write_json(out_dir / f"{name}_pose.json", size | {"keypoints": named_joints(skeleton.keypoints, pose)})
        score = result.keypoints[:, 2]
        print(f"{path.name:{width}}  {np.count_nonzero(pose[:, 2]):6}  {score.mean():10.2f}", flush=True)
        reductions.add(path.name, result.reduction)
        if show:
            show_picture(picture)
    reductions.print()
    print(f"written to {out_dir}")


def sure_joints(keypoints: np.ndarray, threshold: float) -> np.ndarray:
    """keypoints (J, 3) with the confidence of joints below the threshold set to 0: missing."""
    return np.where(keypoints[:, 2:] >= threshold, keypoints, keypoints * [1, 1, 0])


if __name__ == "__main__":
    run(main, frozen_weights=True)
