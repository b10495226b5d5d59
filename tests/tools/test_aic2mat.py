"""People cut out of AI Challenger's images as MPII has them: one in each crop, heads of one size."""

import json

import numpy as np
import pytest
from PIL import Image

from config import make_config
from dataset.factory import create
from dataset.skeleton import AIC, MPII
from tests.annotations import aic_record
from tools.aic2mat import body_height, main


def upright(height, foot=(100, 300)):
    """(14, 3) Somebody of typical proportions, with hanging arms."""
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


def test_height_of_a_person_who_squats_or_is_partly_labelled():
    keypoints = upright(200)
    knees = [AIC.keypoints.index(name) for name in ("left_knee", "right_knee")]
    keypoints[knees, 1] = keypoints[AIC.keypoints.index("left_hip"), 1] + 5  # thighs towards the camera
    assert body_height(keypoints) == pytest.approx(200, rel=0.05)
    keypoints[:, 2] = 0
    assert body_height(keypoints) is None
    keypoints[[AIC.keypoints.index("neck"), AIC.keypoints.index("head_top")], 2] = 1
    assert body_height(keypoints) == pytest.approx(200)


def cut_out(folder, people):
    """The data set of the crops of people, by image id and name, each with the same box."""
    for image_id in people:
        path = folder / f"images/{image_id}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (320, 320), "gray").save(path)
    records = [aic_record(image_id, named, [80, 90, 120, 300]) for image_id, named in people.items()]
    (folder / "a.json").write_text(json.dumps(records))
    main(["--keypoint_json", str(folder / "a.json"), "--img_dir", str(folder / "images"),
          "--out_dir", str(folder / "out/cropped")])  # fmt: skip
    return create(make_config(dataset=str(folder / "out/cropped/dataset.mat"), dataset_type="mpii"))


def test_crops_have_mpiis_joints(tmp_path, capsys):
    keypoints = upright(200).round().astype(int)
    keypoints[AIC.keypoints.index("left_wrist")] = 0, 0, 3
    (sample,) = cut_out(tmp_path, {"a": {"human1": keypoints.ravel().tolist()}})
    assert "1 images, 1 people written to" in capsys.readouterr().out
    joints = dict(zip(MPII.keypoints, sample.people[0], strict=True))
    assert joints["left_wrist"][2] == 0 and sample.people[0, :, 2].sum() == 13
    assert joints["right_ankle"][1] - joints["forehead"][1] == pytest.approx(0.961 * 400, rel=0.02)
    assert joints["chin"][1] > joints["forehead"][1] and joints["left_hip"][0] > joints["right_hip"][0]


def test_each_person_has_a_crop_of_their_own(tmp_path):
    """Even if image ids and names, put together, are the same; and none lies outside the folder."""
    names = {"a/b": ["c"], "a_b": ["c", "c_2", "../../../d"], "a": ["b_c"]}
    keypoints = upright(200).round().astype(int).ravel().tolist()
    dataset = cut_out(tmp_path, {image_id: dict.fromkeys(people, keypoints) for image_id, people in names.items()})
    crops = {"a_b_c", "a_b_c_2", "a_b_c_2_2", "a_b_.._.._.._d", "a_b_c_3"}
    assert {path.stem for path in (tmp_path / "out/cropped").glob("*.png")} == crops
    assert sorted(dataset.names) == sorted(crops)
    assert not list((tmp_path / "out").glob("*.png")) and not list(tmp_path.glob("*.png"))
