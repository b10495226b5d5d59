"""The solvers on the same graphs."""

import numpy as np
import pytest

from config import make_config
from multiperson.grouping import Graph, group


def graph_of(unary, edges, cost, part):
    number = len(unary)
    return Graph(
        np.array(unary, float),
        np.array(edges, int).reshape(-1, 2),
        np.array(cost, float),
        np.array(part),
        np.ones(number),
        np.zeros((number, 2)),
    )


@pytest.fixture
def contradiction():
    """Two heads 0 and 3, a neck 1, a hip 2. The surest pair is head 3 and the neck, but head 0 fits both others."""
    edges, cost = [[1, 3], [0, 1], [0, 2], [1, 2], [2, 3], [0, 3]], [-3, -2.8, -2.8, -2.5, 5, 9]
    return graph_of([-1] * 4, edges, cost, [0, 1, 2, 0])


def test_fast_and_exact_find_the_optimum_and_greedy_does_not(contradiction):
    labels = {solver: group(make_config(solver=solver), contradiction) for solver in ("fast", "exact", "greedy")}
    assert labels["fast"].tolist() == labels["exact"].tolist() == [0, 0, 0, 1]
    assert labels["greedy"].tolist() == [0, 1, 0, 1]
    assert all(found.dtype == np.int32 for found in labels.values())


def test_greedy_joins_the_surest_pair_first_and_no_part_twice():
    # The head's surest neck is 1; neck 0 stays alone, although its edge is negative, too.
    graph = graph_of([-1] * 3, [[0, 2], [1, 2]], [-2, -3], [0, 0, 1])
    assert group(make_config(solver="greedy"), graph).tolist() == [0, 1, 1]
    assert group(make_config(solver="fast"), graph).tolist() == [0, 0, 0]  # nothing forbids it


def test_a_time_limit_still_gives_labels(contradiction):
    for solver in ("fast", "exact"):
        assert group(make_config(solver=solver, solver_seconds=1e-9), contradiction).shape == (4,)


def test_an_empty_graph_has_no_labels():
    nothing = graph_of([], [], [], np.zeros(0, int))
    for solver in ("fast", "exact", "greedy"):
        assert group(make_config(solver=solver), nothing).shape == (0,)
