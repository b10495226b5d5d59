"""Data sets in MATLAB files, as pose-tensorflow and DeepLabCut write them."""

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from config import make_config
from dataset.factory import create
from dataset.pose_dataset import PoseDataset
from util.errors import InputError


def record(image, joints, size=(3, 40, 50)):
    cell = np.empty((1, len(joints)), object)
    for i, person in enumerate(joints):
        cell[0, i] = np.array(person)
    return image, np.array([size]), cell


def write_annotations(folder, *records):
    dtype = [("image", "O"), ("size", "O"), ("joints", "O")]
    savemat(folder / "dataset.mat", {"dataset": np.array(list(records), dtype=dtype)[None]})
    return make_config(dataset=str(folder / "dataset.mat"), num_joints=3)


def write_mat(folder, *records):
    for image, size, _ in records:
        Image.new("RGB", (int(size[0, 2]), int(size[0, 1]))).save(folder / image)
    return write_annotations(folder, *records)


def test_samples_have_one_or_several_people(tmp_path):
    cfg = write_mat(
        tmp_path,
        record("a.png", [[[0, 7, 8], [2, 9.5, 11]], [[1, 1, 2]]]),
        record("b.png", [[[1, 20, 30]]], size=(3, 60, 70)),
    )
    dataset = create(cfg)
    assert type(dataset) is PoseDataset
    assert len(dataset) == 2
    first, second = dataset[0], dataset[1]
    assert (first.image, first.size, first.id) == (tmp_path / "a.png", (40, 50), "a")
    expected = [[[7, 8, 1], [0, 0, 0], [9.5, 11, 1]], [[0, 0, 0], [1, 2, 1], [0, 0, 0]]]
    assert first.people.tolist() == expected
    assert first.people.dtype == np.float32
    assert second.size == (60, 70)
    assert second.people.tolist() == [[[0, 0, 0], [20, 30, 1], [0, 0, 0]]]
    with pytest.raises(IndexError):
        dataset[2]


def test_joints_of_a_single_person_need_no_cell(tmp_path):
    cfg = write_mat(tmp_path, record("a.png", [[[0, 1, 2]]])[:2] + (np.array([[0, 5, 6], [1, 7, 8]]),))
    assert create(cfg)[0].people[0, :2, :2].tolist() == [[5, 6], [7, 8]]


def test_the_example_of_pose_tensorflow_is_read(data_dir):
    cfg = make_config(dataset=str(data_dir / "own_dataset/dataset_example.mat"), num_joints=14)
    dataset = create(cfg, need_images=False)
    assert len(dataset) == 2
    sample = dataset[0]
    assert str(sample.image) == "/dir/dataset/im00005_1.png"
    assert sample.size == (391, 295)
    assert sample.people.shape == (1, 14, 3)
    assert sample.people[0, 13].tolist() == [226, 72, 1]
    assert dataset[1].people[0, :, 2].tolist() == [0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 1, 0, 1, 1]
    with pytest.raises(InputError, match="none of its 2 images is on disk, such as /dir/dataset/im00006_3.png"):
        create(cfg)


def test_missing_image_and_broken_coordinates_are_left_out_with_a_warning_each(tmp_path, caplog):
    cfg = write_mat(tmp_path, record("a.png", [[[0, np.nan, 8]], [[1.0, 1, 2]]]), record("b.png", [[[1, 20, 30]]]))
    (tmp_path / "b.png").unlink()
    dataset = create(cfg)
    assert len(dataset) == 1
    assert len(dataset[0].people) == 1
    people, images = [r.getMessage() for r in caplog.records]
    assert people.endswith("left out: people with coordinates that are no numbers or out of all bounds: 1 (record 1)")
    assert images.endswith(f"left out: images that are not on disk: 1 ({tmp_path / 'b.png'})")


@pytest.mark.parametrize("joints, message", [
    ([[[3, 1, 2]]], "record 1: joint id 3; ids count from 0 to 2"),
    ([[[0.5, 1, 2]]], "joint id 0.5"),
    ([[[1, 2]]], r"rows of \[joint id, x, y\]"),
])  # fmt: skip
def test_bad_joints_are_refused(tmp_path, joints, message):
    with pytest.raises(InputError, match=message):
        create(write_mat(tmp_path, record("a.png", joints)))


def test_bad_files_are_refused(tmp_path):
    path = tmp_path / "dataset.mat"
    cfg = make_config(dataset=str(path), num_joints=3)
    with pytest.raises(InputError, match="no such file; tools/csv2mat.py makes one"):
        create(cfg)
    path.write_bytes(b"not a mat file" * 50)
    with pytest.raises(InputError, match="not a MATLAB file"):
        create(cfg)
    savemat(path, {"other": 1})
    with pytest.raises(InputError, match="'dataset' is missing; the file holds other"):
        create(cfg)
    savemat(path, {"dataset": np.arange(3)})
    with pytest.raises(InputError, match="must be a struct array"):
        create(cfg)
    with pytest.raises(InputError, match="dataset is missing"):
        create(make_config(num_joints=3))


def test_paths_in_parts_begin_at_deeplabcuts_project(tmp_path):
    """The file is in <project>/training-datasets/<iteration>/<set>; all parts are as long as the longest."""
    folder = tmp_path / "training-datasets/iteration-0/set"
    folder.mkdir(parents=True)
    image = tmp_path / "labeled-data/a video/img1.png"
    image.parent.mkdir(parents=True)
    image.touch()
    joints = np.empty((1, 1), object)
    joints[0, 0] = np.array([[0, 5, 6], [2, 7, 8]])
    parts = np.array([["labeled-data", "a video", "img1.png"]])
    dataset = create(write_annotations(folder, (parts, np.array([[3, 48, 64]]), joints)))
    assert dataset[0].image == image and dataset[0].size == (48, 64)
    np.testing.assert_array_equal(dataset[0].people, [[[5, 6, 1], [0, 0, 0], [7, 8, 1]]])


def test_backslashes_separate_folders_unless_a_file_has_them(tmp_path):
    (tmp_path / "images").mkdir()
    for name in ("images/a.png", "b\\c.png"):
        (tmp_path / name).touch()
    dataset = create(write_annotations(tmp_path, record("images\\a.png", []), record("b\\c.png", [])))
    assert [sample.image for sample in dataset] == [tmp_path / "images/a.png", tmp_path / "b\\c.png"]
