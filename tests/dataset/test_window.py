"""Windows cut out of images: pixels and joints stay together."""

import numpy as np
import pytest
from PIL import Image

from dataset.window import Window, jitter_colors, random_window


def one_person(*joints):
    return np.array([[(*joint, 1) for joint in joints]], float)


@pytest.mark.parametrize("degrees", [0, 30, -75, 180])
def test_a_bright_square_and_a_joint_in_its_middle_land_together(degrees):
    image = np.zeros((60, 80), np.uint8)
    image[15:26, 45:56] = 255  # sampling does not move the middle of a square
    window = Window(np.radians(degrees), (40.0, 25.0), (-7, 3), (70, 90))
    cut = window.cut(image, 0, Image.Resampling.BILINEAR).astype(float)
    rows, cols = np.indices(cut.shape)
    middle = np.array([(cut * cols).sum(), (cut * rows).sum()]) / cut.sum()
    np.testing.assert_allclose(middle, window.move(np.array([50.0, 20.0])), atol=0.02)


def test_a_positive_angle_turns_clockwise():
    right_of_center = Window(np.radians(90), (10.0, 10.0), (0, 0), (20, 20)).move(np.array([15.0, 10.0]))
    np.testing.assert_allclose(right_of_center, [10, 15], atol=1e-9)  # below it: y points down


def test_a_person_that_fits_is_shown_whole_and_a_large_one_fills_the_window():
    small, large = one_person((30, 40), (60, 90)), one_person((5, 5), (190, 180))
    for seed in range(50):
        random = np.random.default_rng(seed)
        window = random_window(small, (200, 200), (96, 96), 20.0, random)
        moved = window.move(small[0, :, :2])
        assert (moved >= 0).all() and (moved <= 95).all()
        window = random_window(large, (200, 200), (96, 96), 0.0, random)
        moved = window.move(large[0, :, :2])
        assert (moved.min(axis=0) <= 0).all() and (moved.max(axis=0) >= 95).all()


def test_windows_stay_within_the_image_where_they_can_and_move():
    person = one_person((90, 90), (110, 110))
    origins = {random_window(person, (200, 200), (64, 64), 0.0, np.random.default_rng(s)).origin for s in range(50)}
    assert len(origins) > 30 and min(map(min, origins)) >= 0 and max(map(max, origins)) <= 136
    corner = one_person((0, 0), (4, 4))
    assert random_window(corner, (200, 200), (64, 64), 0.0, np.random.default_rng(0)).origin == (0, 0)


def test_without_people_any_part_of_the_image_is_shown():
    nobody = np.zeros((0, 2, 3))
    origins = [random_window(nobody, (100, 300), (64, 64), 0.0, np.random.default_rng(s)).origin for s in range(50)]
    x, y = np.transpose(origins)
    assert x.min() >= 0 and x.max() <= 236 and np.ptp(x) > 150 and y.min() >= 0 and y.max() <= 36


def test_without_a_size_the_image_turns_about_its_middle():
    window = random_window(one_person((0, 0)), (21, 31), None, 45.0, np.random.default_rng(0))
    assert window.size == (21, 31) and window.angle != 0
    np.testing.assert_allclose(window.move(np.array([15.0, 10.0])), [15, 10])


def test_colors_change_within_bounds_and_gray_stays_gray():
    image = np.full((4, 4, 3), 100, np.uint8)
    changed = jitter_colors(image, 0.3, np.random.default_rng(0))
    assert 70 <= changed.min() <= changed.max() <= 130 and (changed != 100).all()
    np.testing.assert_array_equal(changed[..., 0], changed[..., 1])
    np.testing.assert_array_equal(jitter_colors(image, 0.0, np.random.default_rng(0)), image)
