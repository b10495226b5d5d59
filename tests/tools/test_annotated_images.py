"""Whatever looks for annotated images finds the same ones."""

import json

import numpy as np
import pytest
from PIL import Image

from config import make_config
from dataset.aic import AnnotationFile
from dataset.model_spec import from_config
from dataset.mscoco import MSCOCO
from multiperson.predict import SpatialModel
from tests.annotations import aic_record, coco_document, write_coco
from tests.simulated import SeesPeople
from tools import check_dataset, sweep
from util.errors import InputError
from util.faults import Faults
from util.images import read_image_size

ON_DISK = "a.jpg", "b.png", "c.PNG", "sub/d.jpg", "e", "f.jpg", "f.png"


@pytest.fixture
def data_set(tmp_path):
    """A folder with an image for each of these names, which its width tells, and a folder of the name of an image."""
    for width, name in enumerate(ON_DISK, start=16):
        path = tmp_path / "images/train" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (width, 16)).save(path, "PNG")
    (tmp_path / "images/train/a").mkdir()
    return tmp_path


def by_mscoco(data_set, name):
    (sample,) = MSCOCO(make_config(dataset=str(data_set), dataset_type="coco"))
    return read_image_size(sample.image)[1]


def by_aic(data_set, name):
    (data_set / "aic.json").write_text(json.dumps([aic_record(name)]))
    ((_, found),) = AnnotationFile(data_set / "aic.json").with_images(data_set / "images/train")
    return read_image_size(data_set / "images/train" / found)[1]


def by_check_dataset(data_set, name):
    folder = check_dataset.ImageFolder(data_set / "images/train", decode=False)
    _, width = folder.size(check_dataset.Image(name, None, []), Faults()) or (None, None)
    return width


def by_sweep(data_set, name):
    widths, nobody = [], np.zeros((0, 17, 3))

    def load_network(cfg, weights):
        return SeesPeople(cfg, from_config(cfg), lambda image: widths.append(image.shape[1]) or nobody)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep, "load_network", load_network)
        patch.setattr(sweep, "pairwise_models", lambda cfg, spec: SpatialModel(cfg, spec.skeleton))
        truth = sweep.read_truth(data_set / "annotations/person_keypoints_train.json", None)
        sweep.sweep([make_config(skeleton="coco")], truth, data_set / "images/train")
    return widths[0]


@pytest.mark.parametrize("find", [by_mscoco, by_aic, by_check_dataset, by_sweep])
def test_an_image_is_found_by_its_name_or_without_the_suffix(data_set, find):
    # f.jpg comes before f.png; of suffixes, only lower-case ones are tried.
    expected = {name: name for name in ON_DISK}
    expected |= {"a": "a.jpg", "b": "b.png", "sub/d": "sub/d.jpg", "f": "f.jpg", "c": None, "d.jpg": None, "x": None}
    for name, file in expected.items():
        person = {"image_id": 0, "keypoints": [5, 5, 2] * 17, "bbox": [1, 1, 9, 9], "area": 81}
        write_coco(data_set, "train", coco_document([{"file_name": name, "width": 20, "height": 16}], [person]))
        try:
            found = find(data_set, name)
        except InputError:  # none of the images is there
            found = None
        assert found == (None if file is None else 16 + ON_DISK.index(file)), name
