"""How often the fast multicut solver finds the optimum proven by the integer program, and by how much it misses."""

import argparse
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from lib.multicut_cython import objective, solve_multicut
from lib.multicut_cython.exact import solve_exact
from lib.multicut_cython.samples import make_graph
from tools.benchmarks.tables import Table

TIME_LIMIT = 60.0  # seconds for a proof
TOLERANCE = 1e-6  # relative to the objective, of both solvers


class Result(NamedTuple):
    """One graph: its kind, whether its optimum is proven, how far the fast solver is above the bound (relative)."""

    kind: str
    proven: bool
    gap: float


def add(commands) -> None:
    command = commands.add_parser("exactness", help="fast multicut against proven optima")
    command.add_argument("--graphs", type=int, default=300, help="how many, a third of them random (300)")
    command.set_defaults(function=exactness)


def exactness(args: argparse.Namespace) -> list[Table]:
    results = [compare(seed) for seed in tqdm(range(args.graphs), unit="graph", disable=None)]
    rows = []
    for kind in ("people", "random"):
        gaps = np.array([result.gap for result in results if result.kind == kind and result.proven])
        without = sum(result.kind == kind and not result.proven for result in results)
        optimal = np.count_nonzero(gaps == 0)
        rows.append([kind, len(gaps), optimal, f"{100 * optimal / max(1, len(gaps)):.2f} %",
                     f"{100 * gaps.max(initial=0):.2f} %", without])  # fmt: skip
    return [
        Table(
            "Fast multicut against proven optima",
            ["graphs", "proven", "optimal", "share", "largest gap", "without proof"],
            rows,
        )
    ]


def compare(seed: int) -> Result:
    """Solve graph number `seed` both ways."""
    kind, problem = make_graph(seed)
    labels, bound = solve_exact(*problem, time_limit=TIME_LIMIT)
    slack = TOLERANCE * max(1.0, abs(bound))
    above = objective(*problem, solve_multicut(*problem)) - bound
    return Result(kind, objective(*problem, labels) <= bound + slack, above / abs(bound) if above > slack else 0.0)
