"""Detections equal the original's, from dense pairwise maps and from a function of cells."""

import numpy as np

from config import make_config
from multiperson.detections import extract_detections
from util.maps import Maps


def test_detections_equal_the_originals(scene):
    detections = extract_detections(scene.cfg, scene.maps)
    assert [len(conf) for conf in detections.conf] == scene.golden["counts"].tolist()
    np.testing.assert_allclose(np.concatenate(detections.coord), scene.golden["coord"], atol=1e-3)
    np.testing.assert_array_equal(np.concatenate(detections.coord_grid), scene.golden["coord_grid"])
    np.testing.assert_array_equal(np.concatenate(detections.conf)[:, 0], scene.golden["conf"])


def test_lazy_pairwise_is_asked_once_and_equals_dense(scene):
    calls = []

    def pairwise(cells):
        calls.append(cells)
        return scene.maps.pairwise[cells[:, 0], cells[:, 1]]

    dense = extract_detections(scene.cfg, scene.maps)
    lazy = extract_detections(scene.cfg, scene.maps._replace(pairwise=pairwise))
    assert len(calls) == 1
    for expected, found in zip(dense.pairwise, lazy.pairwise, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_refinement_and_pairwise_maps_may_be_missing():
    part_prob = np.zeros((4, 6, 2), np.float32)
    part_prob[1, 3, 1] = 0.9
    detections = extract_detections(make_config(), Maps(part_prob, 8))
    assert [len(coord) for coord in detections.coord] == [0, 1]
    assert detections.coord[1].tolist() == detections.coord_grid[1].tolist() == [[28, 12]]
    assert detections.coord[0].shape == (0, 2) and detections.conf[0].shape == (0, 1)
    assert all(array.dtype == np.float64 for array in detections.coord + detections.conf)
    assert detections.pairwise is None
