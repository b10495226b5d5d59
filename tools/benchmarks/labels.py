"""The best score that noisy labels allow: the labels scored against themselves, moved at random."""

import argparse

import numpy as np

from dataset import aic_score, pck
from dataset.aic import people_array
from dataset.skeleton import AIC
from tools.benchmarks.tables import Table

TORSO_THRESHOLD = 0.2


def add(commands) -> None:
    command = commands.add_parser("labels", help="the official score and the PCK that labels of limited accuracy allow")
    command.add_argument("--ref", required=True, help="annotations in AI Challenger's format")
    command.add_argument(
        "--noise",
        type=float,
        nargs="+",
        default=[0.01, 0.02, 0.03, 0.04],
        help="standard deviations along each axis, of the longer side of the box around a person's joints",
    )
    command.add_argument("--seed", type=int, default=0, help="another seed, other noise (0)")
    command.set_defaults(function=labels)


def labels(args: argparse.Namespace) -> list[Table]:
    reference = aic_score.read_records(args.ref)
    true = joints_of(reference)
    sizes, torsos = pck.extent_size(true), pck.torso_size(true, AIC)
    rows = []
    for noise in args.noise:
        random = np.random.default_rng(args.seed)
        moved = true.copy()
        moved[..., :2] += random.normal(0, noise * np.nan_to_num(sizes)[:, None, None], true[..., :2].shape)
        found = pck.relative_errors(true, moved, torsos).share(TORSO_THRESHOLD)
        score = aic_score.score(with_joints(reference, moved), reference).score
        # Two independent labels differ by the noise of both; the median of such a distance is 1.18 deviations.
        rows.append([noise, f"{100 * 1.1774 * 2**0.5 * noise:.1f} %", f"{score:.4f}", f"{found.mean():.3f}"])
    header = ["noise", "two such labels differ by", "score", f"PCK@{TORSO_THRESHOLD} of the torso"]
    return [Table(f"{len(true)} people, their labels moved at random", header, rows)]


def joints_of(records: list[dict]) -> np.ndarray:
    """The people of all records, (N, 14, 3) x, y and 1 or 0 for not labelled."""
    return people_array([values for record in records for values in record["keypoint_annotations"].values()])


def with_joints(records: list[dict], people: np.ndarray) -> list[dict]:
    """The records as predictions, with other joints (N, 14, 3)."""
    rows = iter(people)
    return [
        {
            "image_id": record["image_id"],
            "keypoint_annotations": {name: next(rows).ravel().tolist() for name in record["keypoint_annotations"]},
        }
        for record in records
    ]
