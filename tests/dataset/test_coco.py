"""What is read of COCO's files, and what is left out, corrected or refused."""

import json

import numpy as np
import pytest

from dataset.coco import read_coco
from dataset.skeleton import COCO as SKELETON
from util import json_stream
from util.errors import InputError
from util.faults import CORRECTED, LEFT_OUT, Faults

IMAGE = {"id": 7, "file_name": "a.jpg", "height": 50, "width": 60}
RLE = {"size": [50, 60], "counts": [0, 3000]}
SQUARE = [[1, 2, 9, 2, 9, 9, 1, 9]]


def content(annotations=(), images=(IMAGE,), categories=None):
    categories = categories or [{"id": 1, "name": "person", "keypoints": ["j0", "j1"]}, {"id": 2, "name": "cat"}]
    return {"images": list(images), "annotations": list(annotations), "categories": categories}


def annotation(number=1, **changes):
    person = {"id": number, "image_id": 7, "category_id": 1, "keypoints": [1, 2, 2, 30, 40, 1], "num_keypoints": 2,
              "bbox": [1, 2, 30, 40], "area": 700.5, "iscrowd": 0, "segmentation": SQUARE}  # fmt: skip
    return {key: value for key, value in {**person, **changes}.items() if value is not ...}


@pytest.fixture
def read(tmp_path):
    def read(document, **options):
        (tmp_path / "ref.json").write_text(json.dumps(document))
        faults = Faults()
        return read_coco(tmp_path / "ref.json", faults, **options), faults

    return read


def test_everything_is_read(read):
    annotations = [
        annotation(5),
        annotation(6, image_id=8, iscrowd=1, keypoints=[], num_keypoints=0, segmentation=RLE),
        annotation("x", keypoints=[0] * 6, num_keypoints=0, human="human4"),
    ]
    coco, faults = read(content(annotations, [IMAGE, {**IMAGE, "id": 8, "file_name": "b", "coco_url": "u"}]))
    people = coco.annotations
    assert not faults
    assert (coco.images.ids, coco.images.names, coco.images.urls) == ([7, 8], ["a.jpg", "b"], ["", "u"])
    assert coco.images.sizes.tolist() == [[50, 60]] * 2
    assert (coco.categories, coco.skeleton.keypoints) == ({1: "person"}, ("j0", "j1"))
    assert (people.ids, people.image.tolist(), people.category) == ([5, 6, "x"], [0, 1, 0], [1] * 3)
    assert people.keypoints.tolist() == [[[1, 2, 2], [30, 40, 1]], [[0, 0, 0]] * 2, [[0, 0, 0]] * 2]
    assert people.keypoints.dtype == people.boxes.dtype == np.float64
    assert people.boxes.tolist() == [[1, 2, 31, 42]] * 3
    assert people.area.tolist() == [700.5] * 3
    assert people.crowd.tolist() == [False, True, False] and people.people.tolist() == [True, False, False]
    assert people.names == {2: "human4"}
    assert list(people.regions) == [1, 2] and people.regions[1] == RLE
    assert [rows.tolist() for rows in coco.by_image()] == [[0, 2], [1]]
    assert read(content([annotation()]), dtype=np.float32)[0].annotations.keypoints.dtype == np.float32


def test_the_order_of_lists_and_the_size_of_blocks_do_not_matter(read, monkeypatch):
    document = content([annotation(number, keypoints=[number, 1, 2, 0, 0, 0], num_keypoints=1) for number in range(9)])
    expected, _ = read(document)
    monkeypatch.setattr(json_stream, "BLOCK", 700)
    for keys in (["annotations", "categories", "images"], ["categories", "annotations", "images"]):
        coco, faults = read({key: document[key] for key in keys})
        assert not faults
        assert coco.annotations.ids == list(range(9))
        assert np.array_equal(coco.annotations.keypoints, expected.annotations.keypoints)


