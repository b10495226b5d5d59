"""AIC annotations to COCO's format."""

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tools.benchmarks.aic_data import made_up_annotations
from tools.benchmarks.measure import best_time, peak_memory
from util.report import table


def add(commands) -> None:
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
