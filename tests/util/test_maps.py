"""The geometry that network and grouping share."""

import numpy as np
import pytest

from util.maps import cell_centers, map_size, pair_index


@pytest.mark.parametrize("height, width, rows, cols", [(1, 1, 2, 2), (16, 17, 2, 4), (480, 640, 60, 80)])
def test_map_size(height, width, rows, cols):
    assert map_size(height, width) == (rows, cols)


def test_cell_centers_turn_row_col_into_x_y():
    np.testing.assert_array_equal(cell_centers(np.array([[0, 0], [2, 5]])), [[4, 4], [44, 20]])


def test_pair_index_counts_ordered_pairs():
    pairs = [(a, b) for a in range(5) for b in range(5) if a != b]
    assert [pair_index(a, b, 5) for a, b in pairs] == list(range(20))
    a, b = np.array(pairs).T
    np.testing.assert_array_equal(pair_index(a, b, 5), np.arange(20))
