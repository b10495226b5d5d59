"""The demo for single people writes pictures and JSON, and passes over broken files."""

import json
import subprocess
import sys

import numpy as np
import pytest

from config import make_config
from dataset.skeleton import from_config
from demo import singleperson
from multiperson.single_person import SinglePose
from util.errors import InputError
from util.images import read_image

# Read off by eye, in pixels of the photograph of 512x512.
ASTRONAUT = {"head_top": (225, 18), "neck": (212, 195), "right_shoulder": (100, 255), "left_shoulder": (318, 262)}


@pytest.fixture
def estimator():
    """Finds three joints, and is unsure of the last one."""

    def find(image):
        keypoints = np.array([[10, 20, 0.9], [30, 24, 0.7], [5, 5, 0.05]])
        return SinglePose(keypoints, image, np.full((6, 8, 3), 0.5, np.float32), keypoints)

    find.cfg = make_config(num_joints=3, all_joints=[[0, 1], [2]], all_joints_names=["eye", "tail"])
    find.skeleton = from_config(find.cfg)
    return find


def test_writes_pictures_and_json_for_each_image(estimator, pictures, tmp_path, capsys, caplog):
    out = tmp_path / "out"
    singleperson.run_demo(estimator, pictures, out, show=False)
    names = {f"{name}_{kind}" for name in ("x", "x_2") for kind in ("pose.jpg", "heatmaps.png", "pose.json")}
    assert {path.name for path in out.iterdir()} == names
    content = json.loads((out / "x_pose.json").read_text())
    assert content == {
        "height": 48,
        "width": 64,
        "keypoints": {"eye_1": {"x": 10, "y": 20, "confidence": 0.9}, "eye_2": {"x": 30, "y": 24, "confidence": 0.7}},
    }
    drawn = read_image(out / "x_pose.jpg").astype(int)
    coloured = np.ptp(drawn, axis=2) > 50
    # 48x64, eight times enlarged
    assert drawn.shape == (384, 512, 3) and coloured[160:168, 80:88].any() and not coloured[16:72, 16:72].any()
    assert capsys.readouterr().out.splitlines()[1].split() == ["x.png", "2", "0.55"]
    assert len(caplog.messages) == 1 and "skipped" in caplog.text and "broken.png" in caplog.text


def test_a_missing_configuration_is_named():
    with pytest.raises(InputError, match="nowhere.yaml: cannot be read"):
        singleperson.main(["--cfg", "nowhere.yaml"])


def test_the_first_command_finds_the_person_of_a_photograph(tmp_path):
    command = [sys.executable, singleperson.__file__, "--out_dir", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "astronaut.png" in result.stdout and result.stderr == ""
    found = json.loads((tmp_path / "astronaut_pose.json").read_text())["keypoints"]
    for joint, (x, y) in ASTRONAUT.items():
        assert np.hypot(found[joint]["x"] - x, found[joint]["y"] - y) < 51, joint  # a tenth of the person's size
