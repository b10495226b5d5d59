"""Mean and standard deviation of the offset between any two joints of a person: computing, reading and writing them."""

import os
from typing import NamedTuple

import numpy as np

from dataset.pose_dataset import PoseDataset
from util.errors import InputError
from util.maps import joint_pairs, pair_index
from util.matfile import read_mat, write_mat
from util.published import fetching_hint

# Fewer people have no spread.
MIN_COUNT = 2
# px; avoids a division by zero for a pair that never varies.
MIN_STD = 1.0


class Offsets(NamedTuple):
    """Offsets from joint a to joint b in pixels at scale 1, rows in the order of `util.maps.pair_index`.

    means, std_devs: (J(J-1), 2) x, y; counts: (J(J-1),) people that have both joints
    """

    means: np.ndarray
    std_devs: np.ndarray
    counts: np.ndarray


class PairwiseStats(NamedTuple):
    """Statistics of the offset (x, y) from joint a to joint b of a person, in pixels at scale 1.

    means, std_devs: (J(J-1), 2) in the order of `util.maps.pair_index`
    channels: (J(J-1),) int, where the network has each pair; None: in that order, too (very old networks have another)
    """

    means: np.ndarray
    std_devs: np.ndarray
    channels: np.ndarray | None = None


def compute_offsets(dataset: PoseDataset) -> Offsets:
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


def load_pairwise_stats(path: str | os.PathLike, num_joints: int, own_order: bool = True) -> PairwiseStats:
    """Read the statistics of all pairs of `num_joints` joints. Raises InputError.

    own_order: whether the network has its pairs in the order of `pair_index`, or in that of the file
    """
    remedy = "make it with tools/pairwise_stats.py"
    content = read_mat(path, "graph", "means", "std_devs", hint=fetching_hint(path) or f"; {remedy}")
    try:
        graph, means, std_devs = (np.asarray(content[key], float) for key in ("graph", "means", "std_devs"))
    except (TypeError, ValueError):
        raise InputError(f"{path}: graph, means and std_devs must be arrays of numbers; {remedy}") from None
    pairs = joint_pairs(num_joints)
    if graph.shape != pairs.shape or means.shape != pairs.shape or std_devs.shape != pairs.shape:
        raise InputError(f"{path}: {len(graph)} pairs; {len(pairs)} are needed for {num_joints} joints; {remedy}")
    graph = graph - (graph.size > 0 and graph.min() == 1)  # older files count joints from 1
    rows = np.lexsort((graph[:, 1], graph[:, 0]))
    if not np.array_equal(graph[rows], pairs):
        raise InputError(f"{path}: graph does not hold every pair of different joints 0 to {num_joints - 1} once")
    if not (np.isfinite(means).all() and np.isfinite(std_devs).all() and (std_devs > 0).all()):
        raise InputError(f"{path}: means and std_devs must be finite, and std_devs positive; {remedy}")
    return PairwiseStats(means[rows], std_devs[rows], None if own_order else rows)


def save_pairwise_stats(path: str | os.PathLike, means: np.ndarray, std_devs: np.ndarray) -> None:
    """Write pairwise_stats.mat: means and deviations in the order of `util.maps.pair_index`."""
    num_joints = round((1 + np.sqrt(1 + 4 * len(means))) / 2)
    content = {"graph": joint_pairs(num_joints).astype(np.int32), "means": means, "std_devs": std_devs}
    write_mat(path, content)
