"""A small data set in COCO's format for each test."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from config import make_config
from dataset.skeleton import COCO


class CocoFolder:
    """Writes `annotations/person_keypoints_train.json` and `images/train/` below `path`."""

    def __init__(self, path: Path):
        self.path = path
        (path / "images/train").mkdir(parents=True)
        self.content = {
            "images": [],
            "annotations": [],
            "categories": [{"id": 1, "name": "person", "keypoints": list(COCO.keypoints), "skeleton": [[1, 2]]}],
        }

    def add_image(self, size=(48, 64), file_name=None, write=True, **fields) -> dict:
        number = len(self.content["images"])
        height, width = size
        name = file_name or f"{number:03d}.jpg"
        if write:
            pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(self.path / "images/train" / name)
        entry = {"id": 100 + number, "file_name": name, "height": height, "width": width, **fields}
        self.content["images"].append(entry)
        return entry

    def add_person(self, image: dict, joints=((5, 10, 20), (6, 30, 21)), **fields) -> dict:
        keypoints = [0] * 51
        for joint, x, y in joints:
            keypoints[3 * joint : 3 * joint + 3] = [x, y, 2]
        entry = {"id": len(self.content["annotations"]) + 1, "image_id": image["id"], "category_id": 1, "iscrowd": 0,
                 "num_keypoints": len(joints), "keypoints": keypoints, "bbox": [5, 6, 30, 20], "area": 600,
                 "segmentation": [[5, 6, 35, 6, 35, 26, 5, 26]], **fields}  # fmt: skip
        self.content["annotations"].append(entry)
        return entry

    def config(self, **values):
        (self.path / "annotations").mkdir(exist_ok=True)
        (self.path / "annotations/person_keypoints_train.json").write_text(json.dumps(self.content))
        return make_config(dataset=str(self.path), dataset_type="coco", **values)


@pytest.fixture
def coco(tmp_path) -> CocoFolder:
    return CocoFolder(tmp_path / "set")


@pytest.fixture
def coco_folder():
    """Makes another data set at a path."""
    return CocoFolder
