"""Skeletons: the known ones, those of configurations and tables, and how several sources agree."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import make_config
from dataset import skeleton
from dataset.skeleton import AIC, COCO, MPII, NECKHEAD, SKELETONS, agreed, by_names, from_config, from_table
from util.errors import InputError


@pytest.mark.parametrize("kind", SKELETONS.values(), ids=lambda kind: kind.name)
def test_skeletons_are_consistent(kind):
    joints = set(range(kind.num_joints))
    assert SKELETONS[kind.name] is kind
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


def test_cocos_sparse_graph_is_the_published_one(golden_dir):
    published = np.load(golden_dir / "pairwise_features_model.npz")["sparse_graph"]
    assert set(COCO.sparse_graph) == {tuple(sorted(pair)) for pair in published.tolist()}


def test_neckhead_has_aics_joints_and_sigmas():
    assert [NECKHEAD.keypoints[slot] for slot in NECKHEAD.to_aic] == list(AIC.keypoints)
    assert AIC.to_aic == tuple(range(14))
    assert tuple(NECKHEAD.sigmas[slot] for slot in NECKHEAD.to_aic) == AIC.sigmas
    with pytest.raises(InputError, match="coco has no head_top, neck"):
        _ = COCO.to_aic


def test_sigmas_belong_to_names():
    assert COCO.sigmas[:7] == (0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079)
    assert MPII.sigmas[0] == 0.089  # ankle


def test_skeletons_are_found_by_their_names():
    assert by_names(list(NECKHEAD.keypoints)) is NECKHEAD
    assert by_names(COCO.keypoints[:-1]) is None


def test_groups_of_joints_are_left_and_right():
    cfg = make_config(all_joints=[[0, 2], [1]], all_joints_names=["ear", "nose"])
    own = from_config(cfg)
    assert own.keypoints == ("ear_1", "nose", "ear_2")
    assert own.symmetric_pairs == ((0, 2),)
    with pytest.raises(InputError, match="num_joints is missing"):
        from_config(make_config())
    with pytest.raises(InputError, match="all_joints_names: joint names must differ, but ear occurs more"):
        from_config(make_config(all_joints=[[0], [1]], all_joints_names=["ear", "ear"]))


def test_joints_without_names_are_numbered_and_have_unknown_sides():
    own = from_config(make_config(num_joints=2))
    assert own.keypoints == ("joint0", "joint1") and not own.named
    with pytest.raises(InputError, match=r"x.yaml: mirror: true swaps left and right, but the joints' names \(joint0"):
        own.require_sides("x.yaml", "mirror: true")
    assert own.mirror_map.tolist() == [0, 1]
    from_config(make_config(num_joints=1)).require_sides("x.yaml", "mirror: true")  # one joint has no sides
    from_config(make_config(all_joints=[[0], [1]])).require_sides("x.yaml", "mirror: true")  # said to have none


def test_sides_of_single_joints_are_in_their_names():
    cfg = make_config(all_joints=[[0], [1], [2]], all_joints_names=["snout", "leftear", "rightear"])
    assert from_config(cfg).symmetric_pairs == ((1, 2),)


def test_a_configuration_may_name_a_skeleton():
    assert from_config(make_config(skeleton="aic")) == AIC
    assert make_config(skeleton="aic").num_joints == 14
    with pytest.raises(InputError, match="17, but the skeleton aic in make_config has 14"):
        make_config(skeleton="aic", num_joints=17)
    with pytest.raises(InputError, match="'acc' is neither one of aic, coco, mpii, neckhead nor a YAML file"):
        make_config(skeleton="acc")


def test_two_sources_in_one_configuration_must_agree():
    groups = [[0], [1, 2], [3], *([joint] for joint in range(4, 17))]
    with pytest.raises(InputError, match=r"left_ear and right_ear \(joints 3 and 4\) are left and right in make"):
        from_config(make_config(skeleton="coco", all_joints=groups))
    groups = [[0], [1, 2], [3, 4], [5, 6], [7, 8], [9, 10], [12, 11], [13, 14], [15, 16]]
    assert from_config(make_config(skeleton="coco", all_joints=groups)) == COCO
    with pytest.raises(InputError, match="neck and head_top .* right in all_joints of make_config, but not in make"):
        from_config(make_config(skeleton="neckhead", all_joints=[[0, 1], [2], [3], [4], *groups[3:]]))


TAIL = {"name": "tail", "joints": ["root", ["tip", 0.05, "orange"], "ear_l", "ear_r"], "limbs": [["root", "tip"]]}


def test_a_table_has_joints_limbs_sigmas_and_colours():
    own = from_table(TAIL, "x.yaml")
    assert own.keypoints == ("root", "tip", "ear_l", "ear_r")
    assert own.symmetric_pairs == ((2, 3),)
    assert own.limbs == ((0, 1),)
    assert own.sigmas == (skeleton.DEFAULT_SIGMA, 0.05) + 2 * (skeleton.DEFAULT_SIGMA,)
    assert own.colours == (skeleton.MIDDLE, "orange", skeleton.LEFT, skeleton.RIGHT)
    assert from_table({**TAIL, "pairs": []}, "x.yaml").symmetric_pairs == ()
    assert from_table({"joints": ["root", "tip"]}, "x.yaml").symmetric_pairs is None


@pytest.mark.parametrize("table", [TAIL, {"joints": ["a", "b"]}, *(kind.as_table() for kind in SKELETONS.values())])
def test_tables_are_read_as_written(table):
    kind = from_table(table, "")
    assert from_table(kind.as_table(), "") == kind


@pytest.mark.parametrize("change, message", [
    ({"joints": []}, "'joints' must be a list of names"),
    ({"joints": ["a", 1]}, "joint 2: expected a name or .name, sigma, colour., found '1'"),
    ({"joints": ["a", "a"]}, "a occurs more than once"),
    ({"joints": [["a", -1]]}, "joint 1: the sigma of a must be a number above 0, found '-1'"),
    ({"joints": ["a", "b\x1b[1m"]}, "joint 2: expected a name"),
    ({"joints": [["a", 1, "blu"]]}, "joint 1: 'blu' is no colour"),
    ({"joints": [["a", 1, "red", 2]]}, "joint 1: expected a name"),
    ({"limbs": [["root", "tp"]]}, "'limbs': 'tp' is not one of its joints; did you mean tip?"),
    ({"limbs": [["root", "root"]]}, "'limbs': .* is no pair of two joints"),
    ({"limbs": {"root": "tip"}}, "'limbs' must be a list of pairs"),
    ({"pairs": [["root", "tip"], ["ear_l", "tip"]]}, "'pairs' has a joint in two pairs"),
    ({"limb": []}, "unknown key 'limb'; did you mean limbs?"),
])  # fmt: skip
def test_bad_tables_are_refused(change, message):
    with pytest.raises(InputError, match="x.yaml: skeleton tail: .*" + message):
        from_table({**TAIL, **change}, "x.yaml")


def test_data_and_weights_bring_their_skeleton():
    found = from_table({"joints": ["Nose", "L Eye", "R Eye"], "limbs": [["Nose", "L Eye"]]}, "")
    assert agreed(make_config(), found, "f") == found
    assert agreed(make_config(num_joints=3), found, "f") == found
    assert agreed(make_config(all_joints=[[0], [2, 1]], all_joints_names=["nose", "eye"]), found, "f") == found
    with pytest.raises(InputError, match="num_joints is 4, but f has 3 joints"):
        agreed(make_config(num_joints=4), found, "f")
    with pytest.raises(InputError, match="L Eye and R Eye .* are left and right in f, but not in all_joints"):
        agreed(make_config(all_joints=[[0], [1], [2]]), found, "f")


def test_data_complete_the_skeleton_of_the_configuration():
    found = from_table({"joints": [["nose", 0.1], ["left_eye", 0.2], ["right_eye", 0.2]]}, "")
    found = dataclasses.replace(found, limbs=((0, 1),), sparse_graph=((0, 1), (1, 2)))
    table = {"name": "face", "joints": ["Nose", "LEye", "REye"]}
    own = agreed(make_config(skeleton=table), found, "f")
    assert own.keypoints == ("Nose", "LEye", "REye") and own.symmetric_pairs == ((1, 2),)
    assert (own.limbs, own.sparse_graph, own.sigmas) == (((0, 1),), ((0, 1), (1, 2)), (0.1, 0.2, 0.2))
    drawn = agreed(make_config(skeleton={**table, "limbs": [["Nose", "REye"]]}), found, "f")
    assert drawn.limbs == ((0, 2),)
    swapped = dataclasses.replace(found, keypoints=("nose", "right_eye", "left_eye"))
    with pytest.raises(InputError, match="joint 1 is LEye in skeleton face, but right_eye in f"):
        agreed(make_config(skeleton=table), swapped, "f")


def test_pairs_of_configuration_and_data_must_agree():
    found = from_table({"joints": ["nose", "left_eye", "right_eye"]}, "")
    table = {"joints": ["nose", "left_eye", "right_eye"], "pairs": []}
    with pytest.raises(InputError, match=r"left_eye and right_eye \(joints 1 and 2\) are left and right in f, but"):
        agreed(make_config(skeleton=table), found, "f")
    own = agreed(
        make_config(skeleton={"joints": ["nose", ["eye1", 0.1, "pink"], "eye2"]}),
        from_table({"joints": ["nose", "eye1", "eye2"], "pairs": [["eye1", "eye2"]]}, ""),
        "f",
    )
    assert own.symmetric_pairs == ((1, 2),) and own.colours == (skeleton.MIDDLE, "pink", skeleton.RIGHT)


def test_edges_are_those_of_the_graph_or_all_between_used_joints():
    of_skeleton, everything = make_config(sparse_graph="skeleton"), make_config()
    assert COCO.edges(of_skeleton) == sorted(tuple(sorted(pair)) for pair in COCO.sparse_graph)
    assert COCO.edges(make_config(sparse_graph=[[3, 1], [0, 2], [1, 3]])) == [(0, 2), (1, 3)]
    assert len(COCO.edges(everything)) == 17 * 16 // 2
    assert NECKHEAD.edges(everything) == [(a, b) for a in NECKHEAD.used for b in NECKHEAD.used if a < b]
    assert NECKHEAD.used == (0, 1, *range(5, 17))
    assert from_table({"joints": ["a", "b", "c"]}, "").edges(of_skeleton) == [(0, 1), (0, 2), (1, 2)]
    for pair in ([0, 17], [3, 3]):
        with pytest.raises(InputError, match=r"sparse_graph: \[\d+, \d+\] is no pair of two of the 17 joints"):
            COCO.edges(make_config(sparse_graph=[pair]))


def test_joints_are_found_in_any_spelling():
    own = from_table({"joints": ["Right Shoulder", "LHip", "tail"]}, "")
    assert [own.joint(name) for name in ("right_shoulder", "left_hip", "tail", "right_hip")] == [0, 1, 2, None]


def test_known_skeletons_are_known_in_any_spelling():
    names = [name.replace("left_", "L").replace("right_", "R") for name in AIC.keypoints]
    assert by_names(names) is AIC
    own = from_table({"joints": ["extra", *names]}, "")
    assert own.has_aic_joints and own.to_aic == tuple(range(1, 15))
    assert MPII.has_aic_joints and not COCO.has_aic_joints


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.sampled_from("abc")
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=2))
TABLES = st.fixed_dictionaries({}, optional=dict.fromkeys(skeleton.TABLE_KEYS, VALUES))


NAMED = st.fixed_dictionaries({"joints": st.just(["a", "b", "c"])}, optional={"pairs": VALUES, "limbs": VALUES})


@given(TABLES | NAMED)
def test_any_table_is_a_skeleton_or_refused(table):
    try:
        kind = from_table(table, "x.yaml")
    except InputError as error:
        assert str(error).startswith("x.yaml: ") and "\n" not in str(error)
    else:
        assert from_table(kind.as_table(), "") == kind


def test_people_are_converted_to_another_skeleton():
    shared = AIC.shared_joints(COCO)
    assert shared == list(range(5, 17))
    people = np.arange(2 * 14 * 3, dtype=float).reshape(2, 14, 3)
    converted = AIC.convert(people, COCO)
    assert converted.shape == (2, 17, 3) and not converted[:, :5].any()
    np.testing.assert_array_equal(converted[:, 6], people[:, 0])  # right shoulder
    np.testing.assert_array_equal(converted[:, 15], people[:, 11])  # left ankle
