"""The official AIC score."""

import argparse
import tempfile
from pathlib import Path

from dataset import aic_score
from tools.benchmarks.aic_data import made_up_annotations, made_up_submission
from tools.benchmarks.measure import best_time
from tools.benchmarks.tables import Table
from util.files import write_json


def add(commands) -> None:
    command = commands.add_parser("evaluate", help="the official AI Challenger score")
    command.add_argument("--images", type=int, nargs="+", default=[1000, 30000], help="number of images (1000 30000)")
    command.set_defaults(function=evaluate)


def evaluate(args: argparse.Namespace) -> list[Table]:
    rows = []
    for number in args.images:
        with tempfile.TemporaryDirectory() as folder:
            paths = Path(folder, "annotations.json"), Path(folder, "submission.json")
            write_json(paths[0], made_up_annotations(number))
            write_json(paths[1], made_up_submission(aic_score.read_records(paths[0])))
            reading = best_time(lambda: [aic_score.read_records(path) for path in paths], 3)  # noqa: B023
            reference, submission = map(aic_score.read_records, paths)
        scoring = best_time(lambda: aic_score.score(submission, reference), 10)  # noqa: B023
        people = sum(len(record["keypoint_annotations"]) for record in reference)
        rows.append([number, people, reading, scoring])
    header = ["images", "people", "reading JSON, s", "scoring, s"]
    return [Table("AI Challenger score, one thread", header, rows)]