@pytest.mark.parametrize("change, kind", [
    ({"keypoints": [1, 2, 2]}, "without 2 keypoints"),
    ({"keypoints": [1, 2, 2, 3, 4]}, "without 2 keypoints"),
    ({"keypoints": "x"}, "without 2 keypoints"),
    ({"keypoints": [1, 2, 2, 3, 4, None]}, "no numbers"),
    ({"keypoints": [1, 2, 2, 3, "y", 1]}, "no numbers"),
    ({"keypoints": [[1, 2, 2], [3, 4, 1], 0]}, "no numbers"),
    ({"keypoints": [1, float("nan"), 2, 3, 4, 1]}, "no numbers or out of all bounds"),
    ({"keypoints": [1, 10**400, 2, 3, 4, 1]}, "out of all bounds"),
    ({"keypoints": [1, 1e9, 2, 3, 4, 1]}, "out of all bounds"),
    ({"keypoints": [1, 2, 2, 3, 4, 7]}, "flags other than 0, 1, 2"),
    ({"iscrowd": "no"}, "an iscrowd other than 0 and 1"),
    ({"iscrowd": [0]}, "an iscrowd other than 0 and 1"),
    ({"image_id": 8}, "of images that are not listed"),
    ({"image_id": ...}, "of images that are not listed"),
    ({"image_id": [7]}, "ids are neither numbers nor texts"),
    ({"id": 1.5}, "ids are neither numbers nor texts"),
    ({"id": 1}, "with the id of an earlier one"),
    ({"category_id": ...}, "of categories that are not listed"),
    ({"category_id": "1"}, "of categories that are not listed"),
    ({"bbox": ..., "keypoints": ..., "segmentation": []}, "with neither labelled joints nor a box"),
    ({"bbox": [1, 2, 0, 4], "keypoints": [0] * 6, "segmentation": ...}, "with neither labelled joints nor a box"),
])  # fmt: skip
def test_unusable_annotations_are_left_out(read, change, kind):
    coco, faults = read(content([annotation(1), annotation(2, **change), annotation(3)]))
    assert coco.annotations.ids == [1, 3]
    assert coco.annotations.keypoints.tolist() == [[[1, 2, 2], [30, 40, 1]]] * 2
    assert faults.effects == {next(iter(faults.counts)): LEFT_OUT} and kind in next(iter(faults.counts))
    assert list(faults.counts.values()) == [1]


def test_annotations_that_are_no_objects_are_left_out(read):
    coco, faults = read(content([3, None, annotation(1), [annotation(2)]]))
    assert coco.annotations.ids == [1]
    assert faults.lines() == [
        "left out: annotations that are no objects: 3 (annotation number 1, annotation number 2, annotation number 4)"
    ]


@pytest.mark.parametrize("change, box", [
    ({"bbox": [1, 2, 0, 4]}, [1, 2, 30, 40]),
    ({"bbox": [9, 9, -4, -4]}, [1, 2, 30, 40]),
    ({"bbox": [1, 2, 3]}, [1, 2, 30, 40]),
    ({"bbox": "abcd"}, [1, 2, 30, 40]),
    ({"bbox": [float("inf"), 2, 3, 4]}, [1, 2, 30, 40]),
    ({"bbox": [5, 5, 0, 0], "keypoints": [8, 9, 2, 0, 0, 0], "num_keypoints": 1}, [8, 9, 9, 10]),
    ({"bbox": [1, None, 4, 5]}, [1, 2, 30, 40]),
    ({"bbox": [5, 5, 0, 0], "keypoints": [0] * 6, "num_keypoints": 0}, [1, 2, 9, 9]),
])  # fmt: skip
def test_boxes_without_area_are_replaced(read, change, box):
    coco, faults = read(content([annotation(**change)]))
    assert coco.annotations.boxes.tolist() == [box]
    assert list(faults.effects.values()) == [CORRECTED] and "no area, replaced" in next(iter(faults.counts))


@pytest.mark.parametrize("change, kind", [
    ({"num_keypoints": 5}, "wrong num_keypoints"),
    ({"num_keypoints": "x"}, "wrong num_keypoints"),
    ({"area": "x"}, "area is no number"),
    ({"area": 0}, "area is no number above 0"),
    ({"segmentation": [[1, 2, 3, 4]]}, "polygons that are not 3 or more points"),
    ({"segmentation": 5}, "polygons that are not 3 or more points"),
])  # fmt: skip
def test_odd_values_of_annotations_are_corrected(read, change, kind):
    coco, faults = read(content([annotation(**change)]))
    assert np.count_nonzero(coco.annotations.keypoints[..., 2]) == 2
    assert np.isnan(coco.annotations.area[0]) == ("area" in change)
    assert list(faults.effects.values()) == [CORRECTED] and kind in next(iter(faults.counts))


