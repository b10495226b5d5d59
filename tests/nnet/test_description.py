"""Descriptions of models: written and read back, and what wins where configuration and description meet."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from config import load_config, make_config
from dataset.model_spec import PIXELS, ModelSpec, from_config
from dataset.pair_offsets import PairwiseStats, save_pairwise_stats
from dataset.skeleton import COCO, from_table
from nnet.description import describe, keep_beside, read_spec
from util.errors import InputError

MODELS = Path(__file__).parents[2] / "models"
DOG = {"name": "dog", "joints": ["nose", ["L_ear", 0.02, "red"], "R_ear"], "limbs": [["nose", "L_ear"]]}


def full_spec(channels=None, **changes):
    """A model with all heads, no value of which is a default."""
    rng = np.random.default_rng(0)
    spec = ModelSpec(
        skeleton=from_table(DOG, ""),
        net_type="resnet_50_fpn",
        mean_pixel=(120, 117.5, 0.1),
        locref_stdev=9.5,
        intermediate_layer=5,
        pairwise=PairwiseStats(rng.normal(0, 20, (6, 2)), rng.uniform(5, 9, (6, 2)), channels),
        pairwise_scale=0.35,
        network="0af3",
    )
    return replace(spec, **changes)


@pytest.fixture
def snapshot(tmp_path):
    """The prefix of a snapshot that the description of `full_spec` lies beside."""
    keep_beside(tmp_path / "snapshot", full_spec())
    return tmp_path / "snapshot-5"


@pytest.mark.parametrize(
    "spec",
    [
        full_spec(),
        full_spec(pairwise_unit=PIXELS),
        full_spec(channels=np.array([3, 0, 5, 1, 2, 4])),
        full_spec(pairwise=None),
        from_config(make_config(num_joints=1, net_type="mobilenet_v2_1.0")),
        from_config(make_config(skeleton="coco")),
    ],
    ids=["all heads", "pixels", "other order", "no pairwise", "parts of one joint", "coco"],
)
def test_what_is_written_is_read_back(tmp_path, spec):
    keep_beside(tmp_path / "snapshot", spec)
    found, source = read_spec(tmp_path / "snapshot-5")
    assert found.as_table() == spec.as_table() and source == str(tmp_path / "model.yaml")
    assert found.skeleton == spec.skeleton and found.heads == spec.heads and found.stride == spec.stride
    if spec.pairwise is not None:
        for ours, theirs in zip(found.pairwise, spec.pairwise, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def changed(**values):
    return full_spec().as_table() | values


def with_pairs(change):
    """The pairs of the description, changed by a function."""
    rows = full_spec().as_table()["pairwise_offsets"]
    return changed(pairwise_offsets=change(rows))


@pytest.mark.parametrize("content, message", [
    (None, "expected the description of a model"),
    ([1, 2], "expected the description of a model"),
    (changed(skeleton="aic"), "expected the description of a model"),
    (changed(skeleton={"joints": ["a", "a"]}), "joint names must differ"),
    (changed(net_type="resnet_7"), "net_type: expected one of .*found 'resnet_7'"),
    (changed(net_type=None), "net_type: expected one of"),
    ({"skeleton": DOG}, "net_type, mean_pixel or pairwise_unit is missing"),
    (changed(mean_pixel=[1, float("nan"), 1]), "mean_pixel: expected a list of 3 numbers"),
    (changed(locref_stdev=0), "locref_stdev: expected a number"),
    (changed(stride=8), "stride is 8, but the maps of resnet_50_fpn have 4"),
    (changed(pairwise_unit="miles"), "pairwise_unit is missing or unknown"),
    (changed(pairwise_offsets=None), "rows of two joints and four numbers"),
    (with_pairs(lambda rows: [row + row[2:] for row in rows]), "rows of two joints and four numbers"),
    (with_pairs(lambda rows: [["tail", *rows[0][1:]], *rows[1:]]), "rows of two joints and four numbers"),
    (with_pairs(lambda rows: [[*rows[0][:5], 10**400], *rows[1:]]), "rows of two joints and four numbers"),
    (with_pairs(lambda rows: rows[1:]), "each pair of joints once"),
    (with_pairs(lambda rows: [*rows[1:], rows[1]]), "each pair of joints once"),
    (with_pairs(lambda rows: [[*rows[0][:5], 0], *rows[1:]]), "deviations above 0"),
    (with_pairs(lambda rows: [[*rows[0][:3], float("nan"), 1, 1], *rows[1:]]), "finite numbers"),
])  # fmt: skip
def test_broken_descriptions_are_one_line_with_their_path(tmp_path, content, message):
    path = tmp_path / "model.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(InputError, match=f"^{path}: .*{message}") as caught:
        read_spec(tmp_path / "snapshot-5")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_a_folder_keeps_one_description(snapshot):
    keep_beside(snapshot, full_spec(network=""))
    with pytest.raises(InputError, match=r"model.yaml: describes another model: its locref_stdev differs; move it"):
        keep_beside(snapshot, full_spec(locref_stdev=7.0))
    assert read_spec(snapshot)[0].as_table() == full_spec(network="").as_table()


def test_the_description_wins_over_defaults_and_may_be_repeated(snapshot):
    keys = "skeleton", "stride", "net_type", "mean_pixel", "locref_stdev", "pairwise_scale"
    repeated = {key: full_spec().as_table()[key] for key in keys}
    heads = {"location_refinement": True, "pairwise_predict": True}
    for values in ({}, {"num_joints": 3, "global_scale": 2.0}, repeated | heads):
        assert describe(make_config(**values), snapshot).as_table() == full_spec().as_table()


@pytest.mark.parametrize("key, value, message", [
    ("net_type", "resnet_50", "net_type is resnet_50, but the model in .*/model.yaml has resnet_50_fpn: leave the key"),
    ("stride", 8, "stride is 8, but .* has 4"),
    ("mean_pixel", [0, 0, 0], r"mean_pixel is \[0.0, 0.0, 0.0\], but .* has \[120.0, 117.5, 0.1\]"),
    ("locref_stdev", 7.2801, "locref_stdev is 7.2801, but .* has 9.5"),
    ("pairwise_scale", 1, "pairwise_scale is 1.0, but .* has 0.35"),
    ("num_joints", 4, "num_joints is 4, but .*/model.yaml has 3 joints"),
    ("skeleton", {"joints": ["nose", "R_ear", "L_ear"]}, "joint 1 is R_ear in skeleton own, but L_ear in .*model.yaml"),
])  # fmt: skip
def test_a_contradiction_is_refused(snapshot, key, value, message):
    with pytest.raises(InputError, match=f"^make_config: {message}"):
        describe(make_config(**{key: value}), snapshot)


def test_heads_are_switched_off_but_not_on(tmp_path, snapshot):
    assert describe(make_config(pairwise_predict=False), snapshot).heads == full_spec(pairwise=None).heads
    assert describe(make_config(location_refinement=False), snapshot).heads == full_spec(locref_stdev=None).heads
    (tmp_path / "model.yaml").unlink()
    keep_beside(snapshot, full_spec(pairwise=None, locref_stdev=None))
    for key in ("pairwise_predict", "location_refinement"):
        with pytest.raises(InputError, match=f"{key} is True, but the model in .*/model.yaml has False"):
            describe(make_config(**{key: True}), snapshot)
    assert describe(make_config(locref_stdev=7.0), snapshot).locref_stdev is None


def test_other_statistics_on_the_command_line_are_refused(tmp_path, snapshot):
    stats = full_spec().pairwise
    save_pairwise_stats(tmp_path / "same.mat", stats.means, stats.std_devs)
    save_pairwise_stats(tmp_path / "other.mat", stats.means, stats.std_devs + 1)
    (tmp_path / "pose_cfg.yaml").write_text("pairwise_stats_fn: other.mat")
    for overrides in ([], ["pairwise_stats_fn=same.mat"]):
        cfg = load_config(tmp_path / "pose_cfg.yaml", overrides)
        assert describe(cfg, snapshot).as_table() == full_spec().as_table()
    with pytest.raises(InputError, match=r"other\.mat: other offsets between joints than the model in .*model.yaml"):
        describe(load_config(tmp_path / "pose_cfg.yaml", ["pairwise_stats_fn=other.mat"]), snapshot)


def test_older_folders_hold_the_skeleton_alone(tmp_path):
    skeleton = from_table(DOG, "")
    (tmp_path / "skeleton.yaml").write_text(yaml.safe_dump(skeleton.as_table()))
    cfg = make_config(net_type="resnet_18", location_refinement=True, global_scale=0.8)
    assert describe(cfg, tmp_path / "snapshot-5").as_table() == from_config(cfg, skeleton).as_table()
    with pytest.raises(InputError, match=r"num_joints is 17, but .*skeleton.yaml has 3 joints"):
        describe(make_config(skeleton="coco"), tmp_path / "snapshot-5")


def test_the_published_coco_model_is_described_by_its_yaml_and_statistics(tmp_path):
    (tmp_path / "test").mkdir()
    (tmp_path / "pairwise").mkdir()
    shutil.copy(MODELS / "coco/test/pose_cfg.yaml", tmp_path / "test")
    rng = np.random.default_rng(0)
    means, std_devs = rng.normal(0, 20, (272, 2)), rng.uniform(5, 9, (272, 2))
    save_pairwise_stats(tmp_path / "pairwise/pairwise_stats.mat", means, std_devs)
    cfg = load_config(tmp_path / "test/pose_cfg.yaml")
    assert cfg.init_weights == str(tmp_path / "coco-resnet-101")
    spec = describe(cfg, cfg.init_weights)
    assert spec.heads == {"part_pred": 17, "locref_pred": 34, "pairwise_pred": 544}
    assert spec.skeleton == COCO and spec.net_type == "resnet_101" and spec.stride == 8
    assert spec.fill == (124, 117, 104) and spec.locref_stdev == 7.2801 and spec.pairwise_scale == 1
    for values in (spec.pairwise.means, means), (spec.pairwise.std_devs, std_devs):
        np.testing.assert_array_equal(*values)


def test_a_deeplabcut_snapshot_is_described_by_its_yaml(tmp_path):
    cfg = make_config(
        all_joints=[[0], [1], [2]],
        all_joints_names=["snout", "leftear", "rightear"],
        net_type="resnet_50",
        location_refinement=True,
        global_scale=0.8,
    )
    spec = describe(cfg, tmp_path / "snapshot-1030000")
    assert spec.heads == {"part_pred": 3, "locref_pred": 6} and spec.net_type == "resnet_50"
    assert spec.skeleton.keypoints == ("snout", "leftear", "rightear")
    assert spec.skeleton.symmetric_pairs == ((1, 2),)


def test_without_any_description_the_missing_key_is_named(tmp_path):
    for weights in (tmp_path / "snapshot-5", None):
        with pytest.raises(InputError, match="make_config: num_joints is missing"):
            describe(make_config(), weights)
