"""The values of COCO's annotations as arrays, and checks of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dataset.extent import joint_extent
from lib.lists_cython import flat_numbers
from util.checks import MAX_COORDINATE

CHUNK = 4096  # annotations processed at a time, to keep intermediate results small
# Valid values of `iscrowd`; True and 1.0 equal 1.
_CROWD = {0: False, 1: True, "0": False, "1": True, None: False}


def flat_keypoints(rows: list) -> tuple[np.ndarray, np.ndarray]:
    """Lengths (n,) of the rows and all their numbers, one row after the other.

    Length -1: no list, or one whose length is no multiple of 3; -2: not all are numbers. Such rows have no numbers.
    """
    lengths = np.array(
        [len(row) if isinstance(row, list | tuple) and len(row) % 3 == 0 else -1 for row in rows], np.int64
    ).reshape(-1)
    good = rows if (lengths >= 0).all() else [row for row, n in zip(rows, lengths.tolist(), strict=True) if n >= 0]
    numbers = flat_numbers(good)
    if numbers is not None:
        return lengths, numbers
    arrays = []
    for i, row in enumerate(rows):
        if lengths[i] > 0:
            array = number_rows([row], lengths[i])[0]
            if np.isnan(array).any():
                lengths[i] = -2
            else:
                arrays.append(array)
    return lengths, np.concatenate([np.zeros(0), *arrays])


def count_labelled(lengths: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """(n,) how many joints each row of keypoints labels."""
    joints = np.maximum(lengths, 0) // 3
    ends = np.cumsum(joints)
    labelled = np.concatenate([[0], np.cumsum(numbers[2::3] > 0)])
    return labelled[ends] - labelled[ends - joints]


def check_keypoints(keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N,) bool: whose coordinates are valid, and whose flags are."""
    in_bounds, good_flags = np.ones(len(keypoints), bool), np.ones(len(keypoints), bool)
    for begin in range(0, len(keypoints), CHUNK):
        part = slice(begin, begin + CHUNK)
        in_bounds[part] = (np.abs(keypoints[part]) < MAX_COORDINATE).all(axis=(1, 2))
        flags = keypoints[part, :, 2]
        good_flags[part] = ((flags == 0) | (flags == 1) | (flags == 2)).all(axis=1)
    return in_bounds, good_flags


def read_crowds(values: list) -> tuple[np.ndarray, np.ndarray]:
    """(n,) bool, and which values are neither yes nor no."""
    try:
        return np.array([_CROWD[value] for value in values], bool), np.zeros(len(values), bool)
    except (KeyError, TypeError):
        odd = [not isinstance(value, int | float | str | None) or value not in _CROWD for value in values]
        return np.array([not o and _CROWD[v] for o, v in zip(odd, values, strict=True)], bool), np.array(odd)


def read_boxes(values: list) -> tuple[np.ndarray, np.ndarray]:
    """(n, 4) x0, y0, x1, y1, NaN without a usable box; and (n,) which are present but have no area."""
    missing = np.array([not value for value in values], bool)
    boxes = number_rows([value or [np.nan] * 4 for value in values], 4)
    with np.errstate(invalid="ignore", over="ignore"):
        boxes[:, 2:] += boxes[:, :2]
        bad = ~((np.abs(boxes) < MAX_COORDINATE).all(axis=1) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1))
    boxes[bad] = np.nan
    return boxes, bad & ~missing


def read_areas(values: list) -> tuple[np.ndarray, np.ndarray]:
    """(n,) NaN without a usable area; and (n,) which are present but no valid numbers above 0."""
    missing = np.array([value is None for value in values], bool)
    area = _column(values)
    bad = ~((area > 0) & (area < MAX_COORDINATE**2))
    area[bad] = np.nan
    return area, bad & ~missing


def miscounted(values: list, num_labelled: np.ndarray) -> np.ndarray:
    """(n,) which values are present but differ from the number of labelled joints."""
    return np.array([value is not None for value in values], bool) & (_column(values) != num_labelled)


def _column(values: list) -> np.ndarray:
    """(n,) float64, NaN for what is no number."""
    return number_rows([[np.nan] if value is None else [value] for value in values], 1)[:, 0]


def number_rows(rows: list, width: int) -> np.ndarray:
    """(n, width) float64; texts that hold numbers are converted, a row that is no list of `width` numbers is NaN."""
    numbers = flat_numbers(rows)
    if numbers is not None and set(map(len, rows)) <= {width}:
        return numbers.reshape(-1, width)
    result = np.full((len(rows), width), np.nan)
    for i, row in enumerate(rows):
        if isinstance(row, list | tuple) and len(row) == width and set(map(type, row)) <= {int, float, str}:
            try:
                result[i] = [float(value) for value in row]
            except (ValueError, OverflowError):
                result[i] = np.nan
    return result


def _as_array(values: Any) -> np.ndarray | None:
    """An array, or None unless all are numbers (not texts, truth values, null or ragged lists)."""
    try:
        array = np.array(values)
    except (ValueError, OverflowError):
        return None
    return array if array.dtype.kind in "iuf" else None


def is_plain_polygons(segmentation: Any) -> bool:
    """Whether it is a list of lists that may be polygons: enough where joints are labelled."""
    if type(segmentation) is not list:
        return type(segmentation) is dict
    for polygon in segmentation:  # noqa: SIM110 - all() takes twice the time
        if type(polygon) is not list or len(polygon) < 6:
            return False
    return True


def read_region(segmentation: Any) -> tuple[Any, bool]:
    """The usable part of a segmentation, polygons as arrays or an RLE (None: nothing); and whether some is not."""
    if isinstance(segmentation, dict):
        return segmentation, False
    polygons = [_polygon(polygon) for polygon in segmentation] if isinstance(segmentation, list) else [None]
    good = [polygon for polygon in polygons if polygon is not None]
    return good or None, len(good) < len(polygons)


def _polygon(values: Any) -> np.ndarray | None:
    if not isinstance(values, list) or len(values) < 6 or len(values) % 2:
        return None
    array = _as_array(values)
    if array is None or array.ndim != 1 or not (np.abs(array) < MAX_COORDINATE).all():
        return None
    return array.astype(np.float64)


def is_rle(mask: dict, size: Sequence[int]) -> bool:
    """Whether run lengths are of an image of this size (height, width)."""
    if mask.get("size") != list(size):
        return False
    counts = mask.get("counts")
    if isinstance(counts, list):
        numbers = _as_array(counts)
        return numbers is not None and numbers.ndim == 1 and (numbers >= 0).all() and numbers.sum() == size[0] * size[1]
    return isinstance(counts, str)


def joint_boxes(keypoints: np.ndarray) -> np.ndarray:
    """(n, 4) x0, y0, x1, y1 around the labelled joints of keypoints (n, J, 3), at least one pixel wide and high.

    Without labelled joints it is a pixel at 0, 0.
    """
    low, high = joint_extent(keypoints)
    low[np.isinf(low)] = high[np.isinf(high)] = 0
    return np.concatenate([low, np.maximum(high, low + 1)], axis=1)


def region_box(region: Any) -> np.ndarray:
    """x0, y0, x1, y1 of polygons or run lengths."""
    if isinstance(region, dict):
        from pycocotools import mask

        height, width = region["size"]
        whole = region if isinstance(region["counts"], str) else mask.frPyObjects(region, height, width)
        x, y, width, height = mask.toBbox(whole)
        return np.array([x, y, x + width, y + height])
    points = np.concatenate(region).reshape(-1, 2)
    return np.concatenate([points.min(axis=0), points.max(axis=0)])