def test_unusable_regions_are_left_out(read):
    good, unlabelled = [1, 2, 3, 4, 5, 6], {"keypoints": [0] * 6, "num_keypoints": 0}
    annotations = [
        annotation(1, segmentation=[good, [1, 2, 3, None, 5, 6], 3], **unlabelled),
        annotation(2, segmentation={"size": [1, 1], "counts": [1]}, **unlabelled),
        annotation(3, segmentation={"size": [50, 60], "counts": [1, 1]}, iscrowd=1),
    ]
    coco, faults = read(content(annotations))
    assert [[polygon.tolist() for polygon in region] for region in coco.annotations.regions.values()] == [[good]]
    assert list(faults.counts.values()) == [1, 2]


def test_what_is_missing_is_derived_without_a_word(read):
    person = annotation(id=..., category_id=..., num_keypoints=..., bbox=..., area=..., iscrowd=..., segmentation=...)
    document = content([person], [{"id": 7, "file_name": "a.jpg"}], [{"keypoints": ["j0", "j1"]}])
    coco, faults = read(document)
    assert not faults
    assert coco.annotations.boxes.tolist() == [[1, 2, 30, 40]] and np.isnan(coco.annotations.area[0])
    assert coco.images.sizes.tolist() == [[0, 0]] and coco.annotations.place(0) == "annotation number 1"


def test_numbers_in_quotes_are_read_as_numbers(read):
    person = annotation(keypoints=["1", 2, "2", 30, "4e1", 1], bbox=["1", 2, 3, "4.5"], area="7", iscrowd="0")
    coco, faults = read(content([person], [{**IMAGE, "height": "50", "width": "60.0"}]))
    assert not faults
    assert coco.annotations.keypoints.tolist() == [[[1, 2, 2], [30, 40, 1]]]
    assert (coco.annotations.boxes.tolist(), coco.annotations.area.tolist()) == ([[1, 2, 4, 6.5]], [7])
    assert coco.annotations.people.all() and coco.images.sizes.tolist() == [[50, 60]]


def test_regions_without_a_box_get_their_bounds(read):
    crowd = annotation(1, iscrowd=1, bbox=..., segmentation=RLE, keypoints=[])
    coco, _ = read(content([crowd, annotation(2, bbox=..., keypoints=[])]))
    assert coco.annotations.boxes.tolist() == [[0, 0, 60, 50], [1, 2, 9, 9]]


@pytest.mark.parametrize("entry, kind", [
    ({"id": 8}, "images without id or file_name"),
    ({"id": [], "file_name": "b.jpg"}, "images without id"),
    (3, "images without id"),
    ({**IMAGE, "file_name": "b.jpg"}, "images with the id of an earlier one"),
    *(
        ({"id": 8, "file_name": name}, "leads out of the image folder")
        for name in ("../a.jpg", "/etc/a.jpg", "b/../../a.jpg", "..\\a.jpg", "C:\\a.jpg", "a\0.jpg", "..", "\ud800")
    ),
])  # fmt: skip
def test_unusable_images_are_left_out(read, entry, kind):
    people = [annotation(1), annotation(2, image_id=8)] if "out of" in kind else [annotation(1)]
    coco, faults = read(content(people, [IMAGE, entry]))
    assert (coco.images.ids, coco.annotations.ids) == ([7], [1])
    assert kind in next(iter(faults.counts)) and list(faults.counts.values()) == [1]


def test_odd_sizes_are_unknown(read):
    coco, faults = read(content([annotation()], [{**IMAGE, "height": "x"}]))
    assert coco.images.sizes.tolist() == [[0, 0]] and faults.lines()[0].endswith("(image 7: x, 60)")


