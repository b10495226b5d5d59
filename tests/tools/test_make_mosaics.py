"""Mosaics of photos of one person, and their annotations."""

import numpy as np
import pytest
from PIL import Image

from dataset import aic
from tests.annotations import coco_document, write_coco
from tools import make_mosaics


@pytest.fixture
def model_dir(tmp_path, monkeypatch):
    """A folder with pose_cfg.yaml and three photos of one white square, the right wrist of a person, on black."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images/val").mkdir(parents=True)
    images, people = [], []
    for number in range(3):
        image = np.zeros((80, 90, 3), np.uint8)
        y, x = 20 + 10 * number, 30 + 5 * number
        image[y - 4 : y + 5, x - 4 : x + 5] = 255
        Image.fromarray(image).save(tmp_path / f"images/val/{number}.png")
        images.append({"file_name": f"{number}.png", "height": 80, "width": 90})
        people.append({"image_id": number, "keypoints": [0] * 6 + [x, y, 2] + [0] * 33, "bbox": [x, y, 1, 1]})
    write_coco(tmp_path, "val", coco_document(images, people, aic.AIC.keypoints))
    (tmp_path / "pose_cfg.yaml").write_text("dataset: .\ndataset_type: coco\nscale_jitter_lo: 0.5\n")
    return tmp_path


def test_every_joint_lies_on_its_square(model_dir, capsys):
    make_mosaics.main(["--number", "3", "--side", "128", "dataset_phase=val"])
    assert "3 images, 12 people" in capsys.readouterr().out
    records = list(aic.AnnotationFile(model_dir / "mosaics/annotations/val.json"))
    assert len(records) == 3
    for record in records:
        image = np.asarray(Image.open(model_dir / f"mosaics/images/val/{record.image_id}.png"))
        assert image.shape == (128, 128, 3) and len(record.people) == 4
        for person in record.people:
            x, y, flag = person.keypoints[6:9]
            assert flag == aic.VISIBLE and person.keypoints[:6] == [0, 0, 3] * 2
            assert (image[y - 3 : y + 4, x - 3 : x + 4] > 250).all()
            assert person.box == [max(0, x - 4), max(0, y - 4), min(127, x + 4), min(127, y + 4)]


def test_flags_become_those_of_ai_challenger():
    people = np.zeros((2, 14, 3), np.float32)
    people[0, :2] = [[10, 20, 2], [30, 60, 1]]
    record = make_mosaics.record("a", people, 100)
    assert record["keypoint_annotations"] == {"human1": [10, 20, 1, 30, 60, 2] + [0, 0, 3] * 12}
    assert record["human_annotations"] == {"human1": [6, 16, 34, 64]}
