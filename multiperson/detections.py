"""From maps to detections: the peaks of every part's score map, refined, with the offsets predicted there."""

from typing import NamedTuple

import numpy as np
from easydict import EasyDict

from lib.nms_cython import nms_parts
from util.errors import InputError
from util.maps import Maps, cell_centers

# Pixels. Before training, all offsets may be 0.
MIN_REACH = 4.0


class Detections(NamedTuple):
    """Candidates of every part: lists over the J parts, float64, x then y, in pixels of the network's input.

    coord: (n, 2) refined positions
    coord_grid: (n, 2) centres of the cells they come from
    conf: (n, 1) part probabilities, decreasing
    pairwise: (n, J(J-1), 2) offsets predicted at the cell; None if the network predicts none
    """

    coord: list[np.ndarray]
    coord_grid: list[np.ndarray]
    conf: list[np.ndarray]
    pairwise: list[np.ndarray] | None


class Nodes(NamedTuple):
    """The same detections one after the other, part by part: the N nodes of the graph.

    part (N,) int; coord, grid (N, 2); conf (N,); outgoing (N, J-1, 2) offsets to the other parts, in order
    """

    part: np.ndarray
    coord: np.ndarray
    grid: np.ndarray
    conf: np.ndarray
    outgoing: np.ndarray

    def reach(self) -> np.ndarray:
        """(N,) px: the mean distance at which a detection expects the other parts, a measure of its person's size."""
        others = max(self.outgoing.shape[1], 1)
        return np.maximum(np.hypot(*np.moveaxis(self.outgoing, 2, 0)).sum(axis=1) / others, MIN_REACH)

    def expected_joints(self) -> np.ndarray:
        """(N, J, 2) px: where each detection expects the joints of its person; its own joint is where it is itself."""
        others = self.outgoing.shape[1]
        own = np.arange(others + 1) == self.part[:, None]
        expected = np.empty((len(self.part), others + 1, 2))
        expected[own] = self.coord
        expected[~own] = (self.grid[:, None] + self.outgoing).reshape(-1, 2)
        return expected


def extract_detections(cfg: EasyDict, maps: Maps) -> Detections:
    """The cells that reach `cfg.det_min_score` and have no better one within `cfg.nms_radius`."""
    offsets, cells = nms_parts(maps.part_prob, cfg.nms_radius, cfg.det_min_score)
    rows, cols = cells[:, 0], cells[:, 1]
    part = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))

    grid = cell_centers(cells, maps.stride)
    coord = grid if maps.locref is None else grid + maps.locref[rows, cols, part]
    conf = maps.part_prob[rows, cols, part][:, None].astype(np.float64)
    pairwise = None
    if maps.pairwise is not None:
        pairwise = _by_part(np.asarray(maps.pairwise_at(cells), np.float64), offsets)
    return Detections(_by_part(coord, offsets), _by_part(grid, offsets), _by_part(conf, offsets), pairwise)


def _by_part(values: np.ndarray, offsets: np.ndarray) -> list[np.ndarray]:
    bounds = offsets.tolist()
    return [values[start:end] for start, end in zip(bounds[:-1], bounds[1:], strict=True)]


def flatten(detections: Detections) -> Nodes:
    """The detections of all parts in one sequence. Raises InputError if they have no pairwise offsets."""
    if detections.pairwise is None:
        raise InputError(
            "this network predicts no pairwise offsets, so it cannot tell people apart: "
            "train it with pairwise_predict: true"
        )
    others = len(detections.conf) - 1
    # Of the pairwise channels, a detection of part a needs those from a to the other parts: one block.
    blocks = [offsets[:, part * others : (part + 1) * others] for part, offsets in enumerate(detections.pairwise)]
    return Nodes(
        part=np.repeat(np.arange(len(detections.conf)), [len(conf) for conf in detections.conf]),
        coord=np.concatenate(detections.coord),
        grid=np.concatenate(detections.coord_grid),
        conf=np.concatenate(detections.conf)[:, 0],
        outgoing=np.concatenate(blocks),
    )
