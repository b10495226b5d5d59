"""The names of images in result files."""

import numpy as np
import pytest
from PIL import Image

from config import make_config
from dataset.factory import create
from dataset.pose_dataset import save_dataset_mat
from dataset.skeleton import COCO
from dataset.targets import dataset_images, image_files
from tests.annotations import coco_document, write_coco
from util.errors import InputError


@pytest.fixture
def pictures(tmp_path):
    """Makes empty pictures of these names; returns their paths."""

    def make(*names):
        paths = [tmp_path / name for name in names]
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8)).save(path)
        return paths

    return make


def test_files_of_equal_numbers_keep_their_names(pictures):
    paths = pictures("7.png", "1.png", "001.png", "\u0661.png", "a.png")  # the last but one: 1 in Arabic digits
    targets = image_files(paths)
    assert [target.coco_id for target in targets] == [7, "1", "001", "\u0661", "a"]
    assert [target.name for target in targets] == ["7", "1", "001", "\u0661", "a"]
    assert [target.path for target in targets] == paths


def test_a_file_named_twice_counts_once(pictures, tmp_path):
    (path,) = pictures("x/a.png")
    assert len(image_files([path, tmp_path / "x", tmp_path / "x/../x/a.png"])) == 1
    with pytest.raises(InputError, match="no such file"):
        image_files([tmp_path / "missing.png"])


def test_images_of_one_name_are_told_apart_by_folder(pictures, tmp_path):
    """As in the labeled-data of DeepLabCut."""
    pictures("a/img1.png", "b/img1.png", "b/img2.jpg", "b/img2.png")
    names = "a/img1.png", "b/img1.png", "b/img2.jpg", "b/img2.png"
    save_dataset_mat(tmp_path / "dataset.mat", [(name, (8, 8), [np.array([[0, 1, 1]])]) for name in names])
    dataset = create(make_config(dataset=str(tmp_path / "dataset.mat"), num_joints=1))
    targets = dataset_images(dataset)
    assert [target.name for target in targets] == ["a/img1", "b/img1", "b/img2.jpg", "b/img2.png"]
    assert [target.coco_id for target in targets] == [target.name for target in targets]


def test_images_of_a_coco_data_set_have_its_ids(pictures, tmp_path):
    pictures("images/val/a.jpg", "images/val/a.png", "images/val/b/5.png")
    images = [{"id": 3, "file_name": "a.jpg"}, {"id": 4, "file_name": "a.png"}, {"id": 5, "file_name": "b/5.png"}]
    write_coco(tmp_path, "val", coco_document(images) | {"categories": [{"id": 9, "keypoints": COCO.keypoints}]})
    targets = dataset_images(create(make_config(dataset=str(tmp_path), dataset_type="coco", dataset_phase="val")))
    assert [target[1:] for target in targets] == [(3, "a.jpg", 9), (4, "a.png", 9), (5, "b/5", 9)]
