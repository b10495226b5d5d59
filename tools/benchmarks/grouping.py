"""How well simulated detections of real people are grouped."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from easydict import EasyDict
from tqdm import tqdm

from config import make_config
from dataset import aic_score
from dataset.aic import VISIBLE, AnnotationFile, people_array, people_to_aic
from dataset.skeleton import AIC
from multiperson.predict import People, predict_people
from multiperson.simulate import NOISE_LEVELS, simulate_maps
from multiperson.visualize import PersonDraw
from tools.benchmarks.decode import STRIDE, learnt_model
from tools.benchmarks.tables import Table
from util.images import write_image

LEARNING_IMAGES = 100
THRESHOLD_OF_MISSES = 0.95  # the strictest of the official thresholds
TEST_SEED = 1_000_000  # the models are learnt with other noise than they are tested with


def add(commands) -> None:
    command = commands.add_parser("grouping", help="official score of people found in simulated maps of real poses")
    command.add_argument("--ref", type=Path, required=True, help="AI Challenger annotations")
    command.add_argument("--images", type=int, help="use the first of them only")
    command.add_argument(
        "--pictures",
        type=Path,
        metavar="FOLDER",
        help="draw what is missed in perfect maps: true people left, those found right",
    )
    command.set_defaults(function=grouping)


def grouping(args: argparse.Namespace) -> list[Table]:
    records = aic_score.read_records(args.ref)[: args.images]
    images = [simulated_image(record) for record in AnnotationFile(args.ref)][: args.images]
    cfg = make_config(sparse_graph="skeleton")
    rows = []
    for level, noise in NOISE_LEVELS.items():
        for method, submission, seconds in submissions(cfg, images, noise):
            result = aic_score.score(submission, records)
            found = sum(len(record["keypoint_annotations"]) for record in submission)
            rows.append([level, method, result.score, found, 1000 * seconds / len(images)])
            if args.pictures and level == "none" and method == "multicut":
                draw_misses(args.pictures, images, records, submission)
    true = sum(len(image[1]) for image in images)
    title = f"{len(images)} images, {true} people; models learnt from the first {LEARNING_IMAGES} with other noise"
    return [Table(title, ["noise", "grouping", "score", "people found", "ms per image"], rows)]


def draw_misses(folder: Path, images: Sequence, records: Sequence[dict], submission: Sequence[dict]) -> None:
    """Draw each image whose people are not all found with an OKS above .95."""
    drawer = PersonDraw(AIC.limbs)
    for (image_id, true, height, width), record, answer in zip(images, records, submission, strict=True):
        if (aic_score.score([answer], [record]).best > THRESHOLD_OF_MISSES).all():
            continue
        found = np.array(list(answer["keypoint_annotations"].values()), float).reshape(-1, AIC.num_joints, 3)
        found[..., 0] += width
        people = np.concatenate([true, np.where(found[..., 2:] == VISIBLE, found, 0)])
        canvas = np.full((height, 2 * width, 3), 255, np.uint8)
        write_image(folder / f"{image_id}.png", drawer.draw(canvas, People(people, np.ones(len(people)))))


def simulated_image(record) -> tuple[str, np.ndarray, int, int]:
    """image_id, people (P, 14, 3) with flag 0 where not labelled, height and width that hold all of them."""
    people = people_array([person.keypoints for person in record.people])
    people[people[..., 2] == 0] = 0
    boxes = np.array([person.box for person in record.people], float).reshape(-1, 4)
    width, height = np.maximum(people[..., :2].max(axis=(0, 1)), boxes[:, 2:].max(axis=0)).astype(int) + 17
    return record.image_id, people, height, width


def submissions(cfg, images: Sequence, noise) -> list[tuple[str, list[dict], float]]:
    """(method, its AIC submission, seconds from maps to people) for each way of grouping."""
    filled = EasyDict(cfg, fill_missing_joints=True)
    greedy = EasyDict(cfg, solver="greedy")
    all_pairs = EasyDict(cfg, sparse_graph=[])
    learning = [image[1:] for image in images[:LEARNING_IMAGES]]
    model, model_of_all = (learnt_model(each, AIC, learning, noise) for each in (cfg, all_pairs))
    methods = {
        "multicut": lambda maps: predict_people(model, cfg, maps),
        "multicut, edges between all parts": lambda maps: predict_people(model_of_all, all_pairs, maps),
        "multicut, missing joints filled": lambda maps: predict_people(model, filled, maps),
        "greedy": lambda maps: predict_people(model, greedy, maps),
    }
    results = {name: [] for name in methods}
    seconds = dict.fromkeys(methods, 0.0)
    for number, (image_id, people, height, width) in enumerate(tqdm(images, unit="image", disable=None)):
        maps = simulate_maps(people, height, width, STRIDE, noise, seed=TEST_SEED + number)
        for name, method in methods.items():
            start = time.perf_counter()
            found = method(maps)
            seconds[name] += time.perf_counter() - start
            results[name].append(people_to_aic(image_id, found.keypoints, found.score, AIC))
    return [(name, results[name], seconds[name]) for name in methods]
