"""The skeleton that is kept with a network."""

import pytest

from config import load_config, make_config
from dataset.skeleton import AIC, MPII, from_config, from_table
from nnet.lite_file import seal
from nnet.model_skeleton import keep_beside, read_skeleton, with_skeleton_of
from util.errors import InputError

DOG = from_table({"name": "dog", "joints": ["nose", ["L_ear", 0.02], "R_ear"], "limbs": [["nose", "L_ear"]]}, "")


def test_a_skeleton_is_kept_beside_a_checkpoint(tmp_path):
    assert read_skeleton(tmp_path / "snapshot-5") == (None, str(tmp_path / "skeleton.yaml"))
    keep_beside(tmp_path / "snapshot", DOG)
    assert read_skeleton(tmp_path / "snapshot-5")[0] == DOG
    cfg = with_skeleton_of(make_config(), tmp_path / "snapshot-5")
    assert from_config(cfg) == DOG and cfg.num_joints == 3


def test_a_skeleton_is_kept_inside_a_tensorflow_lite_model(tmp_path):
    path = tmp_path / "dog.tflite"
    path.write_bytes(seal(b"model", {"skeleton": DOG.as_table()}))
    assert from_config(with_skeleton_of(make_config(num_joints=3), path)) == DOG
    path.write_bytes(seal(b"model", {}))
    assert read_skeleton(path)[0] is None


def test_weights_without_a_skeleton_need_that_of_the_configuration(tmp_path):
    assert from_config(with_skeleton_of(make_config(skeleton="aic"), tmp_path / "weights")) == AIC
    with pytest.raises(InputError, match="num_joints is missing"):
        with_skeleton_of(make_config(), tmp_path / "weights")


def test_weights_of_other_joints_are_refused(tmp_path):
    keep_beside(tmp_path / "snapshot", MPII)
    with pytest.raises(InputError, match="joint 0 is right_shoulder in skeleton aic, but right_ankle in .*.yaml"):
        with_skeleton_of(make_config(skeleton="aic"), tmp_path / "snapshot-5")
    with pytest.raises(InputError, match="num_joints is 3, but .*skeleton.yaml has 14 joints"):
        with_skeleton_of(make_config(num_joints=3), tmp_path / "snapshot-5")


def test_a_folder_keeps_one_skeleton(tmp_path):
    keep_beside(tmp_path / "snapshot", MPII)
    keep_beside(tmp_path / "snapshot", MPII)
    with pytest.raises(InputError, match="skeleton.yaml: has other joints than aic; move it away with the snapshots"):
        keep_beside(tmp_path / "weights", AIC)
    assert read_skeleton(tmp_path / "snapshot")[0] == MPII


def test_a_configuration_without_a_skeleton_takes_the_file_beside_it(tmp_path):
    keep_beside(tmp_path / "snapshot", DOG)
    (tmp_path / "pose_cfg.yaml").write_text("min_keypoints: 1\n")
    assert from_config(load_config(tmp_path / "pose_cfg.yaml")) == DOG
    assert from_config(load_config(tmp_path / "pose_cfg.yaml", ["skeleton=aic"])) == AIC
    (tmp_path / "skeleton.yaml").rename(tmp_path / "dog.yaml")
    assert from_config(load_config(tmp_path / "pose_cfg.yaml", ["skeleton=dog.yaml"])) == DOG


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "expected the table of a skeleton"), ("joints: [a\n", "skeleton.yaml: line 2"), ("joints: [a, a]", "once")],
)
def test_broken_files_are_named(tmp_path, text, message):
    (tmp_path / "skeleton.yaml").write_text(text)
    with pytest.raises(InputError, match=message):
        read_skeleton(tmp_path / "weights")
