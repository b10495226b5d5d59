"""Find the best values of the grouping keys, on annotated images, with one pass of the network.

    python tools/sweep.py --cfg models/demo/pose_cfg.yaml --ref person_keypoints_val2017.json --img_dir val2017 \\
        --try nms_radius 3 4 5 --try det_min_score .1 .2 --images 200

Each image goes through the network once, and its maps are grouped with every combination of the values. Prints COCO's
AP, by the joints that the network has in common with the annotations, the best first. Choose the values on other images
than those on which you report the score.
"""

try:
    from util.cli import config_parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

import itertools
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from config import load_config
from dataset.coco import read_coco
from dataset.coco_results import people_to_coco
from dataset.coco_score import known, score
from multiperson.estimator import PoseEstimator
from multiperson.load import load_network, pairwise_models
from util.errors import InputError
from util.faults import Faults
from util.files import require_folder
from util.images import FileLister, readable_images
from util.report import table
from util.view import network_view

# Keys that control how maps become people; others would need another pass of the network.
GROUPING_KEYS = ("nms_radius", "det_min_score", "min_keypoints", "min_person_score", "fill_missing_joints", "solver",
                 "solver_seconds", "sparse_graph", "pairwise_model_dir")  # fmt: skip
METRICS = "AP", "AP .50", "AP .75", "AP medium", "AP large", "AR"


class Outcome(NamedTuple):
    """metrics: COCO's by name; people: how many were found; seconds: the grouping of an image, mean"""

    metrics: dict[str, float]
    people: int
    seconds: float


def main(argv: list[str] | None = None) -> None:
    arguments = config_parser(__doc__, snapshot=True)
    arguments.add_argument("--ref", required=True, type=Path, help="COCO annotations")
    arguments.add_argument("--img_dir", required=True, type=Path, help="folder of their images")
    arguments.add_argument("--images", type=int, help="number of images, the same ones in each run (default: all)")
    arguments.add_argument(
        "--try",
        dest="tries",
        action="append",
        nargs="+",
        default=[],
        metavar="KEY VALUE",
        help="a key of grouping and values for it; may be given several times",
    )
    options = arguments.parse_args(argv)
    require_folder(options.img_dir)
    keys, values = [words[0] for words in options.tries], [words[1:] for words in options.tries]
    for key, tried in zip(keys, values, strict=True):
        if key not in GROUPING_KEYS or not tried:
            raise InputError(f"--try {key}: expected one of {', '.join(GROUPING_KEYS)}, and values for it")
    combinations = list(itertools.product(*values))
    configs = [
        load_config(options.cfg, [*options.overrides, *map("=".join, zip(keys, combination, strict=True))])
        for combination in combinations
    ]
    truth = read_truth(options.ref, options.images)
    outcomes = sweep(configs, truth, options.img_dir, options.snapshot)
    print(f"{len(truth.images.ids)} images with {np.count_nonzero(truth.annotations.people)} people")
    print(ranking(keys, combinations, outcomes))


def read_truth(path: Path, number: int | None):
    """The annotations of `number` images (None: all), always the same ones. Raises InputError."""
    faults = Faults()
    truth = read_coco(path, faults)
    faults.warn(path)
    truth.require_people()
    order = np.random.default_rng(0).permutation(len(truth.images.ids))[:number]
    return truth.only_images([truth.images.ids[row] for row in sorted(order.tolist())])


def ranking(keys: Sequence[str], combinations: Sequence[tuple[str, ...]], outcomes: Sequence[Outcome]) -> str:
    """A table of the values of the keys and their outcomes, the best first."""
    rows = []
    for values, outcome in sorted(zip(combinations, outcomes, strict=True), key=lambda pair: -pair[1].metrics["AP"]):
        metrics = [known(outcome.metrics[name]) for name in METRICS]
        rows.append([*values, *metrics, outcome.people, f"{1000 * outcome.seconds:.1f}"])
    return table([*keys, *METRICS, "people", "ms"], rows)


def sweep(configs: Sequence, truth, folder: Path, weights: str | None = None) -> list[Outcome]:
    """The outcome of each configuration on the people of `truth`; they differ only in grouping keys."""
    network = load_network(configs[0], weights)
    models = [PoseEstimator(network, pairwise_models(cfg, network.spec), cfg) for cfg in configs]
    results, seconds = [[] for _ in configs], np.zeros(len(configs))
    category = next(iter(truth.categories))
    files, ids, paths = FileLister(), [], []
    for image_id, name in zip(truth.images.ids, truth.images.names, strict=True):
        path = files.find_image(name, folder)
        if path is None:
            logging.warning("%s is not in %s; its people count as not found", name, folder)
        else:
            ids.append(image_id)
            paths.append(path)
    if not paths:
        raise InputError(f"{folder}: holds none of the {len(truth.images.ids)} images")
    for number, image in tqdm(readable_images(paths), total=len(paths), unit="image", disable=None):
        maps = network.maps(network_view(configs[0], image.shape[:2]).image(image))
        for row, model in enumerate(models):
            began = time.process_time()
            people = model.group(maps, image.shape[:2]).people
            seconds[row] += time.process_time() - began
            keypoints = model.skeleton.convert(people.keypoints, truth.skeleton)
            results[row] += people_to_coco(ids[number], keypoints, people.score, category)
    joints = models[0].skeleton.shared_joints(truth.skeleton)
    return [
        Outcome(score(found, truth, joints).metrics, len(found), total / len(paths))
        for found, total in zip(results, seconds, strict=True)
    ]


if __name__ == "__main__":
    run(main, frozen_weights=True)
