"""The geometry of maps, shared by network and grouping."""

import numpy as np
import pytest

from util.maps import Maps, cell_centers, check_maps, map_size, pair_index


@pytest.mark.parametrize("height, width, rows, cols", [(1, 1, 2, 2), (16, 17, 2, 4), (480, 640, 60, 80)])
def test_maps_have_whole_cells_of_16_pixels(height, width, rows, cols):
    assert map_size(height, width, 8) == (rows, cols)


def test_cell_centers_turn_row_col_into_x_y():
    np.testing.assert_array_equal(cell_centers(np.array([[0, 0], [2, 5]]), 8), [[4, 4], [44, 20]])


def test_pair_index_counts_ordered_pairs():
    pairs = [(a, b) for a in range(5) for b in range(5) if a != b]
    assert [pair_index(a, b, 5) for a, b in pairs] == list(range(20))
    a, b = np.array(pairs).T
    np.testing.assert_array_equal(pair_index(a, b, 5), np.arange(20))


@pytest.mark.parametrize("changed, message", [
    ({"part_prob": np.zeros((4, 6, 10))}, r"part_prob: expected \(4, 6, 5\) for 5 joints, found \(4, 6, 10\)"),
    ({"locref": np.zeros((2, 6, 5, 2))}, r"locref: expected \(4, 6, 5, 2\) for 5 joints, found \(2, 6, 5, 2\)"),
    ({"pairwise": np.zeros((4, 6, 10, 2))}, r"pairwise: expected \(4, 6, 20, 2\) for 5 joints"),
])  # fmt: skip
def test_maps_of_unequal_sizes_or_other_joints_are_refused(changed, message):
    maps = Maps(np.zeros((4, 6, 5)), 8, np.zeros((4, 6, 5, 2)), np.zeros((4, 6, 20, 2)))
    check_maps(maps, 5)
    check_maps(maps._replace(locref=None, pairwise=lambda cells: None), 5)
    with pytest.raises(ValueError, match=message):
        check_maps(maps._replace(**changed), 5)
