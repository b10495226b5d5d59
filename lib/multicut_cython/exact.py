"""The optimum of a grouping problem, with proof: an integer program with lazily added constraints.

Variables: y(e) = 1 if the ends of edge e are in one cluster, x(v) = 1 if node v is selected. Minimise
sum unary(v) x(v) + sum cost(e) y(e). Nodes with a cost of at most 0 may be taken as selected: alone they cost nothing.
Negative edges need selected ends, y(vw) <= x(v), and what negative edges connect is one cluster: for every positive
edge f and every path P of negative edges between its ends

    sum over P of y(e)  -  sum over the inner nodes of P of x(v)  <=  y(f).

There are too many of these, so violated ones are added as they are found, by shortest paths with lengths 1 - y:
first to the linear relaxation, whose value is a lower bound and often the optimum, then to the integer program.
(Chopra and Rao, "The Partition Problem", 1993; Kappes et al., "Globally Optimal Image Partitioning by Multicuts",
2011.)
"""

import time
from dataclasses import dataclass, field

import numpy as np

from lib.multicut_cython._multicut import objective, solve_multicut

TOLERANCE = 1e-6


def solve_exact(unary, edges, cost, *, time_limit=None):
    """The best solution of a grouping problem, and a bound that proves how good it is.

    The arguments are those of solve_multicut. Meant for up to some hundred nodes: the time is exponential in the worst
    case, and time_limit (seconds) ends it early.

    Returns labels as solve_multicut does, and bound, below which no solution can be. If objective(labels) exceeds
    it by no more than rounding, the labels are optimal.
    """
    deadline = time.monotonic() + (np.inf if time_limit is None else time_limit)
    labels = solve_multicut(unary, edges, cost, effort=4, time_limit=time_limit)
    unary, cost = np.asarray(unary, np.float64), np.asarray(cost, np.float64)
    edges = np.asarray(edges, np.int64).reshape(-1, 2)
    bound = 0.0
    for nodes, inner, inner_cost in components(unary, edges, cost):
        program = Program(unary[nodes], inner, inner_cost)
        start = labels[nodes]
        known = objective(unary[nodes], inner, inner_cost, start)
        part, part_bound = program.solve(known, deadline)
        bound += part_bound
        if part is not None:
            labels[nodes] = np.where(part < 0, -1, part + labels.max(initial=-1) + 1)
    return by_first_appearance(labels), bound


def by_first_appearance(labels):
    """The same clusters, numbered as solve_multicut does."""
    result, selected = np.full(len(labels), -1, np.int32), labels >= 0
    _, first, number = np.unique(labels[selected], return_index=True, return_inverse=True)
    result[selected] = np.argsort(np.argsort(first))[number]
    return result


