import logging

import numpy as np
import pytest

from config import make_config
from dataset import skeleton
from dataset.skeleton import AIC, AIC_SIGMAS, COCO, MPII, NECKHEAD, by_names, from_category, from_config
from util.errors import InputError


@pytest.mark.parametrize("kind", skeleton.SKELETONS, ids=lambda kind: kind.name)
def test_skeletons_are_consistent(kind):
    joints = set(range(kind.num_joints))
    assert len(set(kind.keypoints)) == len(kind.sigmas) == kind.num_joints
    assert np.array_equal(kind.mirror_map[kind.mirror_map], np.arange(kind.num_joints))
    for a, b in kind.symmetric_pairs:
        assert kind.keypoints[a].removeprefix("left_") == kind.keypoints[b].removeprefix("right_")
    for pairs in (kind.limbs, kind.sparse_graph):
        assert len(set(pairs)) == len(pairs)
        assert all(a < b and {a, b} <= joints for a, b in pairs)
        # The mirrored body has the same limbs and edges.
        assert {tuple(sorted(kind.mirror_map[[a, b]].tolist())) for a, b in pairs} == set(pairs)
    assert set(kind.limbs) - set(kind.sparse_graph) <= {(3, 5), (4, 6)}  # COCO draws ears to shoulders


def test_mirror_maps_equal_the_originals(golden_dir):
    golden = np.load(golden_dir / "targets.npz")
    assert np.array_equal(COCO.mirror_map, golden["mirror_map"])
    assert np.array_equal(MPII.mirror_map, golden["mirror_mpii/map"])


def test_neck_and_head_are_not_swapped_and_unused_slots_stay_alone():
    assert NECKHEAD.keypoints[:2] == ("neck", "head_top")
    assert NECKHEAD.mirror_map[:5].tolist() == [0, 1, 2, 3, 4]
    assert NECKHEAD.mirror_map[5:].tolist() == COCO.mirror_map[5:].tolist()
    used = set(np.ravel(NECKHEAD.sparse_graph)) | set(np.ravel(NECKHEAD.limbs))
    assert used == {0, 1} | set(range(5, 17))
    assert {(0, 1), (0, 5), (0, 6), (1, 5), (1, 6)} <= set(NECKHEAD.sparse_graph)


def test_coco_sparse_graph_is_the_published_one(golden_dir):
    published = np.load(golden_dir / "pairwise_features_model.npz")["sparse_graph"]
    assert set(COCO.sparse_graph) == {tuple(sorted(pair)) for pair in published.tolist()}


def test_aic_joints_within_neckhead():
    assert [NECKHEAD.keypoints[slot] for slot in NECKHEAD.to_aic] == list(AIC.keypoints)
    assert AIC.to_aic == tuple(range(14))
    assert AIC.sigmas == AIC_SIGMAS
    assert tuple(NECKHEAD.sigmas[slot] for slot in NECKHEAD.to_aic) == AIC_SIGMAS
    with pytest.raises(InputError, match="coco has no head_top, neck"):
        _ = COCO.to_aic


def test_sigmas_by_name():
    assert COCO.sigmas[:7] == (0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079)
    assert MPII.sigmas[0] == 0.089  # ankle


def test_lookup_by_names():
    assert by_names(list(NECKHEAD.keypoints)) is NECKHEAD
    assert by_names(COCO.keypoints[:-1]) is None


def test_from_config_groups_of_joints():
    cfg = make_config(all_joints=[[0, 2], [1]], all_joints_names=["ear", "nose"])
    own = from_config(cfg)
    assert own.keypoints == ("ear_1", "nose", "ear_2")
    assert own.symmetric_pairs == ((0, 2),)
    assert from_config(make_config(num_joints=2)).keypoints == ("joint0", "joint1")
    with pytest.raises(InputError, match="num_joints is missing"):
        from_config(make_config())


def test_from_config_named_skeleton():
    assert from_config(make_config(skeleton="aic")) is AIC
    with pytest.raises(InputError, match="17, but the skeleton aic has 14"):
        from_config(make_config(skeleton="aic", num_joints=17))


def test_category_of_a_known_skeleton():
    assert from_category({"name": "x", "keypoints": list(AIC.keypoints)}, "f.json") is AIC


DOG = {"name": "dog", "keypoints": ["snout", "left_paw", "right_paw"], "skeleton": [[1, 2], [1, 3]],
       "sigmas": [1, 2, 3]}  # fmt: skip


def test_own_category(caplog):
    own = from_category(DOG, "f.json")
    assert own.keypoints == ("snout", "left_paw", "right_paw")
    assert own.symmetric_pairs == ((1, 2),)
    assert own.limbs == ((0, 1), (0, 2))
    assert own.sparse_graph == ((0, 1), (0, 2), (1, 2))
    assert own.sigmas == (1, 2, 3)
    assert not caplog.records


def test_own_category_says_what_is_missing(caplog):
    own = from_category({"name": "dog", "keypoints": ["snout", "left_paw", "left_ear", "right_ear"]}, "f.json")
    assert own.symmetric_pairs == ((2, 3),)
    assert (own.limbs, own.sparse_graph, own.sigmas) == ((), (), (skeleton.DEFAULT_SIGMA,) * 4)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    for text in ("f.json: category 'dog' (4 joints", "left_paw without", "no 'skeleton'", "no 'sigmas'"):
        assert text in record.getMessage()


def test_own_graph_of_unconnected_limbs_becomes_all_pairs():
    assert from_category({**DOG, "skeleton": [[2, 3]]}, "f.json").sparse_graph == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keypoints": None}, "must be a list of joint names"),
        ({"keypoints": ["a", 1]}, "must be a list of joint names"),
        ({"keypoints": ["a", "b", "a"]}, "a stands there more than once"),
        ({"skeleton": [[0, 1]]}, r"\[0, 1\] is no pair of two joints; joints count from 1 to 3"),
        ({"skeleton": [1, 2]}, "must be a list of pairs"),
        ({"sigmas": [1, 2]}, "must be 3 numbers > 0"),
        ({"sigmas": [1, 2, float("nan")]}, "must be 3 numbers > 0"),
    ],
)
def test_bad_category(change, message):
    with pytest.raises(InputError, match=message):
        from_category({**DOG, **change}, "f.json")
