"""Sizes of people, and the share of joints within a part of that size."""

import numpy as np
import pytest

from dataset.pck import extent_size, head_size, relative_errors, torso_size
from dataset.skeleton import AIC, MPII


def person(skeleton, **joints):
    """(1, J, 3) with the joints named, at (x, y)."""
    people = np.zeros((1, skeleton.num_joints, 3))
    for name, xy in joints.items():
        people[0, skeleton.keypoints.index(name)] = *xy, 1
    return people


def test_sizes_of_torso_head_and_extent():
    people = person(AIC, left_shoulder=(10, 10), right_hip=(13, 14), neck=(20, 5), head_top=(20, -1))
    assert torso_size(people, AIC).tolist() == [5]
    assert head_size(people, AIC).tolist() == [6]
    assert extent_size(people).tolist() == [15]
    assert head_size(np.zeros((2, 14, 3)), MPII).tolist() == [50, 50]


def test_a_size_is_unknown_where_a_joint_is_not_labelled():
    people = person(AIC, left_shoulder=(10, 10), neck=(3, 4))
    assert np.isnan(torso_size(people, AIC)).all() and np.isnan(head_size(people, AIC)).all()
    assert extent_size(people).tolist() == [7]
    assert np.isnan(extent_size(np.zeros((1, 14, 3)))).all()


def test_shares_count_by_joint_and_together():
    true = np.array([[[0, 0, 1], [10, 0, 1], [0, 0, 0]], [[0, 0, 1], [10, 0, 1], [5, 5, 1]]], float)
    predicted = np.array([[[3, 4, 0.9], [10, 0, 0.0], [9, 9, 1]], [[0, 2.0001, 1], [10, 2, 1], [5, 5, 1]]])
    errors = relative_errors(true, predicted, np.array([25.0, 10.0]))
    assert errors.counts.tolist() == [2, 2, 1]
    # The first person's first joint is off by .2 exactly; its second is missing in the prediction.
    assert errors.share(0.2).tolist() == [0.5, 0.5, 1]
    assert errors.total(0.2) == pytest.approx(3 / 5)


def test_people_without_a_size_count_nowhere():
    true = np.ones((2, 3, 3))
    errors = relative_errors(true, true, np.array([np.nan, 0.0]))
    assert errors.counts.tolist() == [0, 0, 0]
    assert np.isnan(errors.share(0.2)).all() and np.isnan(errors.total(0.2))
