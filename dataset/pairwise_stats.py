"""Mean and standard deviation of the offset between every two joints, in `pairwise_stats.mat`.

Variables of the file: `graph` (J(J-1), 2) joint ids from 0, `means` and `std_devs` (J(J-1), 2) x, y in pixels at
scale 1. The network's pairwise targets are normalised by them.
"""

import os
from typing import NamedTuple

import numpy as np

from dataset.matfile import read_mat
from dataset.pose_dataset import PoseDataset
from util.errors import InputError
from util.files import atomic_path
from util.maps import pair_index

# Fewer people say nothing about a spread.
MIN_COUNT = 2
# px; a pair that never varies would be divided by zero.
MIN_STD = 1.0


class PairwiseStats(NamedTuple):
    """Offsets from joint a to joint b over the people that have both; row `util.maps.pair_index(a, b, J)`.

    graph: (J(J-1), 2) the pairs (a, b); means, std_devs: (J(J-1), 2) x, y in pixels at scale 1
    channels: (J(J-1),) row of each pair in the file, which is the channel order of a network trained with
        `tensorflow_pairwise_order: false`
    counts: (J(J-1),) people behind each row, None if read from a file
    """

    graph: np.ndarray
    means: np.ndarray
    std_devs: np.ndarray
    channels: np.ndarray
    counts: np.ndarray | None = None


def ordered_pairs(num_joints: int) -> np.ndarray:
    """(J(J-1), 2) all ordered pairs of different joints, in the order of `pair_index`."""
    return np.array([(a, b) for a in range(num_joints) for b in range(num_joints) if a != b]).reshape(-1, 2)


def compute(dataset: PoseDataset) -> PairwiseStats:
    """The statistics of a data set's people.

    A pair seen fewer than twice borrows from its mirror image (with x negated), or else gets mean 0, deviation 1.
    """
    people = dataset.table.people.astype(np.float64)
    graph = ordered_pairs(dataset.num_joints)
    means, stds = np.zeros((len(graph), 2)), np.zeros((len(graph), 2))
    counts = np.zeros(len(graph), int)
    for row, (a, b) in enumerate(graph):
        both = (people[:, a, 2] > 0) & (people[:, b, 2] > 0)
        counts[row] = both.sum()
        if counts[row] >= MIN_COUNT:
            offsets = people[both, b, :2] - people[both, a, :2]
            means[row], stds[row] = offsets.mean(axis=0), offsets.std(axis=0)
    rare = np.flatnonzero(counts < MIN_COUNT)
    swap = dataset.skeleton.mirror_map
    mirrored = pair_index(swap[graph[rare, 0]], swap[graph[rare, 1]], dataset.num_joints)
    means[rare], stds[rare] = means[mirrored] * (-1, 1), stds[mirrored]
    return PairwiseStats(graph, means, np.maximum(stds, MIN_STD), np.arange(len(graph)), counts)


def save(path: str | os.PathLike, stats: PairwiseStats) -> None:
    """Write the file, whole or not at all."""
    from scipy.io import savemat

    content = {"graph": stats.graph.astype(np.int32), "means": stats.means, "std_devs": stats.std_devs}
    with atomic_path(path) as temporary:
        savemat(temporary, content, appendmat=False)


def load(path: str | os.PathLike) -> PairwiseStats:
    """Read a file with the pairs in any order, joints counted from 0 or (MATLAB) from 1. Raises InputError."""
    if not os.path.exists(path):
        raise InputError(f"{path}: no such file; write it with tools/pairwise_stats.py")
    content = read_mat(path, "graph", "means", "std_devs")
    graph, means, stds = (np.asarray(content[name]) for name in ("graph", "means", "std_devs"))
    if any(a.ndim != 2 or a.shape != graph.shape or a.shape[1] != 2 or a.dtype.kind not in "iuf"
           for a in (graph, means, stds)):  # fmt: skip
        raise InputError(f"{path}: graph, means and std_devs must be numbers (number of pairs, 2), "
                         f"found {graph.shape}, {means.shape}, {stds.shape}")  # fmt: skip
    num_joints = len(np.unique(graph))
    graph = np.nan_to_num(graph).astype(int) - int(graph.min(initial=1) == 1)
    order = np.lexsort(graph.T[::-1])
    pairs = ordered_pairs(num_joints) if len(graph) == num_joints * (num_joints - 1) > 0 else None
    if pairs is None or not np.array_equal(graph[order], pairs):
        raise InputError(f"{path}: graph must hold every ordered pair of the {num_joints} joints once, in any order; "
                         "write it anew with tools/pairwise_stats.py")  # fmt: skip
    if not (np.isfinite(means).all() and np.isfinite(stds).all() and (stds > 0).all()):
        raise InputError(f"{path}: means must be finite and std_devs finite and > 0")
    return PairwiseStats(pairs, means[order].astype(np.float64), stds[order].astype(np.float64), order)
