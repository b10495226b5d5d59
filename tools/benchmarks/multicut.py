"""The multicut solver against the original's: the time until it reaches the same objective, and its final objective."""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lib.multicut_cython import objective, solve_multicut
from tools.benchmarks.tables import Table

INSTANCES = Path(__file__).parents[2] / "tests" / "golden"
FILES = "multicut_small.npz", "multicut_large.npz"
# The processor time of the original's solver for each, with the same compiler options.
REFERENCE = Path(__file__).with_name("multicut_reference.json")
STEP = 1.2  # factor between successive time limits
TOLERANCE = 1e-6  # relative, of objectives


class Instance(NamedTuple):
    """A stored problem with the objective that the original's solver finds."""

    name: str
    problem: tuple[np.ndarray, np.ndarray, np.ndarray]
    objective: float


def add(commands) -> None:
    command = commands.add_parser("multicut", help="the solver against the original's, on its stored problems")
    command.add_argument("--instances", default="", help="those with this in their names (hard; default: all)")
    command.add_argument("--repeat", type=int, default=5, help="runs of each, of which the fastest counts (5)")
    command.set_defaults(function=multicut)


def multicut(args: argparse.Namespace) -> list[Table]:
    reference = json.loads(REFERENCE.read_text())
    rows = []
    for instance in instances():
        if args.instances not in instance.name:
            continue
        before = reference["milliseconds"][instance.name]
        reached = milliseconds_to_reach(instance, args.repeat)
        whole, found = run(instance, args.repeat)
        gap = (found - instance.objective) / max(1.0, abs(instance.objective))
        rows.append([instance.name, len(instance.problem[0]), len(instance.problem[2]), f"{before:.3f}",
                     f"{reached:.3f}", f"{reached / before:.2f}", f"{whole:.3f}", f"{whole / before:.2f}",
                     f"{100 * gap:+.2f} %"])  # fmt: skip
    title = (
        f"Milliseconds of one thread; the original's on {reference['processor']}; the gap is that of the last "
        "objective to the original's, below 0 where it is lower"
    )
    return [Table(title, ["instance", "detections", "edges", "original", "to its objective", "ratio", "whole search",
                          "ratio", "gap"], rows)]  # fmt: skip


def instances() -> Iterator[Instance]:
    """The problems of the golden files."""
    for file in FILES:
        with np.load(INSTANCES / file) as archive:
            for name in sorted({key.split("/")[0] for key in archive.files}):
                unary, edges, cost = (archive[f"{name}/{part}"] for part in ("unary", "edges", "cost"))
                problem = unary.astype(float), edges.astype(np.int64), cost.astype(float)
                yield Instance(name, problem, float(archive[f"{name}/objective"]))


def milliseconds_to_reach(instance: Instance, repeat: int) -> float:
    """Processor time of the shortest search that finds what the original does: of the first solution, or else of a
    search with a time limit; infinite where even the whole search misses it."""
    enough = instance.objective + TOLERANCE * max(1.0, abs(instance.objective))
    milliseconds, found = run(instance, repeat, effort=0)
    whole, best = run(instance, 1)
    if best > enough:
        return np.inf
    limit = milliseconds / 1000
    while found > enough and milliseconds < whole:
        limit *= STEP
        milliseconds, found = run(instance, repeat, time_limit=limit)
    return milliseconds if found <= enough else whole


def run(instance: Instance, repeat: int, **options) -> tuple[float, float]:
    """Milliseconds of processor time of the fastest of some searches, and its objective."""
    return min(timed_search(instance, options) for _ in range(repeat))


def timed_search(instance: Instance, options: dict) -> tuple[float, float]:
    start = time.thread_time()
    labels = solve_multicut(*instance.problem, **options)
    return 1000 * (time.thread_time() - start), objective(*instance.problem, labels)
