"""The maps between network and grouping, and the geometry of their cells.

A cell (row, col) of a map with stride s stands for the pixel (x, y) = (s col + s/2, s row + s/2). That holds for images
of any size, since a network sees whole cells only: `PoseNet` pads images at the right and the bottom.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

# Receives cells (n, 2) int as row, col and returns (n, J(J-1), 2) pixels.
PairwiseFunction = Callable[[np.ndarray], np.ndarray]


class Maps(NamedTuple):
    """The output of a network for one image, in pixels of the network's input.

    part_prob: (rows, cols, J) float32 in [0, 1]
    stride: pixels per cell
    locref: (rows, cols, J, 2) float32, x then y, from the cell centre to the joint; None without refinement
    pairwise: (rows, cols, J(J-1), 2) float32 offsets between joints, or a function that gives them
        at chosen cells; None for a single-person network
    """

    part_prob: np.ndarray
    stride: int
    locref: np.ndarray | None = None
    pairwise: np.ndarray | PairwiseFunction | None = None

    def pairwise_at(self, cells: np.ndarray) -> np.ndarray:
        """The offsets between joints at cells (n, 2) row, col: (n, J(J-1), 2)."""
        return self.pairwise(cells) if callable(self.pairwise) else self.pairwise[tuple(np.asarray(cells).T)]


def check_maps(maps: Maps, num_joints: int) -> None:
    """Raise ValueError unless the maps have one size and `num_joints` joints."""
    size = np.shape(maps.part_prob)[:2]
    shapes = {
        "part_prob": (*size, num_joints),
        "locref": (*size, num_joints, 2),
        "pairwise": (*size, num_joints * (num_joints - 1), 2),
    }
    for name, shape in shapes.items():
        array = getattr(maps, name)
        if array is not None and not callable(array) and np.shape(array) != shape:
            raise ValueError(f"{name}: expected {shape} for {num_joints} joints, found {np.shape(array)}")


def argmax_pose_predict(scmap: np.ndarray, offmat: np.ndarray | None, stride: float) -> np.ndarray:
    """Single-person decoding: x, y and score of the best cell of each part, (J, 3).

    scmap: (h, w, J); offmat: (h, w, J, 2) offsets in pixels, or None
    """
    height, width, joints = scmap.shape
    best = scmap.reshape(-1, joints).argmax(axis=0)
    cells = np.stack(np.unravel_index(best, (height, width)), axis=1)
    rows, cols = cells.T
    position = cell_centers(cells, stride)
    if offmat is not None:
        position = position + offmat[rows, cols, np.arange(joints)]
    return np.column_stack([position, scmap[rows, cols, np.arange(joints)]])


def map_size(height: int, width: int, stride: int) -> tuple[int, int]:
    """Rows and columns of the maps of an image: a grid of twice the stride, rounded up, doubled by the heads."""
    return 2 * -(-height // (2 * stride)), 2 * -(-width // (2 * stride))


def cell_centers(cells: np.ndarray, stride: float) -> np.ndarray:
    """Pixel (x, y) of each cell (row, col); shape (..., 2) in and out."""
    return np.asarray(cells)[..., ::-1] * stride + stride / 2


def pair_index(a, b, num_joints: int):
    """Channel of the directed joint pair (a, b), a != b: all b for a = 0, then for a = 1, ...; arrays work too."""
    return (num_joints - 1) * a + b - (a < b)


def joint_pairs(num_joints: int) -> np.ndarray:
    """All ordered pairs of different joints, (J(J-1), 2), in the order of `pair_index`."""
    return np.argwhere(~np.eye(num_joints, dtype=bool))
