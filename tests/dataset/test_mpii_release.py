"""People in the published file of MPII."""

import numpy as np
import pytest
from scipy.io import savemat

from dataset.mpii_release import read_release
from dataset.skeleton import MPII
from tests.dataset.mpii_file import EMPTY, person, struct, write_release
from util.errors import InputError
from util.faults import Faults

ALL_POINTS = {id_: (10 * id_ + 1, 5 * id_ + 2) for id_ in range(16)}


def read(path):
    faults = Faults()
    return read_release(path, faults), faults.counts


def test_people_of_training_images_are_read(tmp_path):
    test_rect = {"scale": 1.5, "objpos": struct([{"x": 50, "y": 60}])}
    write_release(
        tmp_path / "m.mat",
        [
            ("test.jpg", [test_rect], 0, [1]),
            ("a.jpg", [person(ALL_POINTS, visible=EMPTY), person({9: (300, 10), 8: (301, 40)})], 1, [1]),
            ("nobody.jpg", [], 1, []),
            ("without_points.jpg", [test_rect], 1, [1]),
            ("b.jpg", [person({}), person({0: (1, 2)})], 1, [1, 2]),
        ],
    )
    (a, b), counts = read(tmp_path / "m.mat")
    assert (a.name, b.name) == ("a.jpg", "b.jpg") and not counts
    first, second = a.people
    assert (first.name, second.name) == ("im00002_1", "im00002_2")
    assert (first.alone, second.alone) == (True, False)
    assert first.head == pytest.approx(30)
    assert first.points.shape == (16, 2)  # pelvis and thorax count for the margin, too
    joints = dict(zip(MPII.keypoints, first.joints.tolist(), strict=True))
    assert joints["right_ankle"] == [1, 2, 1] and joints["left_ankle"] == [51, 27, 1]
    assert joints["right_wrist"] == [101, 52, 1] and joints["left_wrist"] == [151, 77, 1]
    assert joints["chin"] == [81, 42, 1] and joints["forehead"] == [91, 47, 1]
    assert first.others.tolist() == [[300, 10], [301, 40]]
    assert second.joints[:, 2].tolist() == [0] * 12 + [1, 1]
    assert [p.name for p in b.people] == ["im00005_2"]


def test_incomplete_people_are_counted(tmp_path):
    no_head = {key: EMPTY if key in ("x1", "x2") else value for key, value in person({0: (1, 2)}).items()}
    nan = person({0: (np.nan, 2), 1: (5, 6)})
    write_release(tmp_path / "m.mat", [("a.jpg", [no_head, nan], 1, []), ("../b.jpg", [nan], 1, [1])])
    (image,), counts = read(tmp_path / "m.mat")
    assert [p.points.tolist() for p in image.people] == [[[5, 6]]]
    assert counts == {"people without a rectangle of the head": 1, "images without a usable name": 1}


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "m.mat"
    savemat(path, {"annolist": 1})
    with pytest.raises(InputError, match="variable 'RELEASE' is missing"):
        read(path)
    savemat(path, {"RELEASE": {"annolist": 1}})
    with pytest.raises(InputError, match="RELEASE must be a struct with annolist, img_train, single_person"):
        read(path)
    release = {"annolist": struct([{"image": 1, "annorect": 2}]), "img_train": [1, 1], "single_person": [1]}
    savemat(path, {"RELEASE": release})
    with pytest.raises(InputError, match="have 1, 2 and 1 entries"):
        read(path)
    write_release(path, [("a.jpg", [person(ALL_POINTS)], 0, [1])])
    with pytest.raises(InputError, match="no training image with annotated people"):
        read(path)
