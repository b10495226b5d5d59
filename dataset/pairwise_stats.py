"""Mean and standard deviation of the offset between every two joints of a data set's people."""

from typing import NamedTuple

import numpy as np

from dataset.pose_dataset import PoseDataset
from util.maps import pair_index
from util.pairwise_stats import joint_pairs

# Fewer people say nothing about a spread.
MIN_COUNT = 2
# px; a pair that never varies would be divided by zero.
MIN_STD = 1.0


class Offsets(NamedTuple):
    """Offsets from joint a to joint b in pixels at scale 1, rows in the order of `util.maps.pair_index`.

    means, std_devs: (J(J-1), 2) x, y; counts: (J(J-1),) people that have both joints
    """

    means: np.ndarray
    std_devs: np.ndarray
    counts: np.ndarray


def compute(dataset: PoseDataset) -> Offsets:
    """The statistics of a data set's people.

    A pair seen fewer than twice borrows from its mirror image (with x negated), or else gets mean 0, deviation 1.
    """
    people = dataset.table.people.astype(np.float64)
    pairs = joint_pairs(dataset.num_joints)
    means, stds = np.zeros((len(pairs), 2)), np.zeros((len(pairs), 2))
    counts = np.zeros(len(pairs), int)
    for row, (a, b) in enumerate(pairs):
        both = (people[:, a, 2] > 0) & (people[:, b, 2] > 0)
        counts[row] = both.sum()
        if counts[row] >= MIN_COUNT:
            offsets = people[both, b, :2] - people[both, a, :2]
            means[row], stds[row] = offsets.mean(axis=0), offsets.std(axis=0)
    rare = np.flatnonzero(counts < MIN_COUNT)
    swap = dataset.skeleton.mirror_map
    mirrored = pair_index(swap[pairs[rare, 0]], swap[pairs[rare, 1]], dataset.num_joints)
    means[rare], stds[rare] = means[mirrored] * (-1, 1), stds[mirrored]
    return Offsets(means, np.maximum(stds, MIN_STD), counts)
