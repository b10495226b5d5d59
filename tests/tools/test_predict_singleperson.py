"""The joints of people in given boxes, as a submission or as predictions.mat."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from dataset.skeleton import AIC, NECKHEAD, from_config
from nnet import load
from tests.annotations import aic_record, coco_document, write_coco
from tools.predict_singleperson import main
from util.errors import InputError
from util.matfile import read_mat

BOXES = {"human2": [10, 10, 30, 40], "human1": [40, 10, 60, 40]}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two images of two people, one of them broken, and an estimator that puts joints where the box begins."""
    (tmp_path / "images").mkdir()
    Image.new("RGB", (64, 48)).save(tmp_path / "images/a.png")
    (tmp_path / "images/broken.jpg").write_bytes(b"no image")
    people = dict.fromkeys(BOXES, [20, 20, 1] * 14)
    records = [aic_record(name, people, BOXES) for name in ("a", "broken", "absent")]
    (tmp_path / "ref.json").write_text(json.dumps(records))
    (tmp_path / "pose_cfg.yaml").write_text("skeleton: neckhead\ndataset_type: coco\n")

    def find(image, box, pad, side):
        x, y = (0, 0) if box is None else box[:2]
        joints = np.column_stack([x + np.arange(17), np.full(17, y), np.full(17, 0.5)])
        return SimpleNamespace(keypoints=joints, reduction=None)

    def build(cfg, weights):
        find.cfg, find.skeleton = cfg, from_config(cfg)
        return find

    monkeypatch.setattr(load, "build_single_estimator", build)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_people_keep_their_names(folder, capsys, caplog):
    main(["--ref", "ref.json", "--img_dir", "images", "--draw"])
    a, broken = json.loads((folder / "results/aic.json").read_text())
    assert a["image_id"] == "a" and set(a["keypoint_annotations"]) == set(BOXES)
    for name, values in a["keypoint_annotations"].items():
        x, y = np.array(values).reshape(14, 3)[AIC.keypoints.index("left_hip"), :2]
        assert (x, y) == (BOXES[name][0] + NECKHEAD.keypoints.index("left_hip"), BOXES[name][1])
    assert a["scores"] == {"human1": 0.5, "human2": 0.5}
    assert broken["keypoint_annotations"] == {}
    assert (folder / "results/a_single.png").exists()
    assert "1 images could not be read" in capsys.readouterr().out
    assert "broken.jpg: not an image" in caplog.text
    assert "records whose image is not on disk: 1 (absent)" in caplog.text


def test_a_data_set_gives_a_cell_for_each_person(folder):
    people = [{"image_id": 0, "bbox": [x, 10, 20, 30], "keypoints": [20, 20, 2] * 17} for x in (10, 40)]
    (folder / "images/train").mkdir()
    (folder / "images/a.png").rename(folder / "images/train/a.png")
    image = {"file_name": "a.png", "width": 64, "height": 48}
    write_coco(folder, "train", coco_document([image], people, NECKHEAD.keypoints))
    main(["dataset=."])
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
        main(arguments)
