"""Compiled people against slow and obvious ones; wrong arrays are refused."""

import numpy as np
import pytest

from lib.people_cython import average_people, drop_strays


def random_case(seed, number, people=4, parts=3):
    rng = np.random.default_rng(seed)
    labels = np.unique(rng.integers(-1, people, number), return_inverse=True)[1] - 1
    conf = rng.choice([0.25, 0.5, 1.0], number) if seed % 2 else rng.random(number)  # with ties, and without
    part = np.sort(rng.integers(0, parts, number))
    return labels, part, np.searchsorted(part, np.arange(parts + 1)), conf, rng.uniform(0, 100, (number, 2))


def joints_of(labels, part):
    """The detections of each joint of each person."""
    for person in range(labels.max(initial=-1) + 1):
        for joint in range(part.max(initial=0) + 1):
            yield person, joint, np.flatnonzero((labels == person) & (part == joint))


@pytest.mark.parametrize("number", [0, 1, 5, 60])
def test_strays_are_those_that_are_hardly_the_surest_one(number):
    for seed in range(6):
        labels, part, offsets, conf, _ = random_case(seed, number)
        edges = np.argwhere(np.triu(np.ones((number, number)), 1))
        cost = np.random.default_rng(seed).normal(size=len(edges))
        matrix = np.zeros((number, number))
        matrix[tuple(edges.T)] = matrix[tuple(edges[:, ::-1].T)] = cost
        expected = labels.copy()
        for _, _, members in joints_of(labels, part):
            if len(members):
                surest = members[np.argmax(conf[members])]
                for i in members:
                    if matrix[i, surest] > 0:
                        expected[i] = -1
        before = labels.copy()
        np.testing.assert_array_equal(drop_strays(labels, offsets, conf, edges, cost), expected)
        np.testing.assert_array_equal(labels, before)


@pytest.mark.parametrize("number", [0, 1, 5, 60])
def test_a_joint_is_the_weighted_mean_of_its_detections(number):
    for seed in range(6):
        labels, part, offsets, conf, coord = random_case(seed, number)
        people = average_people(labels, offsets, conf, coord)
        expected = np.zeros((labels.max(initial=-1) + 1, len(offsets) - 1, 3))
        for person, joint, members in joints_of(labels, part):
            if len(members):
                expected[person, joint, :2] = np.average(coord[members], axis=0, weights=conf[members])
                expected[person, joint, 2] = conf[members].max()
        np.testing.assert_allclose(people, expected, rtol=1e-12)


@pytest.mark.parametrize("name, value, message", [
    ("labels", [0, -2, 0], "not be below -1"),
    ("labels", [0, 5, 0], "labels go up to 5 with 3 detections"),
    ("labels", [0.7, 0, 0], "labels must hold integers"),
    ("labels", ["0", "1", "0"], "labels must hold integers"),
    ("labels", [2**32, 0, 0], "labels must be from"),
    ("conf", [1, np.inf, 1], "conf must be finite"),
    ("labels", [0, 0], r"labels must have shape \(3,\), got \(2,\)"),
    ("offsets", [0, 4, 3], "offsets must start with 0 and never decrease"),
    ("offsets", [1, 2, 3], "offsets must start with 0 and never decrease"),
    ("conf", [1.0], r"conf must have shape \(3,\)"),
    ("offsets", [0], "offsets must start with 0"),
])  # fmt: skip
def test_wrong_arrays_are_refused(name, value, message):
    case = {"labels": [0, 0, -1], "offsets": [0, 2, 3], "conf": np.ones(3), name: value}
    with pytest.raises(ValueError, match=message):
        average_people(**case, coord=np.zeros((3, 2)))
    with pytest.raises(ValueError, match=message):
        drop_strays(**case, edges=[[0, 1]], cost=[1.0])


@pytest.mark.parametrize(
    ("edges", "cost", "message"),
    [
        ([[0, 1]], [1.0, 2.0], r"edges must have shape \(2, 2\)"),
        ([[0, 3]], [1.0], "edges must be from 0 to 2"),
        ([[-1, 0]], [1.0], "edges must be from 0 to 2"),
        ([[0.0, 1.0]], [1.0], "edges must hold integers"),
        ([[0, 1]], [np.nan], "cost must be finite"),
        ([[0, 1]], [[1.0]], r"cost must have shape \(1,\), got \(1, 1\)"),
    ],
)
def test_wrong_edges_are_refused(edges, cost, message):
    with pytest.raises(ValueError, match=message):
        drop_strays([0, 0, 0], [0, 3], np.ones(3), edges, cost)


@pytest.mark.parametrize("coord", [np.full((3, 2), np.nan), np.zeros((3, 3))])
def test_wrong_positions_are_refused(coord):
    with pytest.raises(ValueError, match="coord must"):
        average_people([0, 0, 0], [0, 3], np.ones(3), coord)
