"""AI Challenger's annotations in COCO's format: what is written, and what is left out."""

import json

import pytest
from PIL import Image

from dataset import aic_to_coco
from dataset.skeleton import NECKHEAD
from tests.annotations import aic_record
from util.errors import InputError

PERSON = [x for joint in range(14) for x in (10 * joint + 1, 20 * joint + 1, 1 + joint % 3)]


def record(image_id, people=1):
    return aic_record(image_id, {f"human{i + 1}": PERSON for i in range(people)}, [3, 4, 50, 90])


def write_images(folder, sizes):
    folder.mkdir()
    for name, (width, height) in sizes.items():
        Image.new("L", (width, height)).save(folder / name)


def convert(tmp_path, records, **sizes):
    (tmp_path / "aic.json").write_text(json.dumps(records))
    write_images(tmp_path / "images", {f"{name}.jpg": size for name, size in sizes.items()})
    summary = aic_to_coco.convert(tmp_path / "aic.json", tmp_path / "images", tmp_path / "coco.json")
    return json.loads((tmp_path / "coco.json").read_text()), summary


def test_records_keep_their_order_and_people_are_numbered(tmp_path):
    records = [record(f"im{i}", people=i % 3) for i in range(20)]
    found, summary = convert(tmp_path, records, **{f"im{i}": (10 + i, 20) for i in range(20)})
    assert (summary.images, summary.people) == (20, sum(i % 3 for i in range(20)))
    assert [image["file_name"] for image in found["images"]] == [f"im{i}.jpg" for i in range(20)]
    assert [image["width"] for image in found["images"]] == list(range(10, 30))
    assert [image["id"] for image in found["images"]] == list(range(20))
    assert [a["id"] for a in found["annotations"]] == list(range(summary.people))
    assert [a["image_id"] for a in found["annotations"]] == [i for i in range(20) for _ in range(i % 3)]


def test_what_is_left_out_is_counted(tmp_path):
    unnamed = aic_record("b", {"somebody": PERSON}, [-3, 4, 50, 90])
    found, summary = convert(tmp_path, [record("a", 2), unnamed, record("gone"), 5], a=(7, 5), b=(9, 8))
    assert summary.flags == {1: 15, 2: 15, 3: 12}
    assert dict(summary.faults.counts) == {"records whose image is not on disk": 1, "records that are no objects": 1}
    assert ["human" in annotation for annotation in found["annotations"]] == [False, False, True]
    assert found["annotations"][2]["bbox"] == [0, 4, 50, 86]
    left_knee = NECKHEAD.keypoints.index("left_knee")
    assert found["annotations"][0]["keypoints"][3 * left_knee : 3 * left_knee + 3] == [101, 201, 1]


def test_images_may_have_other_suffixes_and_be_unreadable(tmp_path):
    (tmp_path / "aic.json").write_text(json.dumps([record("a"), record("b"), record("c"), record("d/e")]))
    write_images(tmp_path / "images", {"a.png": (4, 6)})
    write_images(tmp_path / "images/d", {"e.jpeg": (5, 6)})
    (tmp_path / "images/b.jpg").write_text("no image")
    summary = aic_to_coco.convert(tmp_path / "aic.json", tmp_path / "images", tmp_path / "coco.json")
    found = json.loads((tmp_path / "coco.json").read_text())
    assert [(image["file_name"], image["width"]) for image in found["images"]] == [("a.png", 4), ("d/e.jpeg", 5)]
    assert sorted(summary.faults.counts.values()) == [1, 1]


@pytest.mark.parametrize("records", [[], {}, [record("gone")], [record("../images/a")], [record("b")]])
def test_nothing_usable_leaves_nothing_behind(tmp_path, records):
    (tmp_path / "aic.json").write_text(json.dumps(records))
    write_images(tmp_path / "images", {"a.jpg": (4, 4)})
    (tmp_path / "images/b.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(InputError):
        aic_to_coco.convert(tmp_path / "aic.json", tmp_path / "images", tmp_path / "coco.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["aic.json", "images"]
