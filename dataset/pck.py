"""PCK: the share of joints found within a fraction of the person's size (Yang and Ramanan, PAMI 2013).

All sizes are in pixels; people are (N, J, 3) arrays of x, y, flag.
"""

from typing import NamedTuple

import numpy as np

from dataset.extent import joint_extent
from dataset.skeleton import Skeleton

# MPII's crops are scaled so that the head (.6 of the diagonal of its rectangle, the unit of PCKh) has this size.
MPII_HEAD = 50.0


class Errors(NamedTuple):
    """Errors of predictions in units of the person's size: (N, J), NaN where they cannot be measured.

    A joint missing from the prediction has an infinite error.
    """

    values: np.ndarray

    def share(self, threshold: float) -> np.ndarray:
        """(J,) share within `threshold`, NaN for joints that nobody has."""
        count = self.counts
        hits = (self.values <= threshold).sum(axis=0)
        return np.where(count > 0, hits / np.maximum(count, 1), np.nan)

    @property
    def counts(self) -> np.ndarray:
        """(J,) how many joints of each kind count."""
        return (~np.isnan(self.values)).sum(axis=0)

    def total(self, threshold: float) -> float:
        """Share within `threshold` over all joints together, NaN if there are none."""
        return float((self.values <= threshold).sum() / self.counts.sum()) if self.counts.any() else float("nan")


def relative_errors(true: np.ndarray, predicted: np.ndarray, size: np.ndarray) -> Errors:
    """Distances in units of `size` (N,); people whose size is NaN or 0 do not count.

    A predicted flag (or confidence) of 0 means that the joint is missing.
    """
    distance = np.linalg.norm(true[..., :2].astype(float) - predicted[..., :2], axis=2)
    distance[predicted[..., 2] <= 0] = np.inf
    size = np.where(size > 0, size, np.nan)
    return Errors(np.where(true[..., 2] > 0, distance / size[:, None], np.nan))


def segment_size(people: np.ndarray, skeleton: Skeleton, first: str, second: str) -> np.ndarray:
    """(N,) distance of two joints, NaN where one is not labelled or the skeleton lacks it."""
    joints = [skeleton.joint(first), skeleton.joint(second)]
    if None in joints:
        return np.full(len(people), np.nan)
    ends = people[:, joints].astype(float)
    length = np.linalg.norm(ends[:, 0, :2] - ends[:, 1, :2], axis=1)
    return np.where((ends[..., 2] > 0).all(axis=1), length, np.nan)


def torso_size(people: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """(N,) from the left shoulder to the right hip."""
    return segment_size(people, skeleton, "left_shoulder", "right_hip")


def head_size(people: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """(N,) from the neck to the head top; in MPII's crops all heads have the same size."""
    if skeleton.name == "mpii":
        return np.full(len(people), MPII_HEAD)
    return segment_size(people, skeleton, "neck", "head_top")


def extent_size(people: np.ndarray) -> np.ndarray:
    """(N,) longer side of the box around the labelled joints, NaN without any."""
    low, high = joint_extent(people)
    size = (high - low).max(axis=1)
    return np.where(np.isfinite(size), size, np.nan)
