"""Data sets with MPII's joints."""

import numpy as np
import pytest
from PIL import Image

from config import make_config
from dataset.augment import prepare
from dataset.factory import create
from dataset.model_spec import from_config
from dataset.mpii import MPII
from dataset.pose_dataset import Sample, save_dataset_mat
from dataset.skeleton import MPII as SKELETON
from util.errors import InputError


@pytest.fixture
def mpii(tmp_path):
    save_dataset_mat(tmp_path / "dataset.mat", [("a.png", (40, 50), [np.array([[0, 5, 6], [13, 7, 8]])])])
    return create(make_config(dataset=str(tmp_path / "dataset.mat"), dataset_type="mpii"), need_images=False)


def test_the_skeleton_is_mpiis(mpii):
    assert isinstance(mpii, MPII) and mpii.skeleton == SKELETON
    np.testing.assert_array_equal(mpii[0].people[0, [0, 13]], [[5, 6, 1], [7, 8, 1]])


def test_people_are_mirrored_as_in_the_original(mpii, golden_dir, tmp_path):
    with np.load(golden_dir / "targets.npz") as archive:
        width, *poses = (archive[f"mirror_mpii/{name}"] for name in ("width", "joints", "mirrored"))
    Image.new("RGB", (int(width), 40)).save(tmp_path / "a.png")
    people, expected = np.ones((2, 1, 14, 3))
    for rows, target in zip(poses, (people, expected), strict=True):
        target[0, rows[:, 0].astype(int), :2] = rows[:, 1:]
    sample = Sample(tmp_path / "a.png", None, 0, people)
    prepared = prepare(mpii, from_config(mpii.cfg, SKELETON), sample, 1, True)
    np.testing.assert_array_equal(prepared.people, expected.astype(np.float32))


def test_other_numbers_of_joints_are_refused():
    with pytest.raises(InputError, match="dataset_type mpii has 14 joints"):
        create(make_config(dataset="x.mat", dataset_type="mpii", num_joints=16))
