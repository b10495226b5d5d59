"""The demo for single people writes pictures and JSON, and passes over broken files."""

import json
import subprocess
import sys

import numpy as np
import pytest

from config import make_config
from dataset.model_spec import from_config
from demo import singleperson
from multiperson.single_person import SinglePersonEstimator
from nnet.network import Network
from tests.drawn import assert_people_drawn, made_figures, pixel_of
from util.errors import InputError
from util.images import read_image
from util.maps import Maps, cell_centers, map_size

# Read off by eye, in pixels of the photograph of 512x512.
ASTRONAUT = {"head_top": (225, 18), "neck": (212, 195), "right_shoulder": (100, 255), "left_shoulder": (318, 262)}
# In pictures of 64x48.
EYES, TAIL = np.array([(20, 14), (50, 31)]), np.array([33, 40])


class ThreeJoints(Network):
    """Sees eyes, and is unsure of a tail."""

    def _maps_of(self, images):
        stride, joints = self.spec.stride, 1.5 * np.array([*EYES, TAIL])
        rows, cols = map_size(*images[0].shape[:2], stride)
        part_prob, locref = np.zeros((rows, cols, 3), np.float32), np.zeros((rows, cols, 3, 2), np.float32)
        for joint, (place, confidence) in enumerate(zip(joints, (0.9, 0.8, 0.05), strict=True)):
            col, row = (place // stride).astype(int)
            part_prob[row, col, joint] = confidence
            locref[row, col, joint] = place - cell_centers((row, col), stride)
        return [Maps(part_prob, stride, locref)]


def estimator(net_type):
    cfg = make_config(
        num_joints=3,
        all_joints=[[0, 1], [2]],
        all_joints_names=["eye", "tail"],
        net_type=net_type,
        global_scale=1.5,
    )
    return SinglePersonEstimator(ThreeJoints(cfg, from_config(cfg)), cfg)


@pytest.mark.parametrize("net_type, stride", [("resnet_18", 8), ("resnet_18_fpn", 4)])
def test_writes_pictures_and_json_for_each_image(net_type, stride, pictures, tmp_path, monkeypatch, capsys, caplog):
    out, figures = tmp_path / "out", made_figures(monkeypatch)
    singleperson.run_demo(estimator(net_type), pictures, out, show=False)
    names = {f"{name}_{kind}" for name in ("x", "x_2") for kind in ("pose.jpg", "heatmaps.png", "pose.json")}
    assert {path.name for path in out.iterdir()} == names
    content = json.loads((out / "x_pose.json").read_text())
    assert (content["height"], content["width"]) == (48, 64)
    (person,) = content["people"]
    assert person["keypoints"] == {
        "eye_1": {"x": 20, "y": 14, "confidence": 0.9},
        "eye_2": {"x": 50, "y": 31, "confidence": 0.8},
    }
    assert_people_drawn(out / "x_pose.jpg", read_image(pictures[0]), content["people"], ids=[0])
    assert capsys.readouterr().out.splitlines()[1].split() == ["x.png", "2", "0.58"]
    assert len(caplog.messages) == 1 and "skipped" in caplog.text and "broken.png" in caplog.text

    heatmaps = read_image(out / "x_heatmaps.png")
    for axes, joint in zip(figures[0].axes, 1.5 * EYES, strict=False):  # in pixels of the network
        left, top = pixel_of(axes, (-0.5, -0.5), heatmaps)
        right, bottom = pixel_of(axes, (95.5, 71.5), heatmaps)
        panel = heatmaps[round(top) : round(bottom), round(left) : round(right)].astype(int)
        redness = panel[..., 0] - panel[..., 1:].max(axis=2)
        rows, cols = np.nonzero(redness > 0.8 * redness.max())
        spot = (np.array([cols.mean(), rows.mean()]) + 0.5) * 96 / panel.shape[1]
        assert redness.max() > 50 and np.abs(spot - joint).max() < stride
        col, row = np.rint(pixel_of(axes, joint, heatmaps)).astype(int)
        assert heatmaps[row, col].min() > 200  # the white cross in the joint


def test_a_missing_configuration_is_named():
    with pytest.raises(InputError, match="nowhere.yaml: cannot be read"):
        singleperson.main(["--cfg", "nowhere.yaml"])


def test_the_first_command_finds_the_person_of_a_photograph(tmp_path):
    command = [sys.executable, singleperson.__file__, "--out_dir", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "astronaut.png" in result.stdout and result.stderr == ""
    (person,) = json.loads((tmp_path / "astronaut_pose.json").read_text())["people"]
    for joint, (x, y) in ASTRONAUT.items():
        found = person["keypoints"][joint]
        assert np.hypot(found["x"] - x, found["y"] - y) < 51, joint  # a tenth of the person's size
