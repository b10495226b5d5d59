"""A trained network that looks for one person, as one callable:

    from config import load_config
    from demo.single_model import build_single_estimator

    estimator = build_single_estimator(load_config("models/demo/pose_cfg.yaml"))
    keypoints = estimator(image).keypoints
"""

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from config import require
from dataset.skeleton import from_config
from demo.model import find_weights
from util.images import Reduction, find_reduction, fitting_scale, scale_image


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
    """Takes the best cell of each part: right where exactly one person is, in the image or in a box of it."""

    def __init__(self, network, cfg):
        """network: what `setup_pose_prediction` returns"""
        self.network, self.cfg = network, cfg

    def __call__(
        self, image: np.ndarray, box: Sequence[float] | None = None, pad: float = 0.1, side: float | None = None
    ) -> SinglePose:
        """The person in uint8 RGB (H, W, 3), or in `box` (x0, y0, x1, y1) of it.

        pad: the box grows by this share of its longer side on each side, as far as the image goes
        side: scale so that the box's longer side has so many pixels in the network; by default `global_scale` holds
        """
        from nnet.predict import argmax_pose_predict

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
        # Width and height are truncated on their own, so each has its own factor.
        factors = [part.shape[1] / scaled.shape[1], part.shape[0] / scaled.shape[0], 1]
        return SinglePose(pose * factors + [cols.start, rows.start, 0], scaled, maps.part_prob, pose,
                          find_reduction(part.shape[:2], scale, limit))  # fmt: skip


def padded_window(box: Sequence[float], margin: float, size: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of `box` (x0, y0, x1, y1), `margin` pixels wider on each side, inside of size = (H, W)."""
    bounds = []
    for low, high, end in zip(box[:2], box[2:], size[::-1], strict=True):
        first = int(np.clip(np.floor(low - margin), 0, end - 1))
        bounds.append(slice(first, max(first + 1, int(min(np.ceil(high + margin), end)))))
    return bounds[1], bounds[0]


def build_single_estimator(cfg, weights: str | os.PathLike | None = None) -> SinglePersonEstimator:
    """The estimator of a configuration; multi-person networks will do. Raises InputError.

    weights: checkpoint; by default the newest snapshot beside the YAML, else its `init_weights`
    """
    require(cfg, "num_joints")
    from_config(cfg)  # its errors must not wait for TensorFlow

    from nnet.predict import setup_pose_prediction

    # The offsets between joints group people: nothing to group here.
    cfg = type(cfg)(cfg, pairwise_predict=False)
    return SinglePersonEstimator(setup_pose_prediction(cfg, weights or find_weights(cfg)), cfg)
