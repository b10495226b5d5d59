"""Result files of a whole data set."""

import json

import numpy as np
import pytest
from PIL import Image

from config import make_config
from dataset.skeleton import AIC, NECKHEAD
from multiperson.estimator import PoseResult
from multiperson.predict import People
from tools.predict_multiperson import Target, predict
from util.errors import InputError


@pytest.fixture
def estimator():
    """Finds one person everywhere: joint j at (10 j, 20 j) with confidence .5; refuses files called broken."""
    keypoints = np.array([[[10 * joint, 20 * joint, 0.5] for joint in range(17)]])
    keypoints[0, 2:5] = 0  # the unused slots

    class OnePerson:
        cfg = make_config(num_joints=17, skeleton="neckhead")

        def __call__(self, path):
            if path.stem == "broken":
                raise InputError(f"{path}: not an image")
            return PoseResult(People(keypoints, np.array([0.4])), NECKHEAD.keypoints, (48, 64), 0.1, 0.001)

    return OnePerson()


@pytest.fixture
def target(tmp_path):
    Image.new("RGB", (64, 48)).save(tmp_path / "photo.png")
    return Target(tmp_path / "photo.png", 7, "photo")


def test_both_result_files(estimator, target, tmp_path, capsys):
    assert predict(estimator, [target], tmp_path / "results", draw=True) == 0
    (coco,) = json.loads((tmp_path / "results" / "coco.json").read_text())
    assert coco["image_id"] == 7 and coco["score"] == pytest.approx(0.4)
    assert coco["keypoints"][3:5] == [10, 20] and len(coco["keypoints"]) == 51
    (aic,) = json.loads((tmp_path / "results" / "aic.json").read_text())
    assert aic["image_id"] == "photo"
    person = np.array(aic["keypoint_annotations"]["human1"]).reshape(14, 3)
    for name, (x, y, _) in zip(AIC.keypoints, person, strict=True):
        slot = NECKHEAD.keypoints.index(name)
        assert (x, y) == (10 * slot, 20 * slot), name
    assert (tmp_path / "results" / "photo_people.png").exists()
    assert "1 images, 1 people" in capsys.readouterr().out


def test_unreadable_images_are_left_out_and_told(estimator, target, tmp_path, capsys):
    broken = Target(tmp_path / "broken.png", 8, "broken")
    assert predict(estimator, [broken, target], tmp_path / "results", draw=False) == 2
    assert len(json.loads((tmp_path / "results" / "coco.json").read_text())) == 1
    captured = capsys.readouterr()
    assert "broken.png: not an image" in captured.err and "1 images could not be read" in captured.out
