"""What is read of COCO's files, and what is left out, corrected or refused."""

import json

import numpy as np
import pytest

from dataset.coco import read_coco
from dataset.skeleton import COCO as SKELETON
from util.errors import InputError
from util.faults import CORRECTED, LEFT_OUT, Faults

IMAGE = {"id": 7, "file_name": "a.jpg", "height": 50, "width": 60}
RLE = {"size": [50, 60], "counts": [0, 3000]}
SQUARE = [1, 2, 9, 2, 9, 9, 1, 9]
NOBODY = {"keypoints": [0] * 6}


def content(annotations=(), images=(IMAGE,), categories=None):
    categories = categories or [{"id": 1, "name": "person", "keypoints": ["j0", "j1"]}, {"id": 2, "name": "cat"}]
    return {"annotations": list(annotations), "images": list(images), "categories": categories}


def annotation(number=1, **changes):
    person = {"id": number, "image_id": 7, "category_id": 1, "keypoints": [1, 2, 2, 30, 40, 1], "num_keypoints": 2,
              "bbox": [1, 2, 30, 40], "area": 700.5, "iscrowd": 0, "segmentation": [SQUARE]}  # fmt: skip
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
        annotation(6, image_id=8, iscrowd=1, keypoints=[], segmentation=RLE),
        annotation("x", **NOBODY, human="human4"),
        annotation(9, category_id=2, image_id="ignored"),
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
    assert people.names == [None, None, "human4"]
    assert people.regions[:2] == [None, RLE] and [polygon.tolist() for polygon in people.regions[2]] == [SQUARE]
    assert [rows.tolist() for rows in coco.by_image()] == [[0, 2], [1]]
    assert read(content([annotation()]), dtype=np.float32)[0].annotations.keypoints.dtype == np.float32


def test_what_is_missing_is_derived_without_a_word(read):
    person = annotation(id=..., category_id=..., num_keypoints=..., bbox=..., area=..., iscrowd=..., segmentation=...)
    narrow = {**person, "keypoints": [8, 9, 2, 0, 0, 0], "bbox": [], "area": 0, "segmentation": None}
    document = content([person, narrow], [{"id": 7, "file_name": "a.jpg"}], [{"keypoints": ["j0", "j1"]}])
    coco, faults = read(document)
    assert not faults
    assert coco.annotations.boxes.tolist() == [[1, 2, 30, 40], [8, 9, 9, 10]] and np.isnan(coco.annotations.area).all()
    assert coco.images.sizes.tolist() == [[0, 0]] and coco.annotations.place(0) == "annotation number 1"


def test_numbers_in_quotes_are_read_as_numbers(read):
    person = annotation(keypoints=["1", 2, "2", 30, "4e1", 1], bbox=["1", 2, 3, "4.5"], area="7", iscrowd="0")
    coco, faults = read(content([person], [{**IMAGE, "height": "50", "width": "60.0"}]))
    assert not faults
    assert coco.annotations.keypoints.tolist() == [[[1, 2, 2], [30, 40, 1]]]
    assert (coco.annotations.boxes.tolist(), coco.annotations.area.tolist()) == ([[1, 2, 4, 6.5]], [7])
    assert coco.annotations.people.all() and coco.images.sizes.tolist() == [[50, 60]]


@pytest.mark.parametrize("change, fault", [
    ({"keypoints": [1, 2, 2]}, "annotations without 2 keypoints of 3 numbers: 1 (annotation 2)"),
    ({"keypoints": [1, 2, 2, 3, 4, 7]}, "annotations with visibility flags other than 0, 1, 2: 1 (annotation 2)"),
    ({"image_id": 8}, "annotations of images that are not listed, or left out: 1 (annotation 2)"),
    ({"id": 1}, "annotations with the id of an earlier one: 1 (annotation 1)"),
    ({"category_id": "1"}, "annotations of categories that are not listed: 1 (annotation 2)"),
    ({"bbox": [1, 2, 0, 4], **NOBODY}, "annotations with neither labelled joints nor a box with an area: 1 (annota"),
    ({"keypoints": [1, 2, 2, 3, "y", 1]}, "number 2: Expected `float`, got `str` - at `$.keypoints[4]`)"),
    ({"keypoints": [1, float("nan"), 2, 3, 4, 1]}, "number 2: Expected `float`, got `null` - at `$.keypoints[1]`)"),
    ({"keypoints": [1, 10**400, 2, 3, 4, 1]}, "number 2: Number out of range - at `$.keypoints[1]`)"),
    ({"keypoints": [1, 1e9, 2, 3, 4, 1]}, "number 2: Expected `float` < 1000000.0 - at `$.keypoints[1]`)"),
    ({"iscrowd": "no"}, "malformed annotations: 1 (annotation number 2: Expected `bool | null`, got `str` - at"),
    ({"image_id": ...}, "malformed annotations: 1 (annotation number 2: Object missing required field `image_id`)"),
])  # fmt: skip
def test_unusable_annotations_are_left_out(read, change, fault):
    coco, faults = read(content([annotation(1), annotation(2, **change), annotation(3)]))
    assert coco.annotations.ids == [1, 3]
    assert coco.annotations.keypoints.tolist() == [[[1, 2, 2], [30, 40, 1]]] * 2
    (line,) = faults.lines()
    assert line.startswith(f"{LEFT_OUT}: ") and fault in line


