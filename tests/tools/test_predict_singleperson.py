"""The joints of people in given boxes, as a submission or as predictions.mat."""

import json

import numpy as np
import pytest
from PIL import Image

from dataset.skeleton import AIC, NECKHEAD, from_config
from multiperson.estimator import PoseResult
from multiperson.predict import People, named_joints
from multiperson.single_person import SinglePersonEstimator
from tests.annotations import aic_record, coco_document, write_coco
from tests.drawn import assert_people_drawn
from tools import predict_singleperson
from util.errors import InputError
from util.matfile import read_mat

BOXES = {"human2": [10, 10, 30, 40], "human1": [40, 10, 60, 40]}


class InBoxes(SinglePersonEstimator):
    """Finds joint j of the person in a box j pixels to the right of where the box begins."""

    def __init__(self, cfg):
        self.cfg, self.skeleton = cfg, from_config(cfg)

    def in_boxes(self, image, boxes, pad, side):
        corners = np.array([(0, 0) if box is None else box[:2] for box in boxes])
        joints = corners[:, None] + [[joint, 0] for joint in range(17)]
        keypoints = np.concatenate([joints, np.full((len(boxes), 17, 1), 0.5)], axis=2)
        return PoseResult(People.of(keypoints), self.skeleton, image.shape[:2], 0, 0)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two images of two people, one of them broken."""
    (tmp_path / "images").mkdir()
    Image.new("RGB", (64, 48)).save(tmp_path / "images/a.png")
    (tmp_path / "images/broken.jpg").write_bytes(b"no image")
    people = dict.fromkeys(BOXES, [20, 20, 1] * 14)
    records = [aic_record(name, people, BOXES) for name in ("a", "broken", "absent")]
    (tmp_path / "ref.json").write_text(json.dumps(records))
    (tmp_path / "pose_cfg.yaml").write_text("skeleton: neckhead\ndataset_type: coco\ninit_weights: weights\n")
    monkeypatch.setattr(predict_singleperson, "build_estimator", lambda cfg, weights, single_person: InBoxes(cfg))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_people_keep_their_names(folder, capsys, caplog):
    predict_singleperson.main(["--ref", "ref.json", "--img_dir", "images", "--draw"])
    a, broken = json.loads((folder / "results/aic.json").read_text())
    assert a["image_id"] == "a" and set(a["keypoint_annotations"]) == set(BOXES)
    for name, values in a["keypoint_annotations"].items():
        x, y = np.array(values).reshape(14, 3)[AIC.keypoints.index("left_hip"), :2]
        assert (x, y) == (BOXES[name][0] + NECKHEAD.keypoints.index("left_hip"), BOXES[name][1])
    assert a["scores"] == {"human1": 0.5, "human2": 0.5}
    assert broken["keypoint_annotations"] == {}
    poses = [np.reshape(values, (14, 3)) for values in a["keypoint_annotations"].values()]
    drawn = [{"keypoints": named_joints(AIC.keypoints, pose)} for pose in poses]
    assert_people_drawn(folder / "results/a_single.png", np.zeros((48, 64, 3), np.uint8), drawn, ids=[0, 1])
    assert "1 images could not be read" in capsys.readouterr().out
    assert "broken.jpg: not an image" in caplog.text
    assert "records whose image is not on disk: 1 (absent)" in caplog.text


def test_a_data_set_gives_a_cell_for_each_person(folder):
    people = [{"image_id": 0, "bbox": [x, 10, 20, 30], "keypoints": [20, 20, 2] * 17} for x in (10, 40)]
    (folder / "images/train").mkdir()
    (folder / "images/a.png").rename(folder / "images/train/a.png")
    image = {"file_name": "a.png", "width": 64, "height": 48}
    write_coco(folder, "train", coco_document([image], people, NECKHEAD.keypoints))
    predict_singleperson.main(["dataset=."])
    cells = read_mat(folder / "results/predictions.mat", "joints")["joints"]
    assert cells.shape == (1, 2) and [cell[0].tolist() for cell in cells[0]] == [[10, 10, 0.5], [40, 10, 0.5]]


@pytest.mark.parametrize("arguments, message", [
    (["--ref", "ref.json"], "--ref and --img_dir belong together"),
    (["--pad", "-1"], "--pad must be at least 0"),
    (["--ref", "ref.json", "--img_dir", "nowhere"], r"nowhere: no such folder \(--img_dir\)"),
    (["--ref", "ref.json", "--img_dir", "images", "skeleton=coco"], "skeleton coco has no head_top, neck"),
    ([], "dataset is missing"),
])  # fmt: skip
def test_mistakes_are_named(folder, arguments, message):
    with pytest.raises(InputError, match=message):
        predict_singleperson.main(arguments)
