"""Compiled people against slow and obvious ones; wrong arrays are refused."""

import numpy as np
import pytest

from lib.people_cython import average_people, drop_strays

ODDS = {"same_bias": 7.5, "same_slope": -0.2}


def random_case(seed, number, people=4, parts=3):
    rng = np.random.default_rng(seed)
    labels = np.unique(rng.integers(-1, people, number), return_inverse=True)[1] - 1
    conf = rng.choice([0.25, 0.5, 1.0], number) if seed % 2 else rng.random(number)  # with ties, and without
    return labels, rng.integers(0, parts, number), conf, rng.uniform(0, 100, (number, 2)), parts


def joints_of(labels, part):
    """The detections of each joint of each person."""
    for person in range(labels.max(initial=-1) + 1):
        for joint in range(part.max(initial=0) + 1):
            yield person, joint, np.flatnonzero((labels == person) & (part == joint))


@pytest.mark.parametrize("number", [0, 1, 5, 60])
def test_strays_are_those_too_far_from_the_surest(number):
    for seed in range(6):
        labels, part, conf, coord, parts = random_case(seed, number)
        expected = labels.copy()
        for _, _, members in joints_of(labels, part):
            if len(members):
                surest = members[np.argmax(conf[members])]
                for i in members:
                    if 7.5 - 0.2 * np.linalg.norm(coord[i] - coord[surest]) < 0:
                        expected[i] = -1
        before = labels.copy()
        np.testing.assert_array_equal(drop_strays(labels, part, conf, coord, parts, **ODDS), expected)
        np.testing.assert_array_equal(labels, before)


@pytest.mark.parametrize("number", [0, 1, 5, 60])
def test_a_joint_is_the_weighted_mean_of_its_detections(number):
    for seed in range(6):
        labels, part, conf, coord, parts = random_case(seed, number)
        people = average_people(labels, part, conf, coord, parts)
        expected = np.zeros((labels.max(initial=-1) + 1, parts, 3))
        for person, joint, members in joints_of(labels, part):
            if len(members):
                expected[person, joint, :2] = np.average(coord[members], axis=0, weights=conf[members])
                expected[person, joint, 2] = conf[members].max()
        np.testing.assert_allclose(people, expected, rtol=1e-12)


@pytest.mark.parametrize("name, value, message", [
    ("labels", [0, -2, 0], "none below -1"),
    ("labels", [0, 5, 0], "labels go up to 5 with 3 detections"),
    ("labels", [0.7, 0, 0], "labels must hold integers"),
    ("labels", ["0", "1", "0"], "labels must hold integers"),
    ("labels", [2**32, 0, 0], "labels must be from"),
    ("conf", [1, np.inf, 1], "conf must be finite"),
    ("coord", np.full((3, 2), np.nan), "coord must be finite"),
    ("labels", [0, 0], r"part must have shape \(2,\), got \(3,\)"),
    ("part", [0, 1, 2], "part must be from 0 to 1"),
    ("part", [0, -1, 0], "part must be from 0 to 1"),
    ("conf", [1.0], r"conf must have shape \(3,\)"),
    ("coord", np.zeros((3, 3)), r"coord must have shape \(3, 2\)"),
    ("num_parts", 0, "part must be from"),
])  # fmt: skip
def test_wrong_arrays_are_refused(name, value, message):
    case = {"labels": [0, 0, -1], "part": [0, 1, 0], "conf": np.ones(3), "coord": np.zeros((3, 2)), "num_parts": 2}
    with pytest.raises(ValueError, match=message):
        average_people(**{**case, name: value})
    with pytest.raises(ValueError, match=message):
        drop_strays(**{**case, name: value}, **ODDS)
