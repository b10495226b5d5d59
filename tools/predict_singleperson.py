"""Look for one person in each annotated box (or crop) of a data set, for tools/eval_pck.py.

    cd models/mpii/test
    python ../../../tools/predict_singleperson.py                          # writes results/predictions.mat
    python tools/predict_singleperson.py --cfg models/demo/pose_cfg.yaml --ref annotations.json --img_dir images

Each joint is taken from the best cell of its map within the person's box, padded on each side by `--pad` times its
longer side, or, with `pairwise_predict`, from the peak that agrees best with the other joints. The crop is scaled by
global_scale, or so that the box's longer side has `--side` pixels. In images without boxes (MPII's crops, own data) a
single person gets the whole image.

The data set of pose_cfg.yaml gives results/predictions.mat (`joints`: a cell of x, y, score for each person, in order);
`--ref` gives results/aic.json, the people named as in that AI Challenger file.
"""

try:
    from util.cli import config_parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from config import load_config
from dataset.aic import AnnotationFile, people_to_aic
from dataset.factory import create
from dataset.pose_dataset import PoseDataset
from multiperson.load import build_estimator, find_weights
from multiperson.single_person import PAD, SinglePersonEstimator, person_boxes
from nnet.description import describe
from util.errors import InputError
from util.files import write_json
from util.images import write_image
from util.matfile import write_mat
from util.names import distinct_names
from util.report import Reductions


class Task(NamedTuple):
    """An image and the boxes (x0, y0, x1, y1; None: all of it) of its people."""

    path: Path
    boxes: list


def main(argv: list[str] | None = None) -> None:
    arguments = config_parser(__doc__, snapshot=True)
    arguments.add_argument("--ref", type=Path, help="AI Challenger annotations instead of the data set")
    arguments.add_argument("--img_dir", type=Path, help="--ref: folder of the images")
    arguments.add_argument("--pad", type=float, default=PAD, help="margin around a box (default: %(default)s)")
    arguments.add_argument("--side", type=float, help="longer side of a box in the network (default: global_scale)")
    arguments.add_argument("--out_dir", type=Path, default=Path("results"), help="folder (default: %(default)s)")
    arguments.add_argument("--draw", action="store_true", help="write a picture of each image with its people")
    options = arguments.parse_args(argv)
    if (options.ref is None) != (options.img_dir is None):
        raise InputError("--ref and --img_dir belong together: annotations, and the folder of their images")
    if options.pad < 0 or (options.side is not None and options.side <= 0):
        raise InputError("--pad must be at least 0 and --side above 0")
    cfg = load_config(options.cfg, options.overrides)

    weights = options.snapshot or find_weights(cfg)
    skeleton = describe(cfg, weights).skeleton
    if options.ref:
        records, tasks = read_reference(options.ref, options.img_dir)
        _ = skeleton.to_aic  # refuse skeletons that lack a joint before the work, not after it
    else:
        tasks = list(dataset_tasks(create(cfg, skeleton=skeleton)))
    model = build_estimator(cfg, weights, single_person=True)
    pictures = options.out_dir if options.draw else None
    poses, unread = predict(model, tasks, options.pad, options.side, pictures)
    if options.ref:
        path = options.out_dir / "aic.json"
        write_json(path, [submission(record, people, skeleton) for record, people in zip(records, poses, strict=True)])
    else:
        path = options.out_dir / "predictions.mat"
        write_predictions(path, np.concatenate(poses))
    print(
        f"{len(tasks)} images, {sum(map(len, poses))} people, written to {path}"
        + (f"; {unread} images could not be read: their people count as not found" if unread else "")
    )


def read_reference(path: Path, img_dir: Path) -> tuple[list, list[Task]]:
    """The records of an AI Challenger file whose images exist."""
    source = AnnotationFile(path)
    found = list(source.with_images(img_dir))
    source.faults.warn(source.path)
    tasks = [Task(img_dir / name, [person.box for person in record.people]) for record, name in found]
    return [record for record, _ in found], tasks


def dataset_tasks(dataset: PoseDataset) -> Iterator[Task]:
    for sample in map(dataset.__getitem__, range(len(dataset))):
        yield Task(sample.image, person_boxes(sample.boxes, sample.people))


def predict(
    model: SinglePersonEstimator, tasks: list[Task], pad: float, side: float | None, pictures: Path | None
) -> tuple[list[np.ndarray], int]:
    """Poses (P, J, 3) of the people of each image, and how many images could not be read (their poses are 0).

    pictures: folder to draw into, or None; raises InputError if no image can be read
    """
    reductions = Reductions(model.cfg.max_input_size)
    poses = [np.zeros((len(task.boxes), model.skeleton.num_joints, 3)) for task in tasks]
    unread, names = len(tasks), distinct_names([task.path for task in tasks])
    sources = ((number, task.path) for number, task in enumerate(tqdm(tasks, unit="image", disable=None)))

    def in_boxes(number: int, image: np.ndarray):
        return model.in_boxes(image, tasks[number].boxes, pad, side)

    for image, result in model.stream(sources, find=in_boxes):
        unread -= 1
        number = result.source
        poses[number] = result.people.keypoints
        reductions.add(tasks[number].path.name, result.reduction)
        if pictures:
            write_image(pictures / f"{names[number]}_single.png", result.draw(image))
    reductions.print()
    return poses, unread


def submission(record, people: np.ndarray, skeleton) -> dict:
    """The AI Challenger record of the people (P, J, 3) of one image, under the names they have in `record`."""
    keypoints, scores = {}, {}
    for person, pose in zip(record.people, people, strict=True):
        single = people_to_aic(record.image_id, pose[None], [pose[:, 2].mean()], skeleton)
        if single["keypoint_annotations"]:
            keypoints[person.name] = single["keypoint_annotations"]["human1"]
            scores[person.name] = single["scores"]["human1"]
    return {"image_id": record.image_id, "keypoint_annotations": keypoints, "scores": scores}


def write_predictions(path: Path, people: np.ndarray) -> None:
    """pose-tensorflow's predictions.mat: `joints`, a 1 x N cell of (J, 3) x, y, score."""
    cell = np.empty((1, len(people)), object)
    for number, person in enumerate(people):
        cell[0, number] = person
    write_mat(path, {"joints": cell})


if __name__ == "__main__":
    run(main, frozen_weights=True)
