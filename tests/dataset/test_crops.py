"""Single people cut out of images, as MPII's crops are made."""

import numpy as np
import pytest
from PIL import Image

from config import make_config
from dataset.crops import UNUSABLE, Person, crop_bounds, crop_person, write_crops
from dataset.factory import create
from util.errors import InputError
from util.faults import Faults


def somebody(*xy, head=25.0, **fields):
    """A person whose first joints are at the given places."""
    joints = np.zeros((14, 3))
    joints[: len(xy), :2], joints[: len(xy), 2] = xy, 1
    return Person("p", joints, np.array(xy, float), head, **fields)


def test_bounds_have_pose_tensorflows_margins():
    person = somebody((400, 300), (500, 700))
    assert crop_bounds((1000, 900), person, 1.0).tolist() == [[269, 630], [169, 830]]
    person = person._replace(alone=False)
    assert crop_bounds((1000, 900), person, 1.0).tolist() == [[334, 565], [234, 765]]
    assert crop_bounds((1000, 900), person, 0.5).tolist() == [[734, 1065], [534, 1465]]
    assert crop_bounds((720, 520), person, 1.0).tolist() == [[334, 520], [234, 720]]  # the image's end


def test_people_who_stand_alone_keep_clear_of_others():
    others = np.array([[350, 0], [100, 0], [450, 900], [530.0, 0]])
    person = somebody((400, 300), (500, 700), others=others)
    assert crop_bounds((1000, 900), person, 1.0)[0].tolist() == [369, 510]
    assert crop_bounds((1000, 900), person._replace(alone=False), 1.0)[0].tolist() == [334, 565]


def test_pixels_and_joints_move_together():
    image = np.zeros((400, 500, 3), np.uint8)
    image[200:204, 300:304] = 255
    crop = crop_person(image, somebody((302, 202), (250, 150)))  # head 25: twice as large
    (joint, x, y), _ = crop.joints.tolist()
    rows, cols = np.nonzero(crop.image[..., 0] > 128)
    assert joint == 0
    assert (cols.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((x, y), abs=0.5)
    (left, right), (top, bottom) = crop_bounds(image.shape[:2], somebody((302, 202), (250, 150)), 0.5)
    assert crop.image.shape == (bottom - top, right - left, 3)


def test_absurd_people_are_refused():
    image = np.zeros((100, 100, 3), np.uint8)
    with pytest.raises(InputError, match="is a head of 0.0 pixels right"):
        crop_person(image, somebody((10, 10), (90, 90), head=0.001))
    with pytest.raises(InputError, match="outside of the image"):
        crop_person(image, somebody((900, 10)))


def test_crops_are_a_data_set(tmp_path):
    Image.new("RGB", (300, 200)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no image")
    people = [somebody((100, 100), (120, 90))._replace(name="one"), somebody((50, 50))._replace(name="two")]
    tasks = [(tmp_path / "a.png", people), (tmp_path / "b.png", people)]
    faults = Faults()
    assert write_crops(tasks, tmp_path / "cropped", faults) == 2
    assert "b.png: not an image" in str(*faults.examples(UNUSABLE))
    dataset = create(make_config(dataset=str(tmp_path / "cropped/dataset.mat"), dataset_type="mpii"))
    assert [sample.image.name for sample in map(dataset.__getitem__, range(2))] == ["one.png", "two.png"]
    assert dataset[0].people.shape == (1, 14, 3) and dataset[0].people[0, :, 2].tolist() == [1, 1] + [0] * 12
    assert (dataset[0].people[0, 1] - dataset[0].people[0, 0]).tolist() == [40, -20, 0]
    with Image.open(dataset[0].image) as image:
        assert image.size == dataset[0].size[::-1]
    with pytest.raises(InputError, match="nobody could be cut out; .*b.png"):
        write_crops(tasks[1:], tmp_path / "cropped", Faults())
