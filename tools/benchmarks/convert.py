"""AIC annotations to COCO's format."""

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tools.benchmarks.aic_data import made_up_annotations
from tools.benchmarks.measure import usage_in_new_process
from tools.benchmarks.tables import Table

DIFFERENT_PHOTOS = 32


def add(commands) -> None:
    command = commands.add_parser("convert", help="AIC annotations to COCO's format")
    command.add_argument("--images", type=int, nargs="+", default=[20000], help="number of images (20000)")
    command.set_defaults(function=convert)


def convert(args: argparse.Namespace) -> list[Table]:
    from dataset import aic_to_coco, coco_to_aic

    rows = []
    for number in args.images:
        with tempfile.TemporaryDirectory() as folder:
            aic, images, coco = Path(folder, "aic.json"), Path(folder, "images"), Path(folder, "coco.json")
            records = made_up_annotations(number)
            aic.write_text(json.dumps(records))
            write_photos(images, [record["image_id"] for record in records])
            del records
            there = usage_in_new_process(aic_to_coco.convert, aic, images, coco)
            back = usage_in_new_process(coco_to_aic.convert, coco, Path(folder, "back.json"))
            if json.loads(Path(folder, "back.json").read_text()) != json.loads(aic.read_text()):
                raise AssertionError("the annotations came back changed")
            for way, path, usage in (("AIC to COCO", aic, there), ("and back", coco, back)):
                mib = path.stat().st_size / 2**20
                rows.append(
                    [way, number, round(mib), usage.seconds, round(number / usage.seconds), round(usage.peak_memory)]
                )
    title = f"Annotation files, {os.cpu_count()} cores; memory is that of the main process"
    return [Table(title, ["", "images", "MiB of JSON", "seconds", "images/s", "peak MiB"], rows)]


def write_photos(folder: Path, image_ids: Sequence[str]) -> None:
    """A JPEG file for each image: a few different ones, as cameras and editors write them, and links to these."""
    from PIL import Image

    exif = Image.Exif()
    exif[0x010F] = "camera"
    headers = [{}, {}, {"comment": b"edited " * 20}, {"progressive": True}, {}, {"icc_profile": bytes(3000)}, {},
               {"exif": exif}]  # fmt: skip
    rng = np.random.default_rng(0)
    folder.mkdir()
    for number, image_id in enumerate(image_ids):
        path = folder / f"{image_id}.jpg"
        if number < DIFFERENT_PHOTOS:
            height, width = rng.integers(300, 900, 2)
            photo = Image.fromarray(rng.integers(0, 255, (height, width, 3), np.uint8))
            photo.save(path, **headers[number % len(headers)])
        else:
            os.link(folder / f"{image_ids[number % DIFFERENT_PHOTOS]}.jpg", path)