@pytest.mark.parametrize("name, found", [
    ("b/a.jpg", "b/a.jpg"),
    ("b\\c\\a.jpg", "b/c/a.jpg"),
    ("./b/a.jpg", "b/a.jpg"),
    ("b//a.jpg", "b/a.jpg"),
    ("Screenshot at 9.41.00\u202fAM.png", "Screenshot at 9.41.00\u202fAM.png"),
])  # fmt: skip
def test_names_may_lead_into_folders(read, name, found):
    coco, faults = read(content([annotation()], [{**IMAGE, "file_name": name}]))
    assert coco.images.names == [found] and not faults


def test_only_categories_with_labelled_joints_count(read):
    """Annotation programs write several, of which one is used."""
    kinds = [
        {"id": 4, "name": "hand", "keypoints": ["a", "b", "c"]},
        {"id": 5, "name": "face", "keypoints": []},
        {"id": 1, "name": "person", "keypoints": ["j0", "j1"]},
    ]
    hand = annotation(2, category_id=4, keypoints=[], num_keypoints=0)
    coco, faults = read(content([annotation(1), hand], categories=kinds))
    assert (coco.categories, coco.annotations.ids) == ({1: "person"}, [1]) and not faults
    hand["keypoints"] = [1, 2, 2] * 3
    with pytest.raises(InputError, match="the categories hand, person have different keypoints; keep one kind"):
        read(content([annotation(1), hand], categories=kinds))


def test_categories_may_share_their_joints(read):
    kinds = [{"id": number, "name": name, "keypoints": ["j0", "j1"]} for number, name in ((3, "cat"), (9, "dog"))]
    coco, faults = read(content([annotation(1, category_id=9), annotation(2, category_id=3)], categories=kinds))
    assert (coco.categories, coco.annotations.category) == ({3: "cat", 9: "dog"}, [9, 3]) and not faults


def test_lists_of_images_have_no_people(read):
    for document in (
        {"images": [IMAGE]},
        {"images": [IMAGE], "categories": [{"id": 1, "name": "x"}]},
        {"images": [IMAGE], "annotations": [], "categories": []},
    ):
        coco, _ = read(document)
        assert (coco.skeleton, coco.categories, coco.images.ids, len(coco.annotations)) == (None, {}, [7], 0)


@pytest.mark.parametrize("document, message", [
    ([], "expected COCO's object"), (3, "expected COCO's object"), ({}, "the list 'images' is missing"),
    ({"images": 5, "annotations": []}, "the list 'images' is missing"), (content(images=[]), "holds no usable image"),
    (content(images=[3, {"id": 1}]), r"no usable image \(images without id or file_name: 2\)"),
    ({"images": [IMAGE], "annotations": [annotation()]}, "the list 'categories' is missing"),
    (content([annotation()], categories=[{"id": 1}]), "no entry of 'categories' has 'keypoints'"),
    (content([annotation()], categories=[{"id": 1, "keypoints": "abc"}]), "must be a list of joint names"),
    (content([annotation()], categories=[{"id": 1, "keypoints": [1]}]), "must be a list of joint names"),
    (content([annotation(keypoints=[1])]), r"none of its 1 annotations can be used \(annotations without 2 keypoints"),
])  # fmt: skip
def test_files_that_cannot_be_used_are_refused(read, document, message):
    with pytest.raises(InputError, match=message):
        read(document)


def test_images_are_chosen_with_their_annotations(read):
    images = [{**IMAGE, "id": number} for number in (7, 8, 9)]
    coco, _ = read(content([annotation(1, image_id=9), annotation(2, iscrowd=1), annotation(3, image_id=8)], images))
    part = coco.only_images([9, 7, 55])
    assert (part.images.ids, part.annotations.ids, part.annotations.image.tolist()) == ([7, 9], [1, 2], [1, 0])
    assert list(part.annotations.regions) == [1]


def test_real_files_are_without_faults(data_dir):
    counts = {
        "coco_sample/annotations/person_keypoints_val2017.json": (4, 14, 12, 0),
        "coco_mini/annotations/person_keypoints_train2017.json": (80, 172, 86, 5),
    }
    for name, expected in counts.items():
        faults = Faults()
        coco = read_coco(data_dir / name, faults)
        people = coco.annotations
        assert not faults and coco.skeleton is SKELETON
        assert (len(coco.images.ids), len(people), people.people.sum(), people.crowd.sum()) == expected
