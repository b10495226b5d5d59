"""Data sets in COCO's format; tests/dataset/test_coco.py has the reader of their files."""

import numpy as np
import pytest

from config import make_config
from dataset.augment import ignore_mask
from dataset.factory import create
from dataset.skeleton import COCO, NECKHEAD
from util.errors import InputError


def test_samples_have_people_boxes_and_sizes(coco):
    first = coco.add_image(size=(48, 64))
    second = coco.add_image(size=(30, 40))
    coco.add_person(second, joints=[(0, 1, 2)])
    coco.add_person(first, joints=[(16, 3.5, 4)], bbox=[1, 2, 3, 4])
    coco.add_person(second, joints=[(5, 7, 8), (6, 9, 10)])
    dataset = create(coco.config())
    assert dataset.skeleton is COCO
    assert [sample.id for sample in dataset] == [100, 101]
    assert dataset[0].size == (48, 64)
    assert dataset[0].image == coco.path / "images/train/000.jpg"
    assert dataset[0].people[0, 16].tolist() == [3.5, 4, 2]
    assert dataset[0].people.dtype == np.float32
    assert dataset[0].boxes.tolist() == [[1, 2, 4, 6]]
    assert dataset[1].people[:, :, 2].sum(axis=1).tolist() == [2, 4]
    assert dataset[1].people[1, 6].tolist() == [9, 10, 2]


def test_unlabelled_people_and_crowds_are_ignore_regions(coco):
    image = coco.add_image(size=(40, 50))
    coco.add_person(image)
    coco.add_person(image, joints=[], segmentation=[[10, 10, 20, 10, 20, 30, 10, 30]])
    coco.add_person(image, joints=[], segmentation=[], bbox=[30, 0, 5, 5])
    mask = np.zeros((40, 50), np.uint8)
    mask[35:, 45:] = 1
    runs = np.diff(np.flatnonzero(np.diff(mask.T.ravel(), prepend=0)), prepend=0, append=0).tolist()
    runs[-1] = mask.size - sum(runs[:-1])
    coco.add_person(image, iscrowd=1, segmentation={"size": [40, 50], "counts": runs})
    sample = create(coco.config())[0]
    assert len(sample.people) == 1
    assert len(sample.ignore) == 3
    drawn = ignore_mask(sample.ignore, sample.size)
    assert drawn[12:28, 12:18].all()
    assert drawn[1:4, 31:34].all()
    assert drawn[35:, 45:].all()
    assert drawn.sum() == pytest.approx(10 * 20 + 25 + 25, abs=40)


def test_names_may_lack_their_suffix_and_missing_images_are_left_out(coco, caplog):
    coco.add_image(file_name="a.jpg")["file_name"] = "a"
    coco.add_person(coco.add_image(write=False))
    dataset = create(coco.config())
    assert [sample.image.name for sample in dataset] == ["a.jpg"]
    (warning,) = [r.getMessage() for r in caplog.records]
    assert "left out: images that are not on disk: 1 (001.jpg)" in warning
    assert len(create(coco.config(), need_images=False)) == 2


def test_images_without_people_may_be_left_out(coco):
    coco.add_image()
    second, third = coco.add_image(), coco.add_image()
    coco.add_person(second, joints=[])
    coco.add_person(third)
    coco.add_person(third, joints=[])
    assert len(create(coco.config())) == 3
    dataset = create(coco.config(coco_only_images_with_people=True))
    assert [(sample.id, len(sample.people), len(sample.ignore)) for sample in dataset] == [(102, 1, 1)]


def test_the_skeleton_is_that_of_the_category(coco):
    coco.add_person(coco.add_image())
    coco.content["categories"][0]["keypoints"] = list(NECKHEAD.keypoints)
    dataset = create(coco.config(num_joints=17))
    assert dataset.skeleton is NECKHEAD
    with pytest.raises(InputError, match="num_joints is 14, but .* 17 joints"):
        create(coco.config(num_joints=14))
    with pytest.raises(InputError, match="joint 0 is nose in skeleton coco, but neck in .*_train.json"):
        create(coco.config(skeleton="coco"))


