"""The corners of the boxes around joints."""

import numpy as np

from dataset.extent import joint_extent


def test_only_labelled_joints_count():
    people = np.array([[[3, 9, 1], [5, 4, 2], [99, 0, 0]], [[1, 1, 0]] * 3], np.float32)
    low, high = joint_extent(people)
    assert low.tolist() == [[3, 4], [np.inf, np.inf]] and high.tolist() == [[5, 9], [-np.inf, -np.inf]]
    assert low.dtype == np.float32


def test_nobody_and_people_without_joints():
    for shape in ((0, 14, 3), (2, 0, 3)):
        low, high = joint_extent(np.zeros(shape))
        assert low.shape == high.shape == (shape[0], 2) and (low == np.inf).all()
