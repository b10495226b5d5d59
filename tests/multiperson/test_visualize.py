"""People are drawn where they are, in colours that follow their numbers."""

import numpy as np

from config import make_config
from multiperson.detections import extract_detections
from multiperson.predict import People
from multiperson.simulate import simulate_maps
from multiperson.visualize import PersonDraw, visualize_detections
from util.draw import palette

PERSONS = np.array([[[30.0, 40, 1], [60, 40, 1], [0, 0, 0]], [[30, 80, 1], [60, 80, 1], [60, 110, 1]]])
LIMBS = [(0, 1), (1, 2)]
BLACK = np.zeros((420, 400, 3), np.uint8)
SMALL = BLACK[:120, :100]


def people_of(keypoints):
    return People(keypoints, keypoints[..., 2].mean(axis=1))


def test_limbs_have_the_persons_colour():
    picture = PersonDraw(LIMBS).draw(BLACK, people_of(PERSONS))
    colors = (255 * palette([0, 1])).round()
    np.testing.assert_allclose(picture[40, 45], colors[0], atol=1)
    np.testing.assert_allclose(picture[80, 45], colors[1], atol=1)
    np.testing.assert_allclose(picture[95, 60], colors[1], atol=1)
    # No limb leads to a missing joint.
    assert not picture[:30].any() and not picture[60:70].any()


def test_a_small_image_is_drawn_larger():
    picture = PersonDraw(LIMBS).draw(SMALL, people_of(PERSONS))
    assert picture.shape == (480, 400, 3)
    np.testing.assert_allclose(picture[4 * 40 + 2, 4 * 45 + 2], (255 * palette([0])[0]).round(), atol=1)
    assert not picture[: 4 * 35].any() and not picture[4 * 60 : 4 * 70].any()


def test_colours_follow_ids():
    draw = PersonDraw(LIMBS)
    swapped = draw.draw(BLACK, people_of(PERSONS[::-1]), ids=[1, 0])
    np.testing.assert_array_equal(swapped, draw.draw(BLACK, people_of(PERSONS)))


def test_there_may_be_no_people_and_no_limbs():
    picture = np.random.default_rng(0).integers(0, 256, BLACK.shape, np.uint8)
    np.testing.assert_array_equal(PersonDraw(LIMBS).draw(picture, people_of(PERSONS[:0])), picture)
    assert PersonDraw([]).draw(BLACK, people_of(PERSONS)).any()


def test_detections_and_offsets_are_drawn():
    maps = simulate_maps(PERSONS, 120, 100, 8)
    names = ["a", "b", "c"]
    for shown in (maps, maps._replace(part_prob=np.zeros_like(maps.part_prob))):
        detections = extract_detections(make_config(), shown)
        picture = visualize_detections(SMALL, detections, names)
        assert picture.shape == SMALL.shape and picture.any() == (shown is maps)
