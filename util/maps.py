"""The maps between network and grouping, and the geometry of their cells.

A cell (row, col) of a map with stride 8 stands for the pixel (x, y) = (8 col + 4, 8 row + 4). That holds for images of
any size, since a network sees whole cells only: `PoseNet` pads images at the right and the bottom. With a
feature pyramid the stride is 4 (`cfg.stride`).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

# Pixels per cell of the maps of a network without a feature pyramid.
STRIDE = 8

# Receives cells (n, 2) int as row, col and returns (n, J(J-1), 2) pixels.
PairwiseFunction = Callable[[np.ndarray], np.ndarray]


class Maps(NamedTuple):
    """The output of a network for one image, in pixels of the network's input.

    part_prob: (rows, cols, J) float32 in [0, 1]
    locref: (rows, cols, J, 2) float32, x then y, from the cell centre to the joint; None without refinement
    pairwise: (rows, cols, J(J-1), 2) float32 offsets between joints, or a function that gives them
        at chosen cells; None for a single-person network
    """

    part_prob: np.ndarray
    locref: np.ndarray | None = None
    pairwise: np.ndarray | PairwiseFunction | None = None


def check_maps(maps: Maps, num_joints: int, names: Sequence[str] = Maps._fields) -> None:
    """Raise ValueError unless the maps have one size and `num_joints` joints; names: of the three in its message."""
    size = np.shape(maps.part_prob)[:2]
    shapes = (*size, num_joints), (*size, num_joints, 2), (*size, num_joints * (num_joints - 1), 2)
    for name, array, shape in zip(names, maps, shapes, strict=True):
        if array is not None and not callable(array) and np.shape(array) != shape:
            raise ValueError(f"{name}: expected {shape} for {num_joints} joints, found {np.shape(array)}")


def map_size(height: int, width: int, stride: int = STRIDE) -> tuple[int, int]:
    """Rows and columns of the maps of an image: a grid of twice the stride, rounded up, doubled by the heads."""
    return 2 * -(-height // (2 * stride)), 2 * -(-width // (2 * stride))


def cell_centers(cells: np.ndarray, stride: int = STRIDE) -> np.ndarray:
    """Pixel (x, y) of each cell (row, col); shape (..., 2) in and out."""
    return np.asarray(cells)[..., ::-1] * stride + stride / 2


def pair_index(a, b, num_joints: int):
    """Channel of the directed joint pair (a, b), a != b: all b for a = 0, then for a = 1, ...; arrays work too."""
    return (num_joints - 1) * a + b - (a < b)


def joint_pairs(num_joints: int) -> np.ndarray:
    """All ordered pairs of different joints, (J(J-1), 2), in the order of `pair_index`."""
    return np.argwhere(~np.eye(num_joints, dtype=bool))
