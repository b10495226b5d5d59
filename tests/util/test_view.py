"""An image is cut, scaled and flipped with its points, and these find the way back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import make_config
from util.view import View, fitting_scale, network_view

SIDES = st.integers(1, 400)


@given(st.tuples(SIDES, SIDES), st.floats(0.05, 3), st.tuples(SIDES, SIDES), st.none() | st.floats(1, 400))
def test_points_come_back(part, scale, origin, flip):
    view = View.scaled(part, scale, origin)._replace(flip=flip)
    points = np.random.default_rng(0).uniform(-50, 450, (5, 2))
    np.testing.assert_allclose(view.back(view.points(points)), points, atol=1e-6)


def test_a_bright_square_is_seen_where_its_point_is():
    image = np.zeros((120, 200, 3), np.uint8)
    image[60:69, 140:149] = 255
    view = View.scaled((100, 150), 0.5, origin=(40, 10))
    rows, cols = np.nonzero(view.image(image)[..., 0] > 128)
    assert view.size == (50, 75)
    assert view.points(np.array([144, 64])) == pytest.approx([cols.mean(), rows.mean()], abs=0.5)


def test_missing_keypoints_stay_missing():
    back = View.scaled((10, 10), 2, origin=(3, 4)).keypoints_back(np.array([[[4.0, 6, 0.5], [0, 0, 0]]]))
    assert back.tolist() == [[[5, 7, 0.5], [0, 0, 0]]]


def test_sides_are_truncated_and_never_vanish():
    assert View.scaled((6, 9), 0.99).size == (5, 8)
    assert View.scaled((6, 9), 0.01).size == (1, 1)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((480, 640), (480, 640)), ((850, 850), (850, 850)), ((1700, 1700), (850, 850)), ((8, 6000), (8, 6000))],
)
def test_large_images_are_reduced_to_the_limit(size, expected):
    assert network_view(make_config(), size).size == expected
    assert fitting_scale((850, 1700), 1, 850) == pytest.approx(0.5**0.5)


def test_only_what_the_limit_makes_much_smaller_counts_as_reduced():
    assert View.scaled((400, 300), 0.4).reduction(0.4) is None
    assert View.scaled((400, 300), 0.52).reduction(3) is None
    assert View.scaled((400, 300), 0.4).reduction(3) == ((400, 300), (160, 120))


def test_resizing_counts_pixels_from_their_corners():
    """A dot of two by two pixels becomes one pixel of half the size."""
    image = np.zeros((20, 30, 3), np.uint8)
    image[8:10, 12:14] = 255
    view = View.scaled((20, 30), 0.5).from_corners()
    y, x = np.unravel_index(view.image(image)[..., 0].argmax(), view.size)
    assert view.points(np.array([12.5, 8.5])).tolist() == [x, y] == [6, 4]
