"""The network's time for an image in each precision, and how much the precision changes the maps."""

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from config import load_config
from dataset.model_spec import from_config
from dataset.pair_offsets import PairwiseStats
from multiperson.load import find_checkpoint
from tools.benchmarks.measure import run_times, usage_in_new_process
from tools.benchmarks.tables import Table
from util.frozen_weights import promise_frozen_weights
from util.images import read_image, resize_image
from util.logging import silence_tensorflow
from util.maps import joint_pairs, map_size

PAIRWISE_CELLS = 100  # as many as there are detections
# With a gamma of 1 random weights overflow, and shifts of 0 would be optimised away, unlike trained ones.
RANDOM_GAMMA, RANDOM_BETA = 0.3, 0.01
ROOT = Path(__file__).parents[2]
IMAGE = ROOT / "demo" / "people.jpg"
COCO = ROOT / "models" / "coco" / "test" / "pose_cfg.yaml"


def add(commands) -> None:
    command = commands.add_parser("network", help="the network's latency, memory and what bfloat16 changes")
    command.add_argument("--cfg", help="a trained model (default: COCO's network, random weights)")
    command.add_argument("--net_types", nargs="+", default=["resnet_101"], help="without --cfg: (resnet_101)")
    command.add_argument("--precision", nargs="+", default=["float32", "bfloat16"], help="(float32 bfloat16)")
    command.add_argument("--size", type=int, nargs=2, default=(640, 480), metavar=("WIDTH", "HEIGHT"), help="(640 480)")
    command.add_argument("--repeat", type=int, default=15, help="runs (15)")
    command.add_argument("overrides", nargs="*", metavar="key=value", help="keys of the configuration: tta=[flip]")
    command.set_defaults(function=network)


def network(args: argparse.Namespace) -> list[Table]:
    rows, changes = [], []
    for net_type in [None] if args.cfg else args.net_types:
        exact = None  # what the first precision says
        for precision in args.precision:
            options = [*args.overrides, f"precision={precision}", *([f"net_type={net_type}"] if net_type else [])]
            (name, ready, times, said), _, memory = usage_in_new_process(
                run_network, args.cfg, options, tuple(args.size[::-1]), args.repeat
            )
            rows.append([name, f"{np.median(times):.3f}", f"{min(times):.3f}", f"{ready:.1f}", round(memory)])
            if exact:
                changes.append([name, *map(largest_change, exact, said)])
            exact = exact or said
    title = (
        f"One image of {args.size[0]}x{args.size[1]}, offsets between joints at {PAIRWISE_CELLS} cells; seconds, "
        f"{os.cpu_count()} cores; 'start' is TensorFlow, weights and graphs"
    )
    tables = [Table(title, ["network", "median", "least", "start", "peak MiB"], rows)]
    if changes:
        title = f"Largest changes against {args.precision[0]} anywhere in the maps of {IMAGE.name}"
        tables.append(Table(title, ["network", "part probability", "refinement, px", "pairwise offset, px"], changes))
    return tables


def largest_change(exact: np.ndarray | None, other: np.ndarray | None) -> str:
    return "" if exact is None else f"{np.abs(exact - other).max():.4f}"


def run_network(path: str | None, overrides: list[str], size: tuple[int, int], repeat: int):
    """Name of the network, seconds until it is ready, seconds of each run, and what it says of the demo's picture:
    part probabilities, refinements and pairwise offsets (px), the last at `PAIRWISE_CELLS` cells."""
    silence_tensorflow()
    promise_frozen_weights()
    from nnet.precision import compute_dtype

    start = time.perf_counter()
    predictor = load_predictor(path, overrides)
    ready = time.perf_counter() - start
    image = resize_image(read_image(IMAGE), size)
    cells = np.random.default_rng(0).integers(0, map_size(*size, predictor.spec.stride), (PAIRWISE_CELLS, 2))

    def look():
        maps = predictor.maps(image)
        return maps.part_prob, maps.locref, maps.pairwise and maps.pairwise(cells)

    times = run_times(look, repeat)
    return f"{predictor.spec.net_type}, {compute_dtype(predictor.cfg.precision)}", ready, times, look()


def load_predictor(path: str | None, overrides: list[str]):
    """A trained network, or without a path COCO's with random weights, the same in every process."""
    import keras

    from nnet.predict import Predictor, setup_pose_prediction

    cfg = load_config(path or COCO, overrides)
    if path:
        return setup_pose_prediction(cfg, find_checkpoint(cfg))
    keras.utils.set_random_seed(0)
    spec = from_config(type(cfg)(cfg, pairwise_predict=False))
    if cfg.pairwise_predict:
        ones = np.ones(joint_pairs(spec.num_joints).shape)
        spec = replace(spec, pairwise=PairwiseStats(0 * ones, ones))
    predictor = Predictor(cfg, spec)
    for name, variable in predictor.net.slim_variables().items():
        for suffix, value in (("gamma", RANDOM_GAMMA), ("beta", RANDOM_BETA)):
            if name.endswith(suffix):
                variable.assign(np.full(variable.shape, value, np.float32))
    return predictor.freeze()
