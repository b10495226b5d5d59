"""From a large annotation file to the first sample."""

import argparse
import tempfile
from pathlib import Path

from config import make_config
from dataset.aic_to_coco import convert
from dataset.factory import create
from dataset.model_spec import from_config
from dataset.pipeline import training_batches
from tools.benchmarks.aic_data import write_data_set
from tools.benchmarks.measure import usage_in_new_process
from tools.benchmarks.tables import Table


def add(commands) -> None:
    command = commands.add_parser("startup", help="from a large annotation file to the first sample of a training")
    command.add_argument("--images", type=int, nargs="+", default=[20000, 210000], help="of images (20000 210000)")
    command.set_defaults(function=startup)


def startup(args: argparse.Namespace) -> list[Table]:
    rows = []
    for number in args.images:
        with tempfile.TemporaryDirectory() as folder:
            aic, images = Path(folder, "aic.json"), Path(folder, "images/train")
            coco = Path(folder, "annotations/person_keypoints_train.json")
            people = write_data_set(number, aic, images)
            convert(aic, images, coco)
            usage = usage_in_new_process(first_sample, folder)
            rows.append([number, people, round(coco.stat().st_size / 2**20), usage.seconds, round(usage.peak_memory)])
    title = "From the command to the first sample, TensorFlow's own start not counted"
    return [Table(title, ["images", "people", "MiB of JSON", "seconds", "peak MiB"], rows)]


def first_sample(folder: str) -> int:
    """Open a data set as training does and draw the order of its first epoch; how many images there are."""
    cfg = make_config(dataset=folder, dataset_type="coco", dataset_phase="train", skeleton="neckhead", num_joints=17)
    dataset = create(cfg)
    next(training_batches(dataset, cfg, from_config(cfg, dataset.skeleton)))
    return len(dataset)
