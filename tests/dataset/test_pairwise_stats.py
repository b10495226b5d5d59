import numpy as np
import pytest
from scipy.io import savemat

from dataset.factory import create
from dataset.pairwise_stats import compute, load, ordered_pairs, save
from util.errors import InputError
from util.maps import pair_index


def test_order_of_pairs_is_the_originals(golden_dir):
    pairs = ordered_pairs(17)
    assert np.array_equal(pairs, np.load(golden_dir / "targets.npz")["stats/graph"])
    assert np.array_equal(pair_index(pairs[:, 0], pairs[:, 1], 17), np.arange(272))


def test_means_and_deviations(coco):
    image = coco.add_image()
    coco.add_person(image, joints=[(5, 10, 20), (6, 30, 21), (7, 1, 1)])
    coco.add_person(image, joints=[(5, 10, 20), (6, 40, 31)])
    coco.add_person(image, joints=[(6, 3, 3)])
    stats = compute(create(coco.config()))
    row = pair_index(5, 6, 17)
    assert stats.counts[row] == 2
    assert stats.means[row].tolist() == [25, 6]
    assert stats.std_devs[row].tolist() == [5, 5]
    assert stats.means[pair_index(6, 5, 17)].tolist() == [-25, -6]


def test_pairs_hardly_ever_seen(coco):
    """Left shoulder to elbow stands in for right shoulder to elbow; what has no mirror image gets 0 and 1."""
    image = coco.add_image()
    for dx in (-4, 4):
        coco.add_person(image, joints=[(5, 10, 20), (7, 16 + dx, 25)])
    stats = compute(create(coco.config()))
    assert stats.counts[pair_index(6, 8, 17)] == 0
    assert stats.means[pair_index(6, 8, 17)].tolist() == [-6, 5]
    # A deviation of 0 would divide by zero: at least one pixel.
    assert stats.std_devs[pair_index(6, 8, 17)].tolist() == [4, 1]
    assert stats.means[pair_index(0, 8, 17)].tolist() == [0, 0]
    assert stats.std_devs[pair_index(0, 8, 17)].tolist() == [1, 1]


def test_saved_and_loaded(coco, tmp_path):
    for _ in range(2):
        coco.add_person(coco.add_image())
    stats = compute(create(coco.config()))
    save(tmp_path / "stats.mat", stats)
    loaded = load(tmp_path / "stats.mat")
    for name in ("graph", "means", "std_devs", "channels"):
        assert np.array_equal(getattr(loaded, name), getattr(stats, name))
    assert loaded.counts is None


@pytest.mark.parametrize("first_id", [0, 1])
def test_files_in_another_order(tmp_path, first_id):
    pairs = ordered_pairs(4)
    order = np.random.default_rng(0).permutation(len(pairs))
    values = np.arange(1.0, 2 * len(pairs) + 1).reshape(-1, 2)
    content = {"graph": pairs[order] + first_id, "means": -values[order], "std_devs": values[order]}
    savemat(tmp_path / "stats.mat", content)
    stats = load(tmp_path / "stats.mat")
    assert np.array_equal(stats.graph, pairs)
    assert np.array_equal(stats.means, -values)
    assert np.array_equal(stats.std_devs, values)
    # The file's row of each pair.
    assert np.array_equal(content["graph"][stats.channels] - first_id, pairs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"means": np.zeros((12, 3))}, "must be numbers"),
        ({"graph": np.zeros((12, 2))}, "every ordered pair"),
        ({"graph": np.zeros((0, 2)), "means": np.zeros((0, 2)), "std_devs": np.zeros((0, 2))}, "every ordered pair"),
        ({"std_devs": np.zeros((12, 2))}, "> 0"),
        ({"means": np.full((12, 2), np.nan)}, "finite"),
    ],
)
def test_bad_files(tmp_path, change, message):
    path = tmp_path / "stats.mat"
    with pytest.raises(InputError, match="no such file; write it with tools/pairwise_stats.py"):
        load(path)
    savemat(path, {"graph": ordered_pairs(4), "means": np.zeros((12, 2)), "std_devs": np.ones((12, 2)), **change})
    with pytest.raises(InputError, match=message):
        load(path)
