"""AIC annotations to COCO's format."""

import argparse
import json
import tempfile
from pathlib import Path

from dataset import aic_to_coco, coco_to_aic
from tools.benchmarks.aic_data import write_data_set
from tools.benchmarks.measure import usage_in_new_process
from tools.benchmarks.tables import Table


def add(commands) -> None:
    command = commands.add_parser("convert", help="AIC annotations to COCO's format")
    command.add_argument("--images", type=int, nargs="+", default=[20000], help="number of images (20000)")
    command.set_defaults(function=convert)


def convert(args: argparse.Namespace) -> list[Table]:
    rows = []
    for number in args.images:
        with tempfile.TemporaryDirectory() as folder:
            aic, images, coco = Path(folder, "aic.json"), Path(folder, "images"), Path(folder, "coco.json")
            write_data_set(number, aic, images)
            there = usage_in_new_process(aic_to_coco.convert, aic, images, coco)
            back = usage_in_new_process(coco_to_aic.convert, coco, Path(folder, "back.json"))
            if json.loads(Path(folder, "back.json").read_text()) != json.loads(aic.read_text()):
                raise AssertionError("the annotations came back changed")
            for way, path, usage in (("AIC to COCO", aic, there), ("and back", coco, back)):
                mib = path.stat().st_size / 2**20
                rows.append(
                    [way, number, round(mib), usage.seconds, round(number / usage.seconds), round(usage.peak_memory)]
                )
    title = "Annotation files, one process"
    return [Table(title, ["", "images", "MiB of JSON", "seconds", "images/s", "peak MiB"], rows)]