def components(unary, edges, cost):
    """Independent problems: nodes, edges between their positions, costs (components.hpp has the proofs)."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    size = len(unary)
    edges, cost = merge_parallel(edges, cost, size)
    useful = np.ones(size, bool)
    while True:
        negative = (cost < 0) & useful[edges].all(1)
        lowest = unary + np.bincount(edges[negative].ravel(), np.repeat(cost[negative], 2), size)
        if (useful <= (lowest < 0)).all():
            break
        useful &= lowest < 0
    a, b = edges[negative].T
    _, number = connected_components(coo_matrix((np.ones(len(a)), (a, b)), (size, size)), directed=False)
    position = np.zeros(size, int)
    for k in np.unique(number[useful]):
        nodes = np.flatnonzero(useful & (number == k))
        position[nodes] = np.arange(len(nodes))
        inner = useful[edges].all(1) & (number[edges] == k).all(1)
        yield nodes, position[edges[inner]], cost[inner]


def merge_parallel(edges, cost, size):
    """Each pair of nodes once with the sum of its costs, smaller node first; no pair of a node with itself."""
    low, high = edges.min(1, initial=size), edges.max(1, initial=0)
    keys, index = np.unique((low * size + high)[low != high], return_inverse=True)
    return np.stack([keys // max(size, 1), keys % max(size, 1)], 1), np.bincount(index, cost[low != high], len(keys))


@dataclass
class Rows:
    """Constraints sum coefficient * variable <= 0, collected as triplets."""

    count: int = 0
    row: list = field(default_factory=list)
    column: list = field(default_factory=list)
    value: list = field(default_factory=list)

    def add(self, columns, values):
        self.row += [self.count] * len(columns)
        self.column += columns
        self.value += values
        self.count += 1


class Program:
    """The integer program of one component. Variables: all nodes, then all edges."""

    def __init__(self, unary, edges, cost):
        self.size, self.edges, self.cost = len(unary), edges, cost
        self.gain = np.concatenate([unary, cost])
        self.negative = np.flatnonzero(cost < 0)
        self.positive = np.flatnonzero(cost > 0)
        self.edge_at = {tuple(edge): i for i, edge in enumerate(edges.tolist())}
        self.lower = np.concatenate([unary <= 0, np.zeros(len(cost))]).astype(float)
        self.rows = Rows()
        for e in self.negative:
            for v in edges[e]:
                if self.lower[v] == 0:
                    self.rows.add([self.size + e, v], [1, -1])

    def solve(self, known, deadline):
        """Labels better than a known solution, or None, and a lower bound."""
        bound = np.minimum(self.gain, 0).sum()
        for integral in (False, True):
            violated = True
            while violated:
                if time.monotonic() > deadline:
                    return None, bound
                values, value = self.minimise(integral, deadline)
                bound = max(bound, value)
                if bound >= known - TOLERANCE * max(1, abs(known)):
                    return None, min(bound, known)
                if values is None:
                    return None, bound
                violated = self.separate(values)
        return self.labels(values), bound

    def minimise(self, integral, deadline):
        """Values of the variables under the constraints so far, or None, and a lower bound."""
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import coo_matrix

        rows = self.rows
        shape = (rows.count, len(self.gain))
        matrix = coo_matrix((rows.value, (rows.row, rows.column)), shape).tocsr()
        result = milp(
            self.gain,
            integrality=np.full(len(self.gain), int(integral)),
            bounds=Bounds(self.lower, 1),
            constraints=LinearConstraint(matrix, -np.inf, 0) if rows.count else None,
            options={"time_limit": min(max(deadline - time.monotonic(), 0.1), 1e6), "mip_rel_gap": 0},
        )
        bound = result.fun if result.status == 0 else result.mip_dual_bound
        return result.x if result.status == 0 else None, -np.inf if bound is None else bound

    def separate(self, values):
        """Adds violated path constraints; False if there are none."""
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import dijkstra

        y = values[self.size :]
        a, b = self.edges[self.negative].T
        # A length of 0 would mean no edge.
        length = coo_matrix((np.maximum(1 - y[self.negative], 0) + 1e-9, (a, b)), (self.size, self.size)).tocsr()
        distance, before = dijkstra(length, directed=False, return_predecessors=True, limit=1)
        count = self.rows.count
        for f in self.positive:
            s, t = self.edges[f]
            if distance[s, t] >= 1 - y[f]:
                continue
            path = [t]
            while path[-1] != s:
                path.append(before[s, path[-1]])
            self.add_path(path, f, values)
        return self.rows.count > count

    def add_path(self, path, f, values):
        """The constraint of a path between the ends of the positive edge f, if the values violate it."""
        steps = [self.edge_at[min(p), max(p)] for p in zip(path, path[1:], strict=False)]
        columns = [self.size + e for e in steps] + path[1:-1] + [self.size + f]
        factors = [1] * len(steps) + [-1] * len(path[1:-1]) + [-1]
        if np.dot(factors, values[columns]) > TOLERANCE:
            self.rows.add(columns, factors)

    def labels(self, values):
        """Clusters of an integral solution: what chosen negative edges connect."""
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        chosen = self.negative[values[self.size + self.negative] > 0.5]
        a, b = self.edges[chosen].T
        _, number = connected_components(coo_matrix((np.ones(len(a)), (a, b)), (self.size, self.size)), directed=False)
        return np.where(values[: self.size] > 0.5, number, -1)
