"""A training step by stage, and the time for its data."""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import yaml

from config import load_config, make_config
from dataset.aic_to_coco import convert
from dataset.augment import prepare
from dataset.factory import create
from dataset.model_spec import from_config
from dataset.pair_offsets import compute_offsets, save_pairwise_stats
from dataset.pipeline import Plan, padded_size, training_batches
from dataset.toy import write_toy_set
from tools.benchmarks.measure import run_times, usage_in_new_process
from tools.benchmarks.tables import Table
from util.images import read_image
from util.logging import silence_tensorflow

# Steps whose batches are planned, by size only; no image is read.
PLANNED_STEPS = 2000


def add(commands) -> None:
    command = commands.add_parser("train", help="a training step by stage, and what its data costs")
    command.add_argument("--cfg", help="configuration with data (default: COCO's recipe, drawn scenes of 640x480)")
    command.add_argument("--precision", nargs="+", default=["float32", "auto"], help="(float32 auto)")
    command.add_argument("--batch_sizes", type=int, nargs="+", default=[1, 4, 16], help="to plan batches of (1 4 16)")
    command.add_argument("--repeat", type=int, default=11, help="runs of each stage (11)")
    command.add_argument("overrides", nargs="*", metavar="key=value", help="a key of the configuration (config.py)")
    command.set_defaults(function=train)


def train(args: argparse.Namespace) -> list[Table]:
    with tempfile.TemporaryDirectory() as folder:
        path = args.cfg or drawn_data(Path(folder))
        tables = [data_table(path, args.overrides, args.repeat), batch_table(path, args.overrides, args.batch_sizes)]
        rows = []
        for precision in args.precision:
            overrides = [*args.overrides, f"precision={precision}"]
            (name, stages), _, memory = usage_in_new_process(step_stages, path, overrides, args.repeat)
            rows.append([name, *(f"{value:.4f}" for value in stages), round(memory)])
    header = ["", "targets", "forward", "whole step", "images/s", "first step", "peak MiB"]
    return [*tables, Table(f"A step, seconds (medians), {os.cpu_count()} cores", header, rows)]


def drawn_data(folder: Path) -> str:
    """Write 64 drawn scenes, their statistics and the configuration of COCO's recipe for them; its path."""

    write_toy_set(folder, images=64, people=(3, 3), size=(640, 480))
    convert(
        folder / "annotations/train.json", folder / "images/train", folder / "annotations/person_keypoints_train.json"
    )
    recipe = {"dataset": str(folder), "dataset_type": "coco", "dataset_phase": "train", "skeleton": "neckhead",
              "num_joints": 17, "net_type": "resnet_101", "batch_norm": "frozen", "location_refinement": True,
              "intermediate_supervision": True, "pairwise_predict": True,
              "pairwise_stats_fn": str(folder / "pairwise_stats.mat")}  # fmt: skip
    offsets = compute_offsets(create(make_config(**recipe)))
    save_pairwise_stats(recipe["pairwise_stats_fn"], offsets.means, offsets.std_devs)
    path = folder / "pose_cfg.yaml"
    path.write_text(yaml.safe_dump(recipe))
    return str(path)


def data_table(path: str, overrides: list[str], repeat: int) -> Table:
    """Milliseconds of one core to read an image and to make a sample of it."""

    cfg = load_config(path, overrides)
    dataset = create(cfg)
    spec = from_config(cfg, dataset.skeleton)
    samples = [dataset[index] for index in range(min(len(dataset), 32))]

    def milliseconds(function: Callable) -> str:
        return f"{1000 * np.median([run_times(lambda: function(sample), 3) for sample in samples]):.2f}"  # noqa: B023

    random = np.random.default_rng(0)
    rows = [
        ["reading the image", milliseconds(lambda sample: read_image(sample.image))],
        [
            "the whole sample, mirrored",
            milliseconds(lambda sample: prepare(dataset, spec, sample, cfg.global_scale, True, random)),
        ],
    ]
    return Table(f"A sample, milliseconds of one core (medians of {len(samples)} images)", ["", "ms"], rows)


def batch_table(path: str, overrides: list[str], batch_sizes: list[int]) -> Table:
    """How many shapes the batches have, and how much of them is padding."""

    rows = []
    for batch_size in batch_sizes:
        cfg = load_config(path, [*overrides, f"batch_size={batch_size}"])
        plan = Plan(create(cfg), cfg)
        shapes, pixels, padded = set(), 0, 0
        for step in range(-(-PLANNED_STEPS // batch_size)):
            sizes = [plan.network_size(position) for position in plan.batch(step)]
            height, width = padded_size(sizes, batch_size)
            shapes.add((height, width))
            pixels += sum(h * w for h, w in sizes)
            padded += len(sizes) * height * width
        rows.append([batch_size, len(shapes), f"{100 * (1 - pixels / padded):.1f} %"])
    title = f"Batches of {PLANNED_STEPS} images; one graph serves all shapes"
    return Table(title, ["batch_size", "shapes", "padding"], rows)


def step_stages(path: str, overrides: list[str], repeat: int) -> tuple[str, list[float]]:
    """Name of the network; seconds of targets, forward with losses and whole step; images/s; seconds of the first."""
    silence_tensorflow()
    import tensorflow as tf

    from nnet.losses import compute_losses
    from nnet.precision import compute_dtype
    from nnet.targets import make_targets
    from nnet.trainer import Trainer

    cfg = load_config(path, overrides)
    dataset = create(cfg)
    spec = from_config(cfg, dataset.skeleton)
    trainer = Trainer(cfg, spec)
    for name, variable in trainer.slim_variables.items():
        if name.endswith("gamma"):
            variable.assign(tf.fill(variable.shape, 0.3))  # or random weights overflow
    batch = next(training_batches(dataset, cfg, spec))
    tensors = [tf.constant(batch[name]) for name in ("image", "people", "weight", "scale")]

    @tf.function(reduce_retracing=True)
    def targets(_image, *people):
        return make_targets(*people, cfg, spec)

    @tf.function(reduce_retracing=True)
    def forward(image, *people):
        wanted = make_targets(*people, cfg, spec)
        heads = trainer.net.apply_heads(trainer.net.features(image, training=True), wanted.cells)
        return compute_losses(heads, wanted, cfg, spec)

    start = time.perf_counter()
    trainer.step([batch], 0.0)
    first = time.perf_counter() - start
    stages = [lambda: targets(*tensors), lambda: forward(*tensors), lambda: trainer.step([batch], 0.0)]
    seconds = [float(np.median(run_times(stage, repeat))) for stage in stages]
    height, width = batch["image"].shape[1:3]
    name = f"{spec.net_type}, {len(batch['image'])} of {width}x{height}, {compute_dtype(cfg.precision)}"
    return name, [*seconds, len(batch["image"]) / seconds[-1], first]