def test_mirroring_needs_to_know_left_and_right(coco):
    coco.add_person(coco.add_image())
    coco.content["categories"][0]["keypoints"] = [f"k{joint}" for joint in range(17)]
    with pytest.raises(InputError, match=r"mirror: true swaps left and right, but .* names \(k0, k1, k2, ...\)"):
        create(coco.config(mirror=True))
    groups = [[0, 3], [1], [2], *([joint] for joint in range(4, 17))]
    dataset = create(coco.config(mirror=True, all_joints=groups))
    assert dataset.skeleton.symmetric_pairs == ((0, 3),)


def test_faults_are_told(coco, caplog):
    image = coco.add_image()
    coco.add_person(image, joints=[(5, 10, 20), (6, 30, 21)], bbox=[1, 1, 0, 5])
    coco.add_person(image, keypoints=[1])
    dataset = create(coco.config())
    assert dataset[0].boxes.tolist() == [[10, 20, 30, 21]] and not dataset[0].ignore
    corrected, left_out = [r.getMessage() for r in caplog.records]
    assert corrected.endswith("no area, replaced: 1 (annotation 1: [1.0, 1.0, 0.0, 5.0])")
    assert left_out.endswith("left out: annotations without 17 keypoints of 3 numbers: 1 (annotation 2)")


def test_the_category_id_is_that_of_the_data(coco):
    coco.add_person(coco.add_image(), category_id=7)
    coco.content["categories"][0]["id"] = 7
    coco.content["categories"].append({"id": 1, "name": "dog"})
    assert create(coco.config()).category_id == 7


def test_images_may_be_in_other_folders(coco):
    """A file_name begins at the folder of the data set or of its images; backslashes are those of Windows."""
    for folder in ("images/train/a", "images/other", "photos"):
        (coco.path / folder).mkdir(parents=True)
    for name, place in (
        ("a\\1.jpg", "images/train/a/1.jpg"),
        ("other/2.jpg", "images/other/2.jpg"),
        ("photos/3.jpg", "photos/3.jpg"),
        ("./images/other/4", "images/other/4.jpg"),
    ):
        coco.add_image(file_name="x.jpg")["file_name"] = name
        (coco.path / "images/train/x.jpg").rename(coco.path / place)
    dataset = create(coco.config())
    assert [sample.image.relative_to(coco.path).as_posix() for sample in dataset] == [
        "images/train/a/1.jpg",
        "images/other/2.jpg",
        "photos/3.jpg",
        "images/other/4.jpg",
    ]
    assert dataset.names == ["a/1", "other/2", "photos/3", "other/4"]


def test_a_missing_file_names_what_is_there(coco):
    cfg = coco.config(dataset_phase="val")
    with pytest.raises(InputError, match=r"_val.json: no such file \(dataset_ann, .*; found there: .*_train.json"):
        create(cfg)
    cfg = make_config(dataset="nowhere", dataset_type="coco")
    with pytest.raises(InputError, match="no such file; `dataset` names the folder that holds annotations/"):
        create(cfg)


def test_a_list_of_images_takes_the_skeleton_of_the_configuration(coco):
    """As in COCO's test-dev."""
    coco.add_image()
    coco.content = {"images": coco.content["images"]}
    dataset = create(coco.config(skeleton="neckhead"))
    assert (len(dataset), dataset.skeleton, dataset.category_id) == (1, NECKHEAD, 1)
    with pytest.raises(InputError, match="num_joints is missing"):
        create(coco.config())


def test_data_sets_without_usable_images_are_refused(coco):
    with pytest.raises(InputError, match="'images' holds no usable image"):
        create(coco.config())
    coco.add_image()
    (coco.path / "images/train/000.jpg").unlink()
    with pytest.raises(InputError, match="none of its 1 images is on disk; they are looked for in .*images/train"):
        create(coco.config())


def test_regions_of_real_photos_equal_those_of_pycocotools(data_dir):
    cfg = make_config(dataset=str(data_dir / "coco_mini"), dataset_type="coco", dataset_phase="train2017")
    dataset = create(cfg)
    assert (len(dataset), len(dataset.table.people)) == (80, 86)
    from pycocotools import mask as coco_mask

    decoded = 0
    for sample in dataset:
        for region in sample.ignore:
            if isinstance(region, dict):
                expected = coco_mask.decode(coco_mask.frPyObjects(region, *sample.size))
                assert np.array_equal(ignore_mask([region], sample.size), expected)
                decoded += 1
    assert decoded == 5
