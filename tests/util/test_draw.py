"""Lines and dots cover the area they should, wherever they lie."""

import numpy as np
import pytest

from util.draw import draw_dots, draw_lines, enlarge_points, enlarge_small, palette

WHITE, RED = np.ones(3), np.array([1, 0, 0])


def canvas(height=80, width=100, level=0):
    return np.full((height, width, 3), level, np.uint8)


@pytest.mark.parametrize("end", [(20, 30), (70, 30), (20, 70), (64.3, 51.8), (31.7, 66.1), (5.5, 12.5)])
@pytest.mark.parametrize("width", [2, 3.7, 8])
def test_a_line_covers_its_area(end, width):
    image, start = canvas(), np.array([[20.0, 30]])
    draw_lines(image, start, np.array([end]), width, WHITE)
    area = width * np.linalg.norm(end - start) + np.pi * width**2 / 4
    # A pixel's share follows from its distance alone: exact along straight edges, at most .1 too much in round ends.
    assert image[..., 0].sum() / 255 == pytest.approx(area, abs=0.01 * area + 0.3)
    swapped = canvas()
    draw_lines(swapped, np.array([end]), start, width, WHITE)
    assert np.abs(swapped.astype(int) - image).max() <= 1


def test_a_line_is_where_it_should_be():
    image = canvas(level=100)
    draw_lines(image, np.array([[10.0, 20]]), np.array([[50.0, 20]]), 3, RED)
    np.testing.assert_array_equal(image[19:22, 10:51], np.broadcast_to([255, 0, 0], (3, 41, 3)))
    assert (image[:18] == 100).all() and (image[23:] == 100).all() and (image[:, :8] == 100).all()
    across = np.swapaxes(canvas(100, 80, level=100), 0, 1)
    draw_lines(across.swapaxes(0, 1), np.array([[20.0, 10]]), np.array([[20.0, 50]]), 3, RED)
    np.testing.assert_array_equal(across, image)


def test_lines_meet_without_seams():
    """A line drawn in four parts, in one call, is the line."""
    whole, parts = canvas(level=90), canvas(level=90)
    points = np.linspace([12.3, 9], [80, 61.7], 5)
    draw_lines(whole, points[:1], points[-1:], 4, RED)
    draw_lines(parts, points[:-1], points[1:], 4, RED)
    assert np.abs(whole.astype(int) - parts).max() <= 1
    steep = canvas(level=90)
    draw_lines(steep, points[:0], points[:0], 4, RED)
    assert (steep == 90).all()
    corner = np.array([[20.0, 60], [24, 10], [70, 14]])  # a steep line and a flat one
    draw_lines(steep, corner[:-1], corner[1:], 4, RED)
    assert (steep[[10, 35, 12], [24, 22, 47]] == [255, 0, 0]).all()


def test_a_dot_has_a_dark_rim():
    image = canvas(level=200)
    draw_dots(image, np.array([[40.0, 30]]), 10, 2, WHITE)
    y, x = np.indices((80, 100))
    distance = np.hypot(x - 40, y - 30)
    assert (image[distance <= 4.5] == 255).all() and (image[distance >= 7.5] == 200).all()
    assert (image[(distance >= 5.5) & (distance <= 6.5)] == 0).all()


@pytest.mark.parametrize("shift", [(-30, 0), (-45, -38), (60, 45), (5000, 5000), (-1e7, 3)])
def test_what_is_beyond_the_border_is_left_out(shift):
    large, small = canvas(300, 300, 50), canvas(level=50)
    ends, offset = np.array([[20.0, 25], [62.5, 60]]) + shift, np.array([100, 100])
    for image, points in ((small, ends), (large, ends + offset)):
        draw_lines(image, points[:1], points[1:], 5, RED)
        draw_dots(image, points, 6, 1, RED)
    np.testing.assert_array_equal(small, large[100:180, 100:200])


@pytest.mark.parametrize(
    "size, factor", [((1, 1), 400), ((150, 250), 2), ((399, 400), 2), ((400, 400), 1), ((8, 6000), 1)]
)
def test_small_images_are_enlarged(size, factor):
    image = canvas(*size, level=7)
    picture, found = enlarge_small(image)
    assert found == factor and picture.shape == (factor * size[0], factor * size[1], 3) and (picture == 7).all()
    picture[:] = 0
    assert (image == 7).all()


def test_points_lie_on_the_same_spot_of_an_enlarged_image():
    """The middle of pixel (2, 1) is that of the block of pixels that it becomes."""
    image = canvas(4, 4)
    image[1, 2] = 255
    picture, factor = enlarge_small(image)
    x, y = enlarge_points(np.array([2.0, 1.0]), factor)
    rows, cols = np.nonzero(picture[..., 0] > 127)
    assert (cols.mean(), rows.mean()) == pytest.approx((x, y), abs=0.5)


def test_a_colour_depends_on_its_number_alone():
    np.testing.assert_array_equal(palette([5, 0, 5]), palette([5, 0, 1, 5])[[0, 1, 3]])
    colors = palette(range(10))
    assert np.linalg.norm(colors[:, None] - colors, axis=2)[np.triu_indices(10, 1)].min() > 0.15
    assert palette([]).shape == (0, 3)
