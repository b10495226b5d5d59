"""From maps to detections: the peaks of every part's score map, refined, with the offsets predicted there."""

from typing import NamedTuple

import numpy as np
from easydict import EasyDict

from lib.nms_cython import nms_parts
from util.maps import Maps, cell_centers


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


def extract_detections(cfg: EasyDict, maps: Maps) -> Detections:
    """The cells that reach `cfg.det_min_score` and are no neighbours (`cfg.nms_radius`) of a better one."""
    offsets, cells = nms_parts(maps.part_prob, cfg.nms_radius, cfg.det_min_score)
    rows, cols = cells[:, 0], cells[:, 1]
    part = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))

    grid = cell_centers(cells, cfg.stride)
    coord = grid if maps.locref is None else grid + maps.locref[rows, cols, part]
    conf = maps.part_prob[rows, cols, part][:, None].astype(np.float64)
    pairwise = None
    if maps.pairwise is not None:
        pairwise = maps.pairwise(cells) if callable(maps.pairwise) else maps.pairwise[rows, cols]
        pairwise = _by_part(np.asarray(pairwise, np.float64), offsets)
    return Detections(_by_part(coord, offsets), _by_part(grid, offsets), _by_part(conf, offsets), pairwise)


def _by_part(values: np.ndarray, offsets: np.ndarray) -> list[np.ndarray]:
    bounds = offsets.tolist()
    return [values[start:end] for start, end in zip(bounds[:-1], bounds[1:], strict=True)]
