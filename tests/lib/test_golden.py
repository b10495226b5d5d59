"""Compiled code against the outputs of the original."""

from pathlib import Path

import numpy as np
import pytest

from lib.multicut_cython import objective, solve_multicut
from lib.nms_cython import nms_grid, nms_parts

GOLDEN = Path(__file__).parents[1] / "golden"


def cases(*files):
    """(name, arrays) of the cases stored in golden files as "name/array"."""
    for file in files:
        with np.load(GOLDEN / file) as archive:
            for name in sorted({key.split("/")[0] for key in archive.files}):
                yield pytest.param(
                    {key.split("/")[1]: archive[key] for key in archive.files if key.startswith(name + "/")}, id=name
                )


@pytest.mark.parametrize("case", cases("nms.npz"))
def test_nms_keeps_the_same_cells_in_the_same_order(case):
    kept = nms_grid(case["score"], case["grid"], float(case["threshold"]))
    np.testing.assert_array_equal(kept, case["index"])
    offsets, cells = nms_parts(np.dstack([case["score"]] * 2), float(case["radius"]), float(case["threshold"]))
    expected = np.column_stack(np.unravel_index(case["index"], case["score"].shape))
    for part in range(2):
        np.testing.assert_array_equal(cells[offsets[part] : offsets[part + 1]], expected)


@pytest.mark.parametrize("case", cases("multicut_small.npz", "multicut_large.npz"))
def test_multicut_is_never_above_the_reference(case):
    problem = case["unary"].astype(float), case["edges"].astype(int), case["cost"].astype(float)
    labels = solve_multicut(*problem)
    unary, edges, cost = problem
    inside = (labels[edges[:, 0]] == labels[edges[:, 1]]) & (labels[edges[:, 0]] >= 0)
    ours = unary[labels >= 0].sum() + cost[inside].sum()
    assert ours == pytest.approx(objective(*problem, labels))
    assert ours <= float(case["objective"]) + 1e-6 * max(1.0, abs(float(case["objective"])))
