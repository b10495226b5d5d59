"""The network as a TensorFlow Lite model: its time for an image, and how much eight bits change the maps."""

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np

from tools.benchmarks.measure import run_times, usage_in_new_process
from tools.benchmarks.network import IMAGE, load_predictor
from tools.benchmarks.tables import Table
from util.images import find_images, read_image, resize_image
from util.logging import silence_tensorflow


def add(commands) -> None:
    command = commands.add_parser("tflite", help="TensorFlow Lite models in float32 and eight bits")
    command.add_argument("--cfg", help="a trained model (default: COCO's network, random weights)")
    command.add_argument("--net_types", nargs="+", default=["resnet_101"], help="without --cfg: (resnet_101)")
    command.add_argument("--photos", nargs="+", default=[str(IMAGE)], help="for the layers' ranges (the demo's)")
    command.add_argument("--size", type=int, nargs=2, default=(640, 480), metavar=("WIDTH", "HEIGHT"), help="(640 480)")
    command.add_argument("--repeat", type=int, default=15, help="runs (15)")
    command.set_defaults(function=tflite)


def tflite(args: argparse.Namespace) -> list[Table]:
    rows = []
    for net_type in [None] if args.cfg else args.net_types:
        for eight_bits in (False, True):
            (name, mebibytes, times, changes), _, _ = usage_in_new_process(
                run_tflite, args.cfg, net_type, args.photos if eight_bits else [], args.size[::-1], args.repeat
            )
            seconds = [f"{value:.3f}" for value in (np.median(times), min(times))]
            rows.append(
                [
                    f"{name}, {'int8' if eight_bits else 'float32'}",
                    *seconds,
                    f"{mebibytes:.1f}",
                    *(f"{change:.4f}" for change in changes),
                ]
            )
    title = (
        f"One image of {args.size[0]}x{args.size[1]} with TensorFlow Lite, seconds, {os.cpu_count()} cores; how "
        f"far part probabilities are from the network's own on {IMAGE.name}"
    )
    return [Table(title, ["network", "median", "least", "MiB of file", "largest change", "mean change"], rows)]


def run_tflite(path: str | None, net_type: str | None, photos: list[str], size: tuple[int, int], repeat: int):
    """Name of the network, MiB of its file, seconds of each run, largest and mean change of part probabilities.

    photos: none for float32
    """
    silence_tensorflow()
    from nnet.export import save_tflite
    from nnet.lite import LitePredictor

    predictor = load_predictor(path, ["precision=float32", *([] if path else [f"net_type={net_type}"])])
    image = resize_image(read_image(IMAGE), size)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder, "model.tflite")
        for_ranges = [resize_image(read_image(photo), size) for photo in find_images(photos)]
        save_tflite(predictor, model, photos=for_ranges)
        mebibytes = model.stat().st_size / 2**20
        lite = LitePredictor(predictor.cfg, predictor.spec, model)
    times = run_times(lambda: lite.maps(image), repeat)
    change = np.abs(lite.maps(image).part_prob - predictor.maps(image).part_prob)
    return predictor.spec.net_type, mebibytes, times, (change.max(), change.mean())
