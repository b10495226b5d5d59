"""Compiled edges and costs against those of numpy; wrong arrays are refused."""

import numpy as np
import pytest

from lib.pairwise_cython import pair_costs
from multiperson.detections import Nodes
from multiperson.pairwise_model import pair_edges, pair_features

SCALARS = {"same_bias": 7.5, "same_slope": -0.2, "limit": 16.0}


def random_case(seed, counts, density=0.6, integers=False):
    """Arguments of `pair_costs`, and the pairs of parts; small integers make many zero offsets and right angles."""
    rng = np.random.default_rng(seed)
    parts, number = len(counts), sum(counts)

    def points(*shape):
        return rng.integers(-2, 3, shape).astype(float) if integers else rng.uniform(-60, 60, shape)

    joined = np.triu(rng.random((parts, parts)) < density, 1)
    weights = rng.normal(size=(parts, parts, 9)) * [0.1, 1, 0.1, 1, 2, 1, 2, 1, 1]
    arguments = {
        "offsets": np.cumsum([0, *counts]),
        "coord": points(number, 2),
        "grid": points(number, 2),
        "outgoing": points(number, parts - 1, 2),
        "unit": np.ones(number) if integers else rng.uniform(0.5, 4, number),
        "joined": joined,
        "weights": weights,
    }
    return arguments, [tuple(pair) for pair in np.argwhere(joined)]


def twin(case, pairs):
    counts = np.diff(case["offsets"])
    parts = len(counts)
    part = np.repeat(np.arange(parts), counts)
    nodes = Nodes(part, case["coord"], case["grid"], np.ones(len(part)), case["outgoing"])
    edges = pair_edges(pairs + [(part, part) for part in range(parts)], counts)
    a, b = part[edges].T
    weights = case["weights"][a, b]
    evidence = (weights[:, :-1] * pair_features(nodes, edges, case["unit"]).T).sum(axis=1) + weights[:, -1]
    distance = np.linalg.norm(case["coord"][edges[:, 0]] - case["coord"][edges[:, 1]], axis=1)
    distance /= case["unit"][edges].max(axis=1)
    return edges, np.clip(-np.where(a == b, 7.5 - 0.2 * distance, evidence), -16, 16)


@pytest.mark.parametrize("integers", [False, True])
@pytest.mark.parametrize("counts", [[4, 0, 3, 5], [1, 1], [0, 0, 0], [2, 30, 1, 0, 9], [6, 0]])
def test_edges_and_costs_equal_those_of_numpy(counts, integers):
    for seed in range(5):
        case, pairs = random_case(seed, counts, integers=integers)
        edges, cost = pair_costs(**case, **SCALARS)
        expected_edges, expected_cost = twin(case, pairs)
        np.testing.assert_array_equal(edges, expected_edges)
        np.testing.assert_allclose(cost, expected_cost, rtol=1e-9, atol=1e-9)


def test_without_pairs_only_one_part_has_edges():
    case, _ = random_case(0, [2, 3], density=0)
    edges, _ = pair_costs(**case, **SCALARS)
    assert edges.tolist() == [[0, 1], [2, 3], [2, 4], [3, 4]]


@pytest.mark.parametrize("name, value, message", [
    ("coord", np.zeros((4, 2)), r"coord must have shape \(5, 2\), got \(4, 2\)"),
    ("grid", np.zeros(10), "grid must have shape"),
    ("outgoing", np.zeros((5, 2, 2)), r"outgoing must have shape \(5, 1, 2\)"),
    ("unit", np.ones(4), r"unit must have shape \(5,\)"),
    ("unit", np.zeros(5), "unit must be above 0"),
    ("unit", np.full(5, np.inf), "unit must be finite"),
    ("joined", np.zeros((3, 3)), "joined must have shape"),
    ("weights", np.zeros((2, 2, 8)), r"weights must have shape \(2, 2, 9\)"),
    ("offsets", [0, 4, 3], "offsets must start with 0"),
    ("offsets", [1, 2, 5], "offsets must start with 0"),
    ("offsets", [0], "offsets must start with 0"),
    ("offsets", [0, 2.5, 5], "offsets must hold integers"),
    ("offsets", np.array([0, 2, 2**63], np.uint64), "offsets must be from"),
    ("coord", np.full((5, 2), np.nan), "coord must be finite"),
    ("grid", np.full((5, 2), np.inf), "grid must be finite"),
    ("outgoing", np.full((5, 1, 2), np.nan), "outgoing must be finite"),
    ("weights", np.full((2, 2, 9), np.nan), "weights must be finite"),
    ("coord", [["1", "2"]] * 5, "coord must hold real numbers"),
])  # fmt: skip
def test_wrong_arrays_are_refused(name, value, message):
    case, _ = random_case(0, [2, 3])
    with pytest.raises(ValueError, match=message):
        pair_costs(**{**case, name: value}, **SCALARS)
