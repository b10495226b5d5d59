"""What the noise of labels leaves of a score: the labels against themselves, moved at random."""

import argparse

import numpy as np

from util.report import table


def add(commands) -> None:
    command = commands.add_parser("labels", help="the official score that labels of limited accuracy allow")
    command.add_argument("--ref", required=True, help="annotations in AI Challenger's format")
    command.add_argument("--noise", type=float, nargs="+", default=[0.01, 0.02, 0.03, 0.04],
                         help="standard deviations along each axis, of the longer side of a person's box")  # fmt: skip
    command.add_argument("--seed", type=int, default=0, help="another seed, other noise (0)")
    command.set_defaults(function=labels)


def labels(args: argparse.Namespace) -> None:
    from dataset import aic
    from tools.eval_aic import read_records

    reference = read_records(args.ref)
    rows = []
    for noise in args.noise:
        random = np.random.default_rng(args.seed)
        moved = [{"image_id": record["image_id"], "keypoint_annotations": moved_people(record, noise, random)}
                 for record in reference]  # fmt: skip
        # Two independent labels differ by the noise of both; the median of such a distance is 1.18 deviations.
        rows.append([noise, f"{100 * 1.1774 * 2**0.5 * noise:.1f} %", f"{aic.score(moved, reference).score:.4f}"])
    print(f"{sum(len(record['keypoint_annotations']) for record in reference)} people, their labels moved at random")
    print(table(["noise", "two such labels differ by", "score"], rows))


def moved_people(record: dict, noise: float, random: np.random.Generator) -> dict[str, list[float]]:
    """The people of a record (AI Challenger's format) with normally distributed errors of their joints."""
    people = {}
    for name, values in record["keypoint_annotations"].items():
        joints = np.array(values, float).reshape(-1, 3)
        left, top, right, bottom = record["human_annotations"][name]
        joints[:, :2] += random.normal(0, noise * max(right - left, bottom - top), (len(joints), 2))
        people[name] = joints.ravel().tolist()
    return people
