"""The demo, from the start of its process to the written picture, and its images per second for a folder."""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from multiperson import load_model
from tools.benchmarks.measure import best_time, run_times, usage_in_new_process
from tools.benchmarks.tables import Table
from util.images import read_image, write_image
from util.logging import silence_tensorflow

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "demo" / "demo_multiperson.py"
CFG = ROOT / "models" / "demo" / "pose_cfg.yaml"
IMAGE = ROOT / "demo" / "people.jpg"
# At this size both of its people are found.
SEEN = ["max_input_size=400"]


def add(commands) -> None:
    command = commands.add_parser("demo", help="from process start to picture; images a second of a folder")
    command.add_argument("--cfg", default=CFG, help="model (default: that of the demo)")
    command.add_argument("--image", default=IMAGE, type=Path, help="(default: README's, of two people)")
    command.add_argument("overrides", nargs="*", default=SEEN, metavar="key=value", help=f"({' '.join(SEEN)})")
    command.add_argument("--images", default=40, type=int, help="copies of it in the folder (40)")
    command.add_argument("--repeat", type=int, default=5, help="runs of the whole process (5)")
    command.set_defaults(function=demo)


def demo(args: argparse.Namespace) -> list[Table]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, SCRIPT, args.image, *args.overrides, "--cfg", args.cfg, "--out_dir", folder]
        whole = run_times(lambda: subprocess.run(command, check=True, capture_output=True), args.repeat)
        usage = usage_in_new_process(folder_seconds, args.cfg, args.overrides, args.image, args.images, folder)
    latency, found, drawn = usage.result
    rows = [
        ["process start to written picture, s (median)", f"{np.median(whole):.2f}"],
        ["the same, least", f"{min(whole):.2f}"],
        ["one image in memory to people, s (median)", f"{latency:.3f}"],
        ["a folder, people found, images/s", f"{args.images / found:.1f}"],
        ["a folder, people drawn and written, images/s", f"{args.images / drawn:.1f}"],
        ["peak MiB", str(round(usage.peak_memory))],
    ]
    return [Table(f"{args.image.name}, {os.cpu_count()} cores, after a first run", ["", ""], rows)]


def folder_seconds(
    cfg: Path, overrides: list[str], image: Path, number: int, out_dir: str
) -> tuple[float, float, float]:
    """Seconds of one image that is in memory, of `number` images read and people found, and drawn as well."""
    silence_tensorflow()
    model = load_model(cfg, overrides)
    pixels = read_image(image)
    latency = float(np.median(run_times(lambda: model(pixels), 15)))
    paths = [image] * number

    def draw_all():
        for number, (photo, result) in enumerate(model.stream(paths)):
            write_image(Path(out_dir, f"{number}.jpg"), result.draw(photo))

    found = best_time(lambda: list(model.stream(paths)), 1)
    return latency, found, best_time(draw_all, 1)
