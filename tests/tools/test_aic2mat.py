import json

import numpy as np
import pytest
from PIL import Image

from config import make_config
from dataset.factory import create
from dataset.skeleton import AIC, MPII
from tools.aic2mat import body_height, main


def upright(height, foot=(100, 300)):
    """(14, 3) somebody of typical proportions, arms hanging."""
    x, y = foot
    level = {"head_top": 1.0, "neck": 0.818, "shoulder": 0.818, "elbow": 0.632, "wrist": 0.486, "hip": 0.53,
             "knee": 0.285, "ankle": 0.039}  # fmt: skip
    sides = {"left": 10, "right": -10}
    keypoints = []
    for name in AIC.keypoints:
        side, _, part = name.rpartition("_") if name not in level else ("", "", name)
        keypoints.append([x + sides.get(side, 0), y - level[part] * height, 1])
    return np.array(keypoints)


def test_height_of_an_upright_person():
    assert body_height(upright(200)) == pytest.approx(200, rel=0.01)


def test_height_of_a_squatting_one_and_of_parts():
    keypoints = upright(200)
    knees = [AIC.keypoints.index(name) for name in ("left_knee", "right_knee")]
    keypoints[knees, 1] = keypoints[AIC.keypoints.index("left_hip"), 1] + 5  # thighs towards the camera
    assert body_height(keypoints) == pytest.approx(200, rel=0.05)
    keypoints[:, 2] = 0
    assert body_height(keypoints) is None
    keypoints[[AIC.keypoints.index("neck"), AIC.keypoints.index("head_top")], 2] = 1
    assert body_height(keypoints) == pytest.approx(200)


def test_crops_have_mpiis_joints(tmp_path, capsys):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (320, 320), "gray").save(tmp_path / "images/a.jpg")
    keypoints = upright(200).round().astype(int)
    keypoints[AIC.keypoints.index("left_wrist")] = 0, 0, 3
    record = {"image_id": "a", "url": "", "keypoint_annotations": {"human1": keypoints.ravel().tolist()},
              "human_annotations": {"human1": [80, 90, 120, 300]}}  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps([record]))
    main(["--keypoint_json", str(tmp_path / "a.json"), "--img_dir", str(tmp_path / "images"),
          "--out_dir", str(tmp_path / "cropped")])  # fmt: skip
    assert "1 images, 1 people written to" in capsys.readouterr().out
    sample = create(make_config(dataset=str(tmp_path / "cropped/dataset.mat"), dataset_type="mpii"))[0]
    joints = dict(zip(MPII.keypoints, sample.people[0], strict=True))
    assert joints["left_wrist"][2] == 0 and sample.people[0, :, 2].sum() == 13
    assert joints["right_ankle"][1] - joints["forehead"][1] == pytest.approx(0.961 * 400, rel=0.02)
    assert joints["chin"][1] > joints["forehead"][1] and joints["left_hip"][0] > joints["right_hip"][0]
