"""Averages over views keep every place, and the maps of a network to which all views look alike."""

import numpy as np
import pytest
from easydict import EasyDict

from config import make_config
from multiperson.tta import average_maps, mean_maps, mirror_image, unmirror_maps
from nnet.predict import argmax_pose_predict
from util.maps import Maps, cell_centers, map_size, pair_index

NECK, LEFT, RIGHT = range(3)
SWAP = np.array([NECK, RIGHT, LEFT])


def grid_of(image):
    """The centres (rows, cols, 2) of all cells of an image."""
    return cell_centers(np.moveaxis(np.indices(map_size(*image.shape[:2])), 0, -1))


class Seer:
    """Sees the centre of what is blue as the neck, of what is red as hands: the one farther right is the left one."""

    def __init__(self):
        self.sizes = []

    def __call__(self, image):
        self.sizes.append(image.shape[:2])
        ys, xs = np.indices(image.shape[:2])
        neck = self._center(image[..., 2], xs, ys)
        left = self._center(image[..., 0] * (xs > neck[0]), xs, ys)
        right = self._center(image[..., 0] * (xs < neck[0]), xs, ys)
        joints = np.array([neck, left, right])
        offsets = joints - grid_of(image)[:, :, None]
        part_prob = np.exp(-np.square(offsets).sum(axis=-1) / 300).astype(np.float32)
        others = [NECK, LEFT, RIGHT]
        ends = np.array([joints[b] for a in others for b in others if a != b])
        return Maps(part_prob, offsets.astype(np.float32), lambda cells: ends - cell_centers(cells)[:, None])

    @staticmethod
    def _center(weight, xs, ys):
        return np.array([(xs * weight).sum(), (ys * weight).sum()]) / weight.sum()


def average(network, image, *arguments):
    """The average of a single image by a network that looks at one at a time."""
    (maps,) = average_maps(lambda images: list(map(network, images)), [image], *arguments)
    return maps


def picture(height, width, joints):
    """Soft dots at three places."""
    ys, xs = np.indices((height, width))
    image = np.zeros((height, width, 3))
    for (x, y), channel in zip(joints, (2, 0, 0), strict=True):
        image[..., channel] += 250 * np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / 8)
    return image.astype(np.uint8)


JOINTS = np.array([(40, 14), (55, 30), (15, 33)])
CELLS = np.array([[0, 0], [3, 2], [5, 7], [1, 6]])


@pytest.mark.parametrize("size", [(48, 80), (46, 77), (45, 65), (48, 72), (41, 73)])
def test_flips_keep_the_maps_of_a_symmetric_network(size):
    image = picture(*size, JOINTS)
    cfg = make_config(num_joints=3, tta=["flip"], mean_pixel=[0, 0, 0])
    maps, expected = average(Seer(), image, cfg, SWAP), Seer()(image)
    np.testing.assert_allclose(maps.part_prob, expected.part_prob, atol=1e-5)
    np.testing.assert_allclose(maps.locref, expected.locref, atol=1e-3)
    np.testing.assert_allclose(maps.pairwise(CELLS), expected.pairwise(CELLS), atol=1e-6)


def test_mirrored_pixels_and_cells_line_up():
    image = picture(20, 37, [(5, 5), (30, 10), (9, 12)])
    mirrored = mirror_image(image, [1, 2, 3], 8)
    assert mirrored.shape == (20, 48, 3) and mirrored[0, :12].tolist() == [[1, 2, 3]] * 12
    for x in range(1, 37):
        np.testing.assert_array_equal(mirrored[:, 48 - x], image[:, x])


def test_mirrored_maps_change_sides():
    rng = np.random.default_rng(0)
    prob, locref = rng.random((2, 4, 3), np.float32), rng.random((2, 4, 3, 2), np.float32)
    dense = rng.random((2, 4, 6, 2))
    maps = unmirror_maps(Maps(prob, locref, lambda cells: dense[tuple(cells.T)]), SWAP)
    assert maps.part_prob[1, 0].tolist() == prob[1, 3, [NECK, RIGHT, LEFT]].tolist()
    assert maps.locref[0, 2, LEFT].tolist() == [-locref[0, 1, RIGHT, 0], locref[0, 1, RIGHT, 1]]
    x, y = dense[1, 0, pair_index(RIGHT, NECK, 3)]
    assert maps.pairwise([[1, 3]])[0, pair_index(LEFT, NECK, 3)].tolist() == [-x, y]
    x, y = dense[1, 0, pair_index(LEFT, RIGHT, 3)]
    assert maps.pairwise([[1, 3]])[0, pair_index(RIGHT, LEFT, 3)].tolist() == [-x, y]


@pytest.mark.parametrize("views", [[0.75], [1.5], ["flip", 0.8, 1.3]])
def test_other_sizes_keep_the_places(views):
    image = picture(90, 121, 1.5 * JOINTS)
    cfg = make_config(num_joints=3, tta=views, mean_pixel=[0, 0, 0])
    maps, expected = average(Seer(), image, cfg, SWAP), Seer()(image)
    pose = argmax_pose_predict(maps.part_prob, maps.locref)
    np.testing.assert_allclose(pose[:, :2], 1.5 * JOINTS, atol=0.2)
    np.testing.assert_allclose(maps.pairwise(CELLS), expected.pairwise(CELLS), atol=0.3)


def test_the_network_sees_each_size_within_the_limit():
    cfg = make_config(num_joints=3, tta=[0.5, 1.25, 2], max_input_size=88)
    network = Seer()
    average(network, picture(48, 80, JOINTS), cfg)
    assert network.sizes == [(48, 80), (24, 40), (60, 100), (68, 113)]  # 68 x 113 is as much as 88 x 88


def test_a_view_that_lacks_a_part_does_not_move_it():
    first = Maps(np.full((1, 1, 1), 0.6, np.float32), np.full((1, 1, 1, 2), 3, np.float32))
    second = Maps(np.full((1, 1, 1), 0.2, np.float32), np.full((1, 1, 1, 2), 7, np.float32))
    blind = Maps(np.zeros((1, 1, 1), np.float32), np.full((1, 1, 1, 2), 99, np.float32))
    mean = mean_maps([first, second, blind])
    assert mean.part_prob.item() == pytest.approx(0.8 / 3)
    np.testing.assert_allclose(mean.locref, 4)
    np.testing.assert_array_equal(mean_maps([blind, blind]).locref, 0)


def test_refinement_and_offsets_may_be_missing():
    image = picture(48, 80, JOINTS)
    cfg = EasyDict(stride=8, tta=["flip", 0.5], max_input_size=850, mean_pixel=[0, 0, 0])
    maps = average(lambda view: Maps(Seer()(view).part_prob), image, cfg, SWAP)
    assert maps.locref is None and maps.pairwise is None
