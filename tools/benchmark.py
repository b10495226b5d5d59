"""Measure how fast the parts of the system are on this machine.

    python tools/benchmark.py convert --images 20000
    python tools/benchmark.py evaluate --images 1000 30000
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from util.cli import parser, run
from util.report import table


def best_time(function: Callable, repeat: int) -> float:
    """Seconds that the fastest of some runs took: the others were disturbed."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def peak_memory() -> float:
    """MiB that this process has held at most."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


# AI Challenger data made by program: people of random size and pose, as many per image as there.


def made_up_annotations(num_images: int, seed: int = 0) -> list[dict]:
    """AIC records with 1.8 people an image, about a third of their joints hidden or not labelled."""
    rng = np.random.default_rng(seed)
    records = []
    for number, count in enumerate(1 + rng.poisson(0.8, num_images)):
        people, boxes = {}, {}
        for i in range(count):
            x, y, width, height = rng.integers([0, 0, 40, 80], [400, 300, 300, 500])
            joints = np.stack([rng.integers(x, x + width, 14), rng.integers(y, y + height, 14),
                               rng.choice([1, 2, 3], 14, p=[0.63, 0.22, 0.15])], axis=1)  # fmt: skip
            joints[joints[:, 2] == 3, :2] = 0
            people[f"human{i + 1}"] = joints.ravel().tolist()
            boxes[f"human{i + 1}"] = [int(x), int(y), int(x + width), int(y + height)]
        records.append({"url": f"http://example.org/{number}.jpg", "image_id": f"{number:040x}",
                        "keypoint_annotations": people, "human_annotations": boxes})  # fmt: skip
    return records


def made_up_submission(annotations: Sequence[dict], seed: int = 0) -> list[dict]:
    """The annotated people, each joint some pixels off, as decimals."""
    rng = np.random.default_rng(seed)
    submission = []
    for record in annotations:
        people = {}
        for name, values in record["keypoint_annotations"].items():
            joints = np.array(values, float).reshape(14, 3)
            joints[:, :2] = np.round(joints[:, :2] + rng.normal(scale=4, size=(14, 2)), 2)
            people[name] = joints.ravel().tolist()
        submission.append({"image_id": record["image_id"], "keypoint_annotations": people})
    return submission


# convert: AIC annotations to COCO's format


def add_convert(commands) -> None:
    command = commands.add_parser("convert", help="AIC annotations to COCO's format")
    command.add_argument("--images", type=int, nargs="+", default=[20000], help="number of images (20000)")
    command.set_defaults(function=convert)


def convert(args: argparse.Namespace) -> None:
    from tools.ai2coco_art_neckhead_json import convert as convert_file

    rows = []
    for number in args.images:
        with tempfile.TemporaryDirectory() as folder:
            path, images = Path(folder, "annotations.json"), Path(folder, "images")
            records = made_up_annotations(number)
            path.write_text(json.dumps(records))
            _write_photos(images, [record["image_id"] for record in records])
            del records
            seconds = best_time(lambda: convert_file(path, images, path.with_name("out.json")), 1)  # noqa: B023
            size = path.stat().st_size / 2**20
            rows.append([number, size, seconds, round(number / seconds), peak_memory()])
    print(f"AIC annotations to COCO's format, {os.cpu_count()} cores")
    print(table(["images", "MiB of JSON", "seconds", "images/s", "peak MiB"], rows))


def _write_photos(folder: Path, image_ids: Sequence[str]) -> None:
    """A JPEG file of its own name for each image; 32 different ones, the others are links to them."""
    from PIL import Image

    rng = np.random.default_rng(0)
    folder.mkdir()
    for number, image_id in enumerate(image_ids):
        path = folder / f"{image_id}.jpg"
        if number < 32:
            height, width = rng.integers(300, 900, 2)
            Image.fromarray(rng.integers(0, 255, (height, width, 3), np.uint8)).save(path)
        else:
            os.link(folder / f"{image_ids[number % 32]}.jpg", path)


# evaluate: the official AIC score


def add_evaluate(commands) -> None:
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


def main(argv=None):
    args_parser = parser(__doc__)
    commands = args_parser.add_subparsers(title="what to measure", required=True)
    for add in (add_convert, add_evaluate):
        add(commands)
    args = args_parser.parse_args(argv)
    args.function(args)


if __name__ == "__main__":
    run(main)
