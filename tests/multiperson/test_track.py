"""Identities over frames: crossing people, gaps, people who come and go."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multiperson.predict import People
from multiperson.track import Tracker, pose_distance

FIGURE = np.random.default_rng(0).uniform([0, 0], [40, 100], (14, 2))


def pose(x, y=0.0, missing=()):
    keypoints = np.column_stack([FIGURE + [x, y], np.full(len(FIGURE), 0.9)])
    keypoints[list(missing)] = 0
    return keypoints


def people(*poses):
    keypoints = np.array(poses).reshape(-1, len(FIGURE), 3)
    return People(keypoints, keypoints[..., 2].mean(axis=1))


def test_crossing_people_keep_their_identities():
    """Two walk through each other; while they overlap only one is found, and the order of the poses changes."""
    tracker, rng = Tracker(), np.random.default_rng(1)
    for frame in range(60):
        left, right = pose(5 * frame), pose(300 - 5 * frame, 4)
        left[:, :2] += rng.normal(0, 1, (14, 2))
        if 28 <= frame <= 32:
            assert len(tracker.update(people(left))) == 1
        elif frame % 2:
            assert tracker.update(people(right, left)) == [1, 0]
        else:
            assert tracker.update(people(left, right)) == [0, 1]


def test_short_gaps_are_bridged_and_longer_ones_are_not():
    tracker = Tracker(max_gap=3)
    for frame in range(5):
        assert tracker.update(people(pose(8 * frame))) == [0]
    for _ in range(3):
        assert tracker.update(people()) == []
    assert tracker.update(people(pose(8 * 8))) == [0]
    for _ in range(4):
        tracker.update(people())
    assert tracker.update(people(pose(8 * 13))) == [1]


def test_who_appears_elsewhere_is_new():
    tracker = Tracker()
    assert tracker.update(people(pose(0))) == [0]
    assert tracker.update(people(pose(500), pose(0))) == [1, 0]
    assert tracker.update(people(pose(500))) == [1]


def test_joints_that_come_and_go_do_not_matter():
    tracker = Tracker()
    assert tracker.update(people(pose(0, missing=range(7)))) == [0]
    assert tracker.update(people(pose(3, missing=[13]))) == [0]
    assert tracker.update(people(pose(6, missing=range(7, 14)))) == [0]  # none of the joints of the first frame


def test_the_distance_is_in_sizes_of_the_person():
    moved = pose(30)
    size = np.hypot(*np.ptp(FIGURE, axis=0))
    assert pose_distance(pose(0), moved) == pytest.approx(30 / size)
    assert pose_distance(pose(0, missing=range(7)), pose(0, missing=range(7, 14))) == np.inf


@given(st.lists(st.lists(st.integers(0, 400), max_size=4), max_size=8))
def test_identities_differ_within_a_frame_and_count_up(frames):
    tracker, known = Tracker(), 0
    for places in frames:
        identities = tracker.update(people(*map(pose, places)))
        assert len(set(identities)) == len(places)
        new = sorted(identity for identity in identities if identity >= known)
        assert new == list(range(known, known + len(new)))
        known += len(new)
