"""The maps that a network might predict for annotated people, perfect or with chosen errors.

They show what decoding loses on its own, and test it without a network.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from dataset.extent import joint_extent
from util.maps import Maps, cell_centers, joint_pairs, map_size

# Standard deviation of a peak in the score maps, pixels: similar to the disc of positive cells (pos_dist_thresh 17).
PEAK_STDEV = 8.0
FALSE_CONFIDENCE = 0.2, 0.6


class Noise(NamedTuple):
    """Errors of a simulated network; lengths are fractions of a person's size (diagonal of its joints' extent).

    position: standard deviation of a joint's position (x and y)
    offset: of the offset to each other joint, on top
    misses: share of the joints without a peak
    false_peaks: mean number of wrong peaks per part and image
    doubt: a true peak's confidence is uniform in [1 - doubt, 1]
    """

    position: float = 0.0
    offset: float = 0.0
    misses: float = 0.0
    false_peaks: float = 0.0
    doubt: float = 0.0


NOISE_LEVELS = {
    "none": Noise(),
    "low": Noise(position=0.003, offset=0.03, misses=0.03, false_peaks=0.2, doubt=0.3),
    "medium": Noise(position=0.006, offset=0.06, misses=0.06, false_peaks=0.5, doubt=0.5),
    "high": Noise(position=0.01, offset=0.12, misses=0.12, false_peaks=1.0, doubt=0.7),
}


class _Peaks(NamedTuple):
    """Q peaks of the score maps: part (Q,), xy (Q, 2), confidence (Q,), where they expect all joints (Q, J, 2)."""

    part: np.ndarray
    xy: np.ndarray
    confidence: np.ndarray
    expected: np.ndarray


def simulate_maps(
    people: np.ndarray, height: int, width: int, stride: int, noise: Noise = NOISE_LEVELS["none"], seed: int = 0
) -> Maps:
    """Maps of an image of `people` (P, J, 3: x, y, flag > 0 where labelled); pairwise is lazy."""
    people = np.asarray(people, np.float64)
    peaks = _peaks(people, height, width, noise, np.random.default_rng(seed))
    num_joints = people.shape[1]
    rows, cols = map_size(height, width, stride)
    centers = cell_centers(np.stack(np.mgrid[:rows, :cols], axis=-1), stride)
    part_prob = np.zeros((rows, cols, num_joints), np.float32)
    locref = np.zeros((rows, cols, num_joints, 2), np.float32)
    owner = np.full((rows, cols, num_joints), -1)
    for part in range(num_joints):
        candidates = np.flatnonzero(peaks.part == part)
        if len(candidates):
            xy = peaks.xy[candidates]
            across, down = _closeness(xy[:, 0] - centers[0, :, :1]), _closeness(xy[:, 1] - centers[:, 0, 1:])
            response = down[:, None] * across * peaks.confidence[candidates]
            best = response.argmax(axis=2)
            part_prob[..., part] = np.take_along_axis(response, best[..., None], 2)[..., 0]
            locref[..., part, :] = xy[best] - centers
            owner[..., part] = candidates[best]
    return Maps(part_prob, stride, locref, _pairwise_function(peaks, owner, stride))


def _closeness(distance):
    return np.exp(-(distance**2) / (2 * PEAK_STDEV**2))


def _pairwise_function(peaks: _Peaks, owner: np.ndarray, stride: int) -> Callable[[np.ndarray], np.ndarray]:
    num_joints = owner.shape[2]
    a, b = joint_pairs(num_joints).T
    # The offsets of a part without any peak (owner -1) are meaningless.
    expected = np.concatenate([peaks.expected, np.zeros((1, num_joints, 2))])

    def pairwise(cells: np.ndarray) -> np.ndarray:
        rows, cols = np.asarray(cells).T
        return expected[owner[rows, cols][:, a], b] - cell_centers(cells, stride)[:, None]

    return pairwise


def _peaks(people, height, width, noise, rng):
    people = people[(people[..., 2] > 0).any(axis=1)]
    labelled = people[..., 2] > 0
    low, high = joint_extent(people)
    size = np.linalg.norm(high - low, axis=1)
    poses = _complete(people, labelled)
    owner, part = np.nonzero(labelled & (rng.random(labelled.shape) >= noise.misses))
    true = _Peaks(
        part,
        poses[owner, part] + _normal(rng, noise.position * size[owner], 2),
        1 - noise.doubt * rng.random(len(part)),
        poses[owner] + _normal(rng, noise.offset * size[owner], people.shape[1], 2),
    )
    if not noise.false_peaks or not len(people):
        return true
    false = _false_peaks(poses, height, width, noise, rng)
    return _Peaks(*(np.concatenate(both) for both in zip(true, false, strict=True)))


def _false_peaks(poses, height, width, noise, rng):
    """Peaks anywhere in the image that predict offsets as if one of the people stood there."""
    num_joints = poses.shape[1]
    part = np.repeat(np.arange(num_joints), rng.poisson(noise.false_peaks, num_joints))
    xy = rng.random((len(part), 2)) * [width, height]
    poses = poses[rng.integers(len(poses), size=len(part))]
    shift = xy - poses[np.arange(len(part)), part]
    return _Peaks(part, xy, rng.uniform(*FALSE_CONFIDENCE, len(part)), poses + shift[:, None])


def _complete(people, labelled):
    """Positions (P, J, 2); a joint without label is expected in the middle of its person."""
    weight = labelled[..., None]
    middle = (people[..., :2] * weight).sum(axis=1) / weight.sum(axis=1)
    return np.where(weight, people[..., :2], middle[:, None])


def _normal(rng, stdev, *shape):
    return rng.normal(size=(len(stdev), *shape)) * stdev.reshape(-1, *[1] * len(shape))
