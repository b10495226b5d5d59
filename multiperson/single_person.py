"""One person in an image, or in a box of it: each joint is at the best cell of its map.

For example:

    from config import load_config
    from nnet.load import build_single_estimator

    estimator = build_single_estimator(load_config("models/demo/pose_cfg.yaml"))
    keypoints = estimator(image).keypoints
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from easydict import EasyDict

from dataset.extent import joint_extent
from dataset.skeleton import from_config
from multiperson.network import Network
from util.images import Reduction, find_reduction, fitting_scale, scale_image
from util.maps import STRIDE, cell_centers


class SinglePose(NamedTuple):
    """One person.

    keypoints: (J, 3) x, y in pixels of the whole image, confidence
    image: what the network saw, uint8; part_prob: (h, w, J) its maps; network_keypoints: (J, 3) in its pixels
    reduction: set if it saw the image, or the box, smaller than asked for, because of `max_input_size`
    """

    keypoints: np.ndarray
    image: np.ndarray
    part_prob: np.ndarray
    network_keypoints: np.ndarray
    reduction: Reduction | None = None


class SinglePersonEstimator:
    """Takes the best cell of each part, for images or boxes that show exactly one person."""

    def __init__(self, network: Network, cfg: EasyDict):
        self.network, self.cfg, self.skeleton = network, cfg, from_config(cfg)

    def __call__(
        self, image: np.ndarray, box: Sequence[float] | None = None, pad: float = 0.1, side: float | None = None
    ) -> SinglePose:
        """The person in uint8 RGB (H, W, 3), or in `box` (x0, y0, x1, y1) of it.

        pad: the box grows by this share of its longer side on each side, within the image
        side: scale the box's longer side to this many pixels for the network; by default `global_scale` applies
        """
        height, width = image.shape[:2]
        box = (0, 0, width, height) if box is None else box
        longer = max(box[2] - box[0], box[3] - box[1], 1)
        rows, cols = padded_window(box, pad * longer, (height, width))
        part = image[rows, cols]
        scale = self.cfg.global_scale if side is None else side / longer
        limit = self.cfg.max_input_size
        scaled = scale_image(part, fitting_scale(part.shape[:2], scale, limit))
        maps = self.network.maps(np.ascontiguousarray(scaled))
        pose = argmax_pose_predict(maps.part_prob, maps.locref, self.cfg.stride)
        # Width and height are truncated separately, so each has its own factor.
        factors = [part.shape[1] / scaled.shape[1], part.shape[0] / scaled.shape[0], 1]
        return SinglePose(
            pose * factors + [cols.start, rows.start, 0],
            scaled,
            maps.part_prob,
            pose,
            find_reduction(part.shape[:2], scale, limit),
        )


def padded_window(box: Sequence[float], margin: float, size: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of `box` (x0, y0, x1, y1), `margin` pixels wider on each side, inside of size = (H, W)."""
    bounds = []
    for low, high, end in zip(box[:2], box[2:], size[::-1], strict=True):
        first = int(np.clip(np.floor(low - margin), 0, end - 1))
        bounds.append(slice(first, max(first + 1, int(min(np.ceil(high + margin), end)))))
    return bounds[1], bounds[0]


def argmax_pose_predict(scmap: np.ndarray, offmat: np.ndarray | None, stride: float = STRIDE) -> np.ndarray:
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


def person_boxes(boxes: np.ndarray | None, people: np.ndarray) -> list:
    """A box (x0, y0, x1, y1) for each of people (P, J, 3): the data set's, or else the one around the joints.

    None (the whole image) for a single person without a box.
    """
    if boxes is not None:
        return boxes.tolist()
    if len(people) <= 1:
        return [None] * len(people)
    return np.hstack(joint_extent(people)).tolist()
