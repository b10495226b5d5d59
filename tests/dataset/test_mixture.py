"""Several data sets as one: whose samples come, at which scale, and how often."""

import numpy as np
import pytest

from config import make_config
from dataset.factory import create
from dataset.model_spec import from_config
from dataset.pipeline import Plan, training_batches
from util.errors import InputError


@pytest.fixture
def folders(tmp_path, coco_folder):
    """Two data sets, of two and of three images with a person each."""
    made = [coco_folder(tmp_path / name) for name in ("small", "large")]
    for folder, count in zip(made, (2, 3), strict=True):
        for number in range(count):
            image = folder.add_image()
            folder.add_person(image, joints=[(5, 10 + number, 20), (6, 30, 21)])
            folder.add_person(image, joints=[])  # a region to ignore
        folder.config()
    return made


@pytest.fixture
def mixed(folders):
    small, large = (str(folder.path) for folder in folders)
    return make_config(
        dataset_type="coco",
        global_scale=2.0,
        mixture=[{"dataset": small, "global_scale": 0.5, "weight": 2}, {"dataset": large, "weight": 0.5}],
    )


def test_data_sets_of_other_joints_are_refused(folders, mixed):
    folders[1].content["categories"][0]["keypoints"][0] = "snout"
    folders[1].config()
    with pytest.raises(InputError, match="large.* has other joints than .*small"):
        create(mixed)


def test_scale_and_weight_belong_to_each_data_set(mixed):
    dataset = create(mixed)
    assert len(dataset) == 5
    np.testing.assert_allclose(dataset.relative_scale(np.arange(5)) * mixed.global_scale, [0.5, 0.5, 2, 2, 2])
    assert dataset.epoch_size == 2 * 2 + 3 // 2 + 1  # 1.5 rounded to the even number, 2
    random = np.random.default_rng(0)
    shown = [dataset.epoch(random) for _ in range(20)]
    counts = np.array([np.bincount(images, minlength=5) for images in shown])
    assert (counts[:, :2] == 2).all()
    assert (counts[:, 2:].sum(axis=1) == 2).all() and (counts[:, 2:] <= 1).all()
    assert (counts[:, 2:].sum(axis=0) > 0).all()  # each has its turn


def test_samples_keep_their_people_and_regions(mixed):
    dataset = create(mixed)
    for part, first in zip(dataset.parts, (0, 2), strict=True):
        for number in range(len(part)):
            ours, theirs = dataset[first + number], part[number]
            assert ours.image == theirs.image and ours.id == theirs.id and ours.ignore == theirs.ignore
            np.testing.assert_array_equal(ours.people, theirs.people)


def test_batches_come_in_the_scale_of_their_data_set(mixed):
    dataset = create(mixed)
    plan = Plan(dataset, mixed)
    choices = [plan.choice(position) for position in range(dataset.epoch_size)]
    assert {(choice.index < 2, choice.scale) for choice in choices} == {(True, 0.5), (False, 2.0)}
    batch = next(training_batches(dataset, mixed, from_config(mixed, dataset.skeleton)))
    assert batch["scale"][0] == (0.5 if batch["index"][0] < 2 else 2)