@pytest.mark.parametrize("change, kind", [
    ({"bbox": [1, 2, 0, 4]}, "box has no area"),
    ({"bbox": [1, 2, 3]}, "box has no area"),
    ({"segmentation": [SQUARE, [1, 2, 3, 4]], "iscrowd": 1}, "polygons that are not 3 or more points"),
    ({"segmentation": [SQUARE[:7]]}, "polygons that are not 3 or more points"),
    ({"segmentation": {"size": [1, 1], "counts": [1]}}, "another image's mask"),
    ({"segmentation": {"size": [50, 60], "counts": [1, 1]}, "iscrowd": 1}, "another image's mask"),
])  # fmt: skip
def test_odd_boxes_and_shapes_are_dropped(read, change, kind):
    coco, faults = read(content([annotation(**change)]))
    assert coco.annotations.boxes.tolist() == [[1, 2, 30, 40] if "bbox" in change else [1, 2, 31, 42]]
    assert coco.annotations.regions == [None]
    assert list(faults.effects.values()) == [CORRECTED] and kind in next(iter(faults.counts))


@pytest.mark.parametrize("entry, kind", [
    ({"id": 8}, "malformed images"),
    ({**IMAGE, "id": 8, "height": "x"}, "malformed images"),
    ({**IMAGE, "file_name": "b.jpg"}, "images with the id of an earlier one"),
    *(
        ({"id": 8, "file_name": name}, "images whose file_name leads out of the image folder")
        for name in ("../a.jpg", "/etc/a.jpg", "b/../../a.jpg", "..\\a.jpg", "C:\\a.jpg", "a\0.jpg", "..")
    ),
])  # fmt: skip
def test_unusable_images_are_left_out(read, entry, kind):
    coco, faults = read(content([annotation(1)], [IMAGE, entry]))
    assert (coco.images.ids, coco.annotations.ids) == ([7], [1])
    assert faults.counts == {kind: 1}


@pytest.mark.parametrize("name, found", [
    ("b\\c\\a.jpg", "b/c/a.jpg"), ("./b//a.jpg", "b/a.jpg"), ("at 9.41.00\u202fAM.png", "at 9.41.00\u202fAM.png"),
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
    hand = annotation(2, category_id=4, keypoints=[])
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
    for document in ({"images": [IMAGE]}, {"images": [IMAGE], "annotations": [], "categories": [{"id": 1}]}):
        coco, _ = read(document)
        assert (coco.skeleton, coco.categories, coco.images.ids, len(coco.annotations)) == (None, {}, [7], 0)


@pytest.mark.parametrize("document, message", [
    ([], "Expected `object`, got `array`; AI Challenger files are converted by"),
    ({"images": 5}, r"Expected `array`, got `int` - at `\$.images`"),
    (content(images=[3]), r"no usable image \(malformed images: 1\)"),
    ({"images": [IMAGE], "annotations": [annotation()]}, "no entry of 'categories' has 'keypoints'"),
    (content([annotation()], categories=[{"id": 1, "keypoints": "abc"}]), "must be a list of joint names"),
    (content([annotation(keypoints=[1])]), r"none of its 1 annotations can be used \(annotations without 2 keypoints"),
])  # fmt: skip
def test_files_that_cannot_be_used_are_refused(read, document, message):
    with pytest.raises(InputError, match=message):
        read(document)


def test_images_are_chosen_with_their_annotations(read):
    images = [{**IMAGE, "id": number} for number in (7, 8, 9)]
    people = [annotation(1, image_id=9), annotation(2, iscrowd=1, segmentation=RLE), annotation(3, image_id=8)]
    part = read(content(people, images))[0].only_images([9, 7, 55])
    assert (part.images.ids, part.annotations.ids, part.annotations.image.tolist()) == ([7, 9], [1, 2], [1, 0])
    assert part.annotations.regions == [None, RLE]


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
