"""Offsets between the joints of people: their statistics, and the file that keeps these."""

import numpy as np
import pytest
import scipy.io

from dataset.factory import create
from dataset.pair_offsets import compute_offsets, load_pairwise_stats, save_pairwise_stats
from util.errors import InputError
from util.maps import joint_pairs, pair_index


def test_means_and_deviations_are_those_of_the_people(coco):
    image = coco.add_image()
    coco.add_person(image, joints=[(5, 10, 20), (6, 30, 21), (7, 1, 1)])
    coco.add_person(image, joints=[(5, 10, 20), (6, 40, 31)])
    coco.add_person(image, joints=[(6, 3, 3)])
    stats = compute_offsets(create(coco.config()))
    row = pair_index(5, 6, 17)
    assert stats.counts[row] == 2
    assert stats.means[row].tolist() == [25, 6]
    assert stats.std_devs[row].tolist() == [5, 5]
    assert stats.means[pair_index(6, 5, 17)].tolist() == [-25, -6]


def test_rare_pairs_are_mirrored_or_neutral(coco):
    """Left shoulder to elbow stands in for right shoulder to elbow; a pair without a mirror image gets 0 and 1."""
    image = coco.add_image()
    for dx in (-4, 4):
        coco.add_person(image, joints=[(5, 10, 20), (7, 16 + dx, 25)])
    stats = compute_offsets(create(coco.config()))
    assert stats.counts[pair_index(6, 8, 17)] == 0
    assert stats.means[pair_index(6, 8, 17)].tolist() == [-6, 5]
    # A deviation of 0 would divide by zero: at least one pixel.
    assert stats.std_devs[pair_index(6, 8, 17)].tolist() == [4, 1]
    assert stats.means[pair_index(0, 8, 17)].tolist() == [0, 0]
    assert stats.std_devs[pair_index(0, 8, 17)].tolist() == [1, 1]


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return rng.normal(size=(6, 2)), rng.uniform(1, 2, (6, 2))


def test_statistics_are_read_as_written(tmp_path, arrays):
    save_pairwise_stats(tmp_path / "s.mat", *arrays)
    stats = load_pairwise_stats(tmp_path / "s.mat", 3)
    assert stats.channels is None
    np.testing.assert_allclose(stats.means, arrays[0])
    np.testing.assert_allclose(stats.std_devs, arrays[1])


@pytest.mark.parametrize("first_joint", [0, 1])
def test_pairs_in_another_order_are_sorted(tmp_path, arrays, first_joint):
    """Joints may count from 0 or 1."""
    means, std_devs = arrays
    order = np.array([3, 1, 5, 0, 2, 4])
    graph = joint_pairs(3)[order] + first_joint
    scipy.io.savemat(tmp_path / "s.mat", {"graph": graph, "means": means[order], "std_devs": std_devs[order]})
    for own_order in (True, False):
        stats = load_pairwise_stats(tmp_path / "s.mat", 3, own_order)
        np.testing.assert_allclose(stats.means, means)
        np.testing.assert_allclose(stats.std_devs, std_devs)
    np.testing.assert_array_equal(stats.channels, np.argsort(order))


def test_mistakes_are_named(tmp_path, arrays):
    means, std_devs = arrays
    path = tmp_path / "s.mat"
    with pytest.raises(InputError, match="no such file; make it with tools/pairwise_stats.py"):
        load_pairwise_stats(path, 3)
    path.write_bytes(b"nonsense" * 40)
    with pytest.raises(InputError, match="not a MATLAB file"):
        load_pairwise_stats(path, 3)
    save_pairwise_stats(path, means, std_devs)
    with pytest.raises(InputError, match="6 pairs; 12 are needed for 4 joints"):
        load_pairwise_stats(path, 4)
    save_pairwise_stats(path, means, 0 * std_devs)
    with pytest.raises(InputError, match="std_devs positive"):
        load_pairwise_stats(path, 3)
    scipy.io.savemat(path, {"graph": joint_pairs(3), "means": means})
    with pytest.raises(InputError, match="'std_devs' is missing"):
        load_pairwise_stats(path, 3)
