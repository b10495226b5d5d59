"""Drawn people: what hides their joints, and the colours of their sides."""

import numpy as np

from dataset.toy import L_WRIST, R_WRIST, Scene, _hidden, draw


def test_hidden_means_covered_by_a_later_person_of_the_same_image():
    joints = np.zeros((3, 14, 2))
    joints[0] = np.arange(14)[:, None] * 10.0
    joints[1:] = 50  # all of the second body is one spot on joint 5 of the first
    hidden = _hidden(joints, np.array([100.0, 100, 100]), np.array([0, 0, 1]))
    assert np.flatnonzero(hidden[0]).tolist() == [5]
    assert not hidden[1:].any()


def test_left_is_warm_and_right_is_cool():
    joints = np.array([[[x, y] for x, y in
                        [(60, 80), (40, 100), (30, 130), (100, 80), (120, 100), (130, 130), (70, 150), (70, 190),
                         (70, 230), (90, 150), (90, 190), (90, 230), (80, 30), (80, 70)]]], float)  # fmt: skip
    scene = Scene(joints, np.array([220.0]), np.array([True]), np.ones((1, 14), int))
    for seed in range(5):
        pixels = np.asarray(draw(scene, (160, 240), np.random.default_rng(seed)), int)

        def colour(a, b, pixels=pixels):
            x, y = joints[0, [a, b]].mean(axis=0).round().astype(int)
            return pixels[y, x]

        assert colour(3, 4)[0] > colour(3, 4)[2] + 60  # left upper arm: more red than blue
        assert colour(0, 1)[2] > colour(0, 1)[0] + 60
        assert colour(9, 10)[0] > colour(9, 10)[2] + 30
        assert colour(6, 7)[2] > colour(6, 7)[0] + 30
        assert joints[0, L_WRIST, 0] > joints[0, R_WRIST, 0]  # the person faces us
