"""The values of COCO's files as arrays, odd ones told apart."""

import numpy as np
import pytest

from dataset.coco_values import (
    count_labelled,
    flat_keypoints,
    is_rle,
    joint_boxes,
    number_rows,
    read_areas,
    read_boxes,
    read_crowds,
    read_region,
    region_box,
)


def test_keypoints_of_any_length_become_one_array():
    rows = [[1, 2, 2], (), [4.5, 5, 0, 7, 8, 1], "abc", [1, 2], [1, None, 2], ["9", 8, 2]]
    lengths, values = flat_keypoints(rows)
    assert lengths.tolist() == [3, 0, 6, -1, -1, -2, 3]
    assert values.tolist() == [1, 2, 2, 4.5, 5, 0, 7, 8, 1, 9, 8, 2]
    assert count_labelled(lengths, values).tolist() == [1, 0, 1, 0, 0, 0, 1]
    lengths, values = flat_keypoints([[1, 2, 2], [3, 4, 0]])
    assert (lengths.tolist(), values.tolist()) == ([3, 3], [1, 2, 2, 3, 4, 0])
    assert [part.size for part in flat_keypoints([])] == [0, 0]


def test_rows_that_are_no_numbers_are_nan():
    rows = [[1, 2], ["3", "4.5"], [1], [True, 2], None, [10**400, 1], [1, float("inf")]]
    expected = [[1, 2], [3, 4.5], *[[np.nan] * 2] * 4, [1, np.inf]]
    np.testing.assert_array_equal(number_rows(rows, 2), expected)


def test_odd_crowds_boxes_and_areas_are_told():
    crowd, odd = read_crowds([0, 1, None, "0", "1", False, True, "no", 2, [0]])
    assert crowd.tolist() == [False, True, False, False, True, False, True, False, False, False]
    assert odd.tolist() == [False] * 7 + [True] * 3
    boxes, odd = read_boxes([[1, 2, 3, 4], None, [], [1, 2, 0, 4], [1, 2, 3], [1e9, 0, 1, 1]])
    assert boxes[0].tolist() == [1, 2, 4, 6] and np.isnan(boxes[1:]).all()
    assert odd.tolist() == [False] * 3 + [True] * 3
    area, odd = read_areas([7, "8", None, 0, -1, "x"])
    np.testing.assert_array_equal(area, [7, 8, *[np.nan] * 4])
    assert odd.tolist() == [False] * 3 + [True] * 3


def test_regions_keep_their_usable_shapes():
    square = [1, 2, 5, 2, 5, 9, 1, 9]
    region, odd = read_region([square, [1, 2], [1, 2, 3, 4, 5, 1e9]])
    assert [polygon.tolist() for polygon in region] == [square] and odd
    assert region_box(region).tolist() == [1, 2, 5, 9]
    assert read_region("x") == (None, True)
    mask = {"size": [3, 4], "counts": [3, 2, 7]}  # columns of three: two pixels at the top of the second one
    assert read_region(mask) == (mask, False) and is_rle(mask, (3, 4))
    assert region_box(mask).tolist() == [1, 0, 2, 2]


@pytest.mark.parametrize("mask", [
    {"size": [4, 3], "counts": [3, 2, 7]},
    {"size": [3, 4], "counts": [3, 2, 6]},
    {"size": [3, 4], "counts": [-1, 13]},
    {"size": [3, 4]},
    {"size": [3, 4], "counts": ["x"]},
    {},
])  # fmt: skip
def test_masks_of_other_images_are_told(mask):
    assert not is_rle(mask, (3, 4))


def test_boxes_of_joints_are_at_least_a_pixel_wide():
    keypoints = np.array([[[3, 4, 2], [9, 9, 0]], [[3, 4, 2], [1, 9, 1]], [[3, 4, 0], [1, 9, 0]]])
    assert joint_boxes(keypoints).tolist() == [[3, 4, 4, 5], [1, 4, 3, 9], [0, 0, 1, 1]]
