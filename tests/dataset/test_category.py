"""Skeletons in the categories of COCO's files."""

import logging

import pytest

from dataset.category import from_category
from dataset.skeleton import AIC, DEFAULT_SIGMA
from util.errors import InputError


def test_a_known_skeleton_is_recognised():
    assert from_category({"name": "x", "keypoints": list(AIC.keypoints)}, "f.json") is AIC


DOG = {"name": "dog", "keypoints": ["snout", "left_paw", "right_paw"], "skeleton": [[1, 2], [1, 3]],
       "sigmas": [1, 2, 3]}  # fmt: skip


def test_another_skeleton_is_taken_from_its_category(caplog):
    own = from_category(DOG, "f.json")
    assert own.keypoints == ("snout", "left_paw", "right_paw")
    assert own.symmetric_pairs == ((1, 2),)
    assert own.limbs == ((0, 1), (0, 2))
    assert own.sparse_graph == ((0, 1), (0, 2), (1, 2))
    assert own.sigmas == (1, 2, 3)
    assert not caplog.records


def test_what_a_category_lacks_is_told(caplog):
    own = from_category({"name": "dog", "keypoints": ["snout", "left_paw", "left_ear", "right_ear"]}, "f.json")
    assert own.symmetric_pairs == ((2, 3),)
    assert (own.limbs, own.sparse_graph, own.sigmas) == ((), (), (DEFAULT_SIGMA,) * 4)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    for text in ("f.json: category 'dog' (4 joints", "left_paw without", "no 'skeleton'", "no 'sigmas'"):
        assert text in record.getMessage()


def test_unconnected_limbs_are_no_graph():
    assert from_category({**DOG, "skeleton": [[2, 3]]}, "f.json").sparse_graph == ()


@pytest.mark.parametrize("change, message", [
    ({"keypoints": None}, "must be a list of joint names"),
    ({"keypoints": ["a", 1]}, "must be a list of joint names"),
    ({"keypoints": ["a", "b", "a"]}, "a occurs more than once"),
    ({"sigmas": [1, 2]}, "must be 3 numbers > 0"),
    ({"sigmas": [1, 2, float("nan")]}, "must be 3 numbers > 0"),
])  # fmt: skip
def test_bad_categories_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        from_category({**DOG, **change}, "f.json")


@pytest.mark.parametrize("limbs, kept, dropped", [
    ([[0, 1], [2, 0]], ((0, 1), (2, 0)), None),
    ([[0, 1], [1, 3]], ((0, 2),), "1 of 2 limbs are no pairs"),
    ([[1, 2], [16, 14], [3, 3], [1], 2, [1, "2"]], ((0, 1),), "5 of 6 limbs are no pairs"),
    ([[7, 8]], (), "1 of 1 limbs are no pairs"),
    ("1-2", (), "'skeleton' is no list of pairs"),
])  # fmt: skip
def test_limbs_may_count_from_0_and_odd_ones_are_dropped(limbs, kept, dropped, caplog):
    assert from_category({**DOG, "skeleton": limbs}, "f.json").limbs == kept
    assert [dropped in record.getMessage() for record in caplog.records] == [True] * bool(dropped)
