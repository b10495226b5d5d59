"""The official AIC score."""

import argparse
import json

from tools.benchmarks.aic_data import made_up_annotations, made_up_submission
from tools.benchmarks.measure import best_time
from util.report import table


def add(commands) -> None:
    command = commands.add_parser("evaluate", help="the official AI Challenger score")
    command.add_argument("--images", type=int, nargs="+", default=[1000, 30000], help="number of images (1000 30000)")
    command.set_defaults(function=evaluate)


def evaluate(args: argparse.Namespace) -> None:
    from dataset import aic

    rows = []
    for number in args.images:
        reference = json.dumps(made_up_annotations(number))
        submission = json.dumps(made_up_submission(json.loads(reference)))
        reading = best_time(lambda: (json.loads(reference), json.loads(submission)), 2)  # noqa: B023
        reference, submission = json.loads(reference), json.loads(submission)
        scoring = best_time(lambda: aic.score(submission, reference), 5)  # noqa: B023
        people = sum(len(record["keypoint_annotations"]) for record in reference)
        rows.append([number, people, reading, scoring])
    print("AI Challenger score, one thread")
    print(table(["images", "people", "reading JSON, s", "scoring, s"], rows))
