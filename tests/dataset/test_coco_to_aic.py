"""COCO's annotations in AI Challenger's format, and the way there and back."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dataset import aic_to_coco, coco_to_aic, toy
from tests.annotations import aic_record, coco_document
from util.errors import InputError


def round_trip(tmp_path, records):
    (tmp_path / "aic.json").write_text(json.dumps(records))
    (tmp_path / "images").mkdir(exist_ok=True)
    for record in records:
        Image.new("L", (9, 9)).save(tmp_path / "images" / f"{record['image_id']}.jpg")
    aic_to_coco.convert(tmp_path / "aic.json", tmp_path / "images", tmp_path / "coco.json")
    coco_to_aic.convert(tmp_path / "coco.json", tmp_path / "back.json")
    return json.loads((tmp_path / "back.json").read_text())


number = st.integers(0, 99_999) | st.integers(0, 9999).map(lambda eighths: eighths / 8)
joint = st.tuples(number, number, st.sampled_from([1, 2])) | st.just((0, 0, 3))
keypoints = st.lists(joint, min_size=14, max_size=14).map(lambda joints: [value for xyv in joints for value in xyv])
box = st.builds(lambda x, y, width, height: [x, y, x + width, y + height], number, number, *[st.integers(1, 999)] * 2)
name = st.sampled_from(["human1", "human2", "human3"]) | st.text(max_size=4).filter(str.isprintable)


@st.composite
def annotations(draw):
    """Records of up to three images; people have any names, in any order."""
    records = []
    for image_id in draw(st.lists(st.sampled_from(["a", "b.c", "d e"]), min_size=1, unique=True)):
        people = draw(st.dictionaries(name, st.tuples(keypoints, box), max_size=3))
        points, boxes = ({name: person[part] for name, person in people.items()} for part in (0, 1))
        records.append(aic_record(image_id, points, boxes) | {"url": draw(st.text(max_size=4).filter(str.isprintable))})
    return records


@given(annotations())
def test_any_annotations_come_back_as_they_were(tmp_path_factory, records):
    back = round_trip(tmp_path_factory.mktemp("trip"), records)
    assert back == records
    people = [values for record in back for values in record["keypoint_annotations"].values()]
    # Whole numbers, flags among them, stay whole.
    assert all(type(value) is int for values in people for value in values if value == int(value))


def test_drawn_people_come_back_as_they_were(tmp_path):
    scenes = itertools.islice(toy.make_scenes(0, (1, 4), (480, 360)), 20)
    records = [toy.record(scene, (480, 360), f"{number:06d}") for number, scene in enumerate(scenes)]
    people = records[0]["keypoint_annotations"]
    records[0]["keypoint_annotations"] = {"human7": people["human1"], "human1": [0, 0, 3] * 14}
    records[0]["human_annotations"] = {"human7": [1, 2, 3.5, 4.25], "human1": [0, 0, 9, 9]}
    records[1].update(keypoint_annotations={}, human_annotations={})
    assert round_trip(tmp_path, records) == records


def test_real_annotations_come_back_as_they_were(golden_dir, tmp_path):
    records = json.loads((golden_dir / "ai2coco/annotations.json").read_text())
    assert round_trip(tmp_path, records) == records


def coco_file(tmp_path, people, keypoints=("nose", "left_wrist", "right_ankle"), **image):
    images = [{"id": 5, "file_name": "a.b.png", "height": 9, "width": 9, **image}]
    people = [{"image_id": 5, "bbox": [1, 2, 3, 4], "area": 12, **person} for person in people]
    (tmp_path / "coco.json").write_text(json.dumps(coco_document(images, people, keypoints)))
    return tmp_path / "coco.json"


def test_joints_are_found_by_their_names(tmp_path):
    people = [{"keypoints": [1, 2, 2, 3, 4, 1, 5.5, 6, 2]}, {"iscrowd": 1, "keypoints": []},
              {"keypoints": [0] * 9, "human": "human1"}]  # fmt: skip
    summary, missing = coco_to_aic.convert(coco_file(tmp_path, people), tmp_path / "aic.json")
    [record] = json.loads((tmp_path / "aic.json").read_text())
    person = [0, 0, 3] * 14
    person[15:18], person[24:27] = [3, 4, 2], [5.5, 6, 1]
    assert (record["image_id"], record["url"]) == ("a.b", "")
    assert record["keypoint_annotations"] == {"human1": person, "human2": [0, 0, 3] * 14}
    assert record["human_annotations"] == {"human1": [1, 2, 4, 6], "human2": [1, 2, 4, 6]}
    assert len(missing) == 12
    assert (summary.images, summary.people, summary.faults.counts) == (1, 2, {"crowds": 1})


def test_skeletons_without_a_common_joint_are_refused(tmp_path):
    with pytest.raises(InputError, match="none of its joints"):
        coco_to_aic.convert(coco_file(tmp_path, [], ["paw", "tail"]), tmp_path / "aic.json")
    assert not (tmp_path / "aic.json").exists()


def test_images_that_would_have_one_name_are_left_out(tmp_path):
    path = coco_file(tmp_path, [{"keypoints": [1, 2, 2, 3, 4, 1, 5, 6, 2], "image_id": 9}])
    content = json.loads(path.read_text())
    names = {1: "a.b.jpg", 2: "001.jpg", 3: "1.jpg", 9: "c\\a.b.png", 10: "x/a.b"}
    content["images"] += [{"id": number, "file_name": name} for number, name in names.items()]
    path.write_text(json.dumps(content))
    summary, _ = coco_to_aic.convert(path, tmp_path / "aic.json")
    records = json.loads((tmp_path / "aic.json").read_text())
    people = {record["image_id"]: len(record["keypoint_annotations"]) for record in records}
    assert people == {"a.b": 0, "001": 0, "1": 0, "c/a.b": 1, "x/a.b": 0}
    fault = "left out: images whose name without suffix is that of another one: 1 (a.b.jpg: a.b.png)"
    assert summary.faults.lines() == [fault]


def test_lists_of_images_are_refused(tmp_path):
    (tmp_path / "coco.json").write_text('{"images": [{"id": 1, "file_name": "a.jpg"}]}')
    with pytest.raises(InputError, match="only lists images"):
        coco_to_aic.convert(tmp_path / "coco.json", tmp_path / "aic.json")
