"""Which detections form a person: a label for each node of the graph, by the multicut or, for comparison, greedily."""

from typing import NamedTuple

import numpy as np
from easydict import EasyDict

from lib.multicut_cython import solve_multicut
from lib.multicut_cython.exact import solve_exact


class Graph(NamedTuple):
    """The grouping problem: N detections, M edges. Costs are log-odds; negative means keep, or join.

    unary, conf (N,); edges (M, 2) int64; cost (M,); part (N,) int, ascending; coord (N, 2) px
    """

    unary: np.ndarray
    edges: np.ndarray
    cost: np.ndarray
    part: np.ndarray
    conf: np.ndarray
    coord: np.ndarray

    def offsets(self, num_parts: int) -> np.ndarray:
        """(J+1,) the detections of part p are offsets[p]:offsets[p+1]."""
        return np.searchsorted(self.part, np.arange(num_parts + 1))


def group(cfg: EasyDict, graph: Graph) -> np.ndarray:
    """(N,) int32: the person of each detection of a graph, -1 for none.

    cfg.solver: "fast" multicut, "exact" with proof (as far as `solver_seconds` allow), or "greedy"
    """
    seconds = cfg.solver_seconds or None
    if cfg.solver == "greedy":
        return group_greedily(graph)
    if cfg.solver == "exact":
        return solve_exact(graph.unary, graph.edges, graph.cost, time_limit=seconds)[0]
    return solve_multicut(graph.unary, graph.edges, graph.cost, time_limit=seconds)


def group_greedily(graph: Graph) -> np.ndarray:
    """The simple baseline: the most certain pair of parts first, unless a person would get a part twice."""
    a, b = graph.part[graph.edges].T
    useful = np.flatnonzero((graph.cost < 0) & (a != b))
    cluster = np.arange(len(graph.part))
    parts = [{int(part)} for part in graph.part]
    for edge in useful[np.argsort(graph.cost[useful], kind="stable")]:
        first, second = cluster[graph.edges[edge]]
        if first != second and not parts[first] & parts[second]:
            parts[first] |= parts[second]
            cluster[cluster == second] = first
    return np.unique(cluster, return_inverse=True)[1].astype(np.int32)
