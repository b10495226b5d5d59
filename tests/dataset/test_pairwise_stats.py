from dataset.factory import create
from dataset.pairwise_stats import compute
from util.maps import pair_index


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
