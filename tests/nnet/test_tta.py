"""Averages over views keep every place, and the maps of a network to which all views look alike."""

import numpy as np
import pytest

from nnet.tta import average_maps, flip_image, mean_maps, rescale_maps, unflip_maps
from tests.nnet.described import described
from util.maps import Maps, argmax_pose_predict, cell_centers, joint_pairs, map_size, pair_index
from util.view import View

NECK, LEFT, RIGHT = range(3)
SKELETON = {"joints": ["neck", "left", "right"], "pairs": [["left", "right"]]}


def model(**values):
    return described(skeleton=SKELETON, mean_pixel=[0, 0, 0], **values)


def grid_of(size, stride=8):
    """The centres (rows, cols, 2) of all cells of an image of this (height, width)."""
    return cell_centers(np.moveaxis(np.indices(map_size(*size, stride)), 0, -1), stride)


def maps_of(joints, size, stride=8):
    """The maps (of an image of this size) that know where all joints (J, 2) are."""
    offsets = joints - grid_of(size, stride)[:, :, None]
    part_prob = np.exp(-np.square(offsets).sum(axis=-1) / 300).astype(np.float32)
    ends = joints[joint_pairs(len(joints))[:, 1]]
    return Maps(
        part_prob, stride, offsets.astype(np.float32), lambda cells: ends - cell_centers(cells, stride)[:, None]
    )


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
        return maps_of(np.array([neck, left, right]), image.shape[:2])

    @staticmethod
    def _center(weight, xs, ys):
        return np.array([(xs * weight).sum(), (ys * weight).sum()]) / weight.sum()


def average(network, image, cfg, spec):
    """The average of a single image by a network that looks at one at a time."""
    (maps,) = average_maps(lambda images: list(map(network, images)), [image], cfg, spec)
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


@pytest.mark.parametrize("size", [(48, 80), (45, 65), (41, 73)])
def test_flips_keep_the_maps_of_a_symmetric_network(size):
    image = picture(*size, JOINTS)
    maps, expected = average(Seer(), image, *model(tta=["flip"])), Seer()(image)
    np.testing.assert_allclose(maps.part_prob, expected.part_prob, atol=1e-5)
    np.testing.assert_allclose(maps.locref, expected.locref, atol=1e-3)
    np.testing.assert_allclose(maps.pairwise(CELLS), expected.pairwise(CELLS), atol=1e-6)


@pytest.mark.parametrize(("net_type", "width"), [("resnet_18", 48), ("resnet_18_fpn", 40)])
def test_flipped_pixels_and_cells_line_up(net_type, width):
    image = picture(20, 37, [(5, 5), (30, 10), (9, 12)])
    _, spec = described(skeleton=SKELETON, mean_pixel=[1, 2.2, 2.8], net_type=net_type)
    flipped = flip_image(image, spec)
    assert flipped.shape == (20, width, 3) and flipped[0, : width - 36].tolist() == [[1, 2, 3]] * (width - 36)
    for x in range(1, 37):
        np.testing.assert_array_equal(flipped[:, width - x], image[:, x])


def test_flipped_maps_change_sides():
    rng = np.random.default_rng(0)
    prob, locref = rng.random((2, 4, 3), np.float32), rng.random((2, 4, 3, 2), np.float32)
    dense = rng.random((2, 4, 6, 2))
    swap = np.array([NECK, RIGHT, LEFT])
    maps = unflip_maps(Maps(prob, 8, locref, lambda cells: dense[tuple(cells.T)]), swap)
    assert maps.part_prob[1, 0].tolist() == prob[1, 3, swap].tolist()
    assert maps.locref[0, 2, LEFT].tolist() == [-locref[0, 1, RIGHT, 0], locref[0, 1, RIGHT, 1]]
    x, y = dense[1, 0, pair_index(RIGHT, NECK, 3)]
    assert maps.pairwise([[1, 3]])[0, pair_index(LEFT, NECK, 3)].tolist() == [-x, y]
    x, y = dense[1, 0, pair_index(LEFT, RIGHT, 3)]
    assert maps.pairwise([[1, 3]])[0, pair_index(RIGHT, LEFT, 3)].tolist() == [-x, y]


@pytest.mark.parametrize("stride", [4, 8])
@pytest.mark.parametrize("factor", [0.5, 0.7, 1.3])
def test_joints_seen_in_another_size_come_out_at_their_pixels(stride, factor):
    """In the outermost cells, too."""
    size = 101, 167
    joints = np.array([[1, 2], [80, 61], [166, 100], [37, 90]])
    view = View.scaled(size, factor).from_corners()
    scales = np.array([int(167 * factor) / 167, int(101 * factor) / 101])
    found = rescale_maps(maps_of((joints + 0.5) * scales - 0.5, view.size, stride), view)
    pose = argmax_pose_predict(found.part_prob, found.locref, stride)
    np.testing.assert_allclose(pose[:, :2], joints, atol=1e-4)
    expected = maps_of(joints, size, stride)
    np.testing.assert_allclose(found.locref, expected.locref, atol=1e-4)
    cells = joints[:, ::-1] // stride
    np.testing.assert_allclose(found.pairwise(cells), expected.pairwise(cells), atol=1e-10)


@pytest.mark.parametrize("stride", [4, 8])
def test_score_maps_of_another_size_are_interpolated_between_the_centres_of_cells(stride):
    view = View.scaled((104, 160), 0.75)
    ramps = grid_of(view.size, stride)
    found = rescale_maps(Maps(ramps, stride), view).part_prob
    inside = np.clip(0.75 * grid_of((104, 160), stride), stride / 2, ramps[-1, -1])
    np.testing.assert_allclose(found, inside, rtol=1e-6)


def test_views_are_averaged_at_one_place():
    image = picture(90, 121, 1.5 * JOINTS)
    maps, expected = average(Seer(), image, *model(tta=["flip", 0.8, 1.3])), Seer()(image)
    pose = argmax_pose_predict(maps.part_prob, maps.locref, 8)
    np.testing.assert_allclose(pose[:, :2], 1.5 * JOINTS, atol=0.2)
    np.testing.assert_allclose(maps.pairwise(CELLS), expected.pairwise(CELLS), atol=0.3)


def test_the_network_sees_each_size_within_the_limit():
    network = Seer()
    average(network, picture(48, 80, JOINTS), *model(tta=[0.5, 1.25, 2], max_input_size=88))
    assert network.sizes == [(48, 80), (24, 40), (60, 100), (68, 113)]  # 68 x 113 is as much as 88 x 88


def test_a_view_that_lacks_a_part_does_not_move_it():
    first, second, blind = (
        Maps(np.full((1, 1, 1), prob, np.float32), 8, np.full((1, 1, 1, 2), offset, np.float32))
        for prob, offset in ((0.6, 3), (0.2, 7), (0, 99))
    )
    mean = mean_maps([first, second, blind])
    assert mean.part_prob.item() == pytest.approx(0.8 / 3)
    np.testing.assert_allclose(mean.locref, 4)
    np.testing.assert_array_equal(mean_maps([blind, blind]).locref, 0)


def test_refinement_and_offsets_may_be_missing():
    image = picture(48, 80, JOINTS)
    maps = average(lambda view: Maps(Seer()(view).part_prob, 8), image, *model(tta=["flip", 0.5]))
    assert maps.locref is None and maps.pairwise is None
