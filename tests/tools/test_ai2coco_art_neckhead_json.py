import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from dataset.skeleton import NECKHEAD
from tools import ai2coco_art_neckhead_json as ai2coco
from util.errors import InputError

PERSON = [x for joint in range(14) for x in (10 * joint + 1, 20 * joint + 1, 1 + joint % 3)]


def record(image_id, people=1):
    names = [f"human{i + 1}" for i in range(people)]
    return {"image_id": image_id, "url": "u", "keypoint_annotations": dict.fromkeys(names, PERSON),
            "human_annotations": dict.fromkeys(names, [3, 4, 50, 90])}  # fmt: skip


def write_images(folder, sizes):
    folder.mkdir()
    for name, (width, height) in sizes.items():
        Image.new("L", (width, height)).save(folder / name)


def convert(tmp_path, records, **sizes):
    (tmp_path / "aic.json").write_text(json.dumps(records))
    write_images(tmp_path / "images", {f"{name}.jpg": size for name, size in sizes.items()})
    summary = ai2coco.convert(tmp_path / "aic.json", tmp_path / "images", tmp_path / "coco.json")
    return json.loads((tmp_path / "coco.json").read_text()), summary


def test_as_the_original(golden_dir, tmp_path):
    folder = golden_dir / "ai2coco"
    write_images(tmp_path / "images", {f"{name}.jpg": size for name, size in
                                       json.loads((folder / "image_sizes.json").read_text()).items()})  # fmt: skip
    out = tmp_path / "new" / "out.json"
    status = ai2coco.main(["--keypoint_json", str(folder / "annotations.json"), "--img_dir", str(tmp_path / "images"),
                           "--out", str(out)])  # fmt: skip
    assert not status
    found, expected = json.loads(out.read_text()), json.loads((folder / "expected.json").read_text())
    # The wanted differences: what the slots are,
    assert found.pop("categories")[0]["keypoints"] == list(NECKHEAD.keypoints)
    for annotation, original in zip(found["annotations"], expected["annotations"], strict=True):
        assert annotation.pop("category_id") == 1
        # all labelled keypoints counted, the neck too,
        assert annotation["num_keypoints"] == sum(flag > 0 for flag in annotation["keypoints"][2::3])
        original["num_keypoints"] = annotation["num_keypoints"]
    for image, original in zip(found["images"], expected["images"], strict=True):
        # and file names with their suffix.
        assert image["file_name"] == original["file_name"] + ".jpg"
        original["file_name"] += ".jpg"
    assert found == expected


def test_many_records_in_several_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(ai2coco, "CHUNK", 3)
    records = [record(f"im{i}", people=i % 3) for i in range(20)]
    found, summary = convert(tmp_path, records, **{f"im{i}": (10 + i, 20) for i in range(20)})
    assert (summary.images, summary.people) == (20, sum(i % 3 for i in range(20)))
    assert [image["file_name"] for image in found["images"]] == [f"im{i}.jpg" for i in range(20)]
    assert [image["width"] for image in found["images"]] == list(range(10, 30))
    assert [image["id"] for image in found["images"]] == list(range(20))
    assert [a["id"] for a in found["annotations"]] == list(range(summary.people))
    assert [a["image_id"] for a in found["annotations"]] == [i for i in range(20) for _ in range(i % 3)]


def test_counts_and_skips(tmp_path):
    unnamed = record("b")
    unnamed["keypoint_annotations"] = {"somebody": PERSON}
    unnamed["human_annotations"] = {"somebody": [-3, 4, 50, 90]}
    found, summary = convert(tmp_path, [record("a", 2), unnamed, record("gone"), 5], a=(7, 5), b=(9, 8))
    assert summary.flags == {1: 15, 2: 15, 3: 12}
    assert dict(summary.faults.counts) == {"records whose image is not on disk": 1, "records that are no objects": 1}
    assert ["human" in annotation for annotation in found["annotations"]] == [False, False, True]
    assert found["annotations"][2]["bbox"] == [0, 4, 50, 86]
    left_knee = NECKHEAD.keypoints.index("left_knee")
    assert found["annotations"][0]["keypoints"][3 * left_knee : 3 * left_knee + 3] == [101, 201, 1]


def test_other_suffixes_and_unreadable_images(tmp_path):
    (tmp_path / "aic.json").write_text(json.dumps([record("a"), record("b"), record("c"), record("d/e")]))
    write_images(tmp_path / "images", {"a.png": (4, 6)})
    write_images(tmp_path / "images/d", {"e.jpeg": (5, 6)})
    (tmp_path / "images/b.jpg").write_text("no image")
    summary = ai2coco.convert(tmp_path / "aic.json", tmp_path / "images", tmp_path / "coco.json")
    found = json.loads((tmp_path / "coco.json").read_text())
    assert [(image["file_name"], image["width"]) for image in found["images"]] == [("a.png", 4), ("d/e.jpeg", 5)]
    assert sorted(summary.faults.counts.values()) == [1, 1]


@pytest.mark.parametrize("records", [[], {}, [record("gone")], [record("../images/a")], [record("b")]])
def test_nothing_usable_leaves_nothing_behind(tmp_path, records):
    (tmp_path / "aic.json").write_text(json.dumps(records))
    write_images(tmp_path / "images", {"a.jpg": (4, 4)})
    (tmp_path / "images/b.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(InputError):
        ai2coco.convert(tmp_path / "aic.json", tmp_path / "images", tmp_path / "coco.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["aic.json", "images"]


def test_refuses_to_overwrite_its_input(tmp_path):
    with pytest.raises(InputError):
        ai2coco.main(["--keypoint_json", str(tmp_path / "a.json"), "--img_dir", ".", "--out", str(tmp_path / "a.json")])


def test_jpeg_sizes(tmp_path):
    """The quick reader says what the image library says, or nothing."""
    rng = np.random.default_rng(0)
    photo = Image.fromarray(rng.integers(0, 255, (33, 47, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    for name, options in {"plain": {}, "progressive": {"progressive": True}, "comment": {"comment": b"x" * 9000},
                          "profile": {"icc_profile": b"x" * 200000}, "gray": {}}.items():  # fmt: skip
        (photo.convert("L") if name == "gray" else photo).save(tmp_path / f"{name}.jpg", **options)
        assert ai2coco._jpeg_size(tmp_path / f"{name}.jpg") == (33, 47)
    photo.save(tmp_path / "rotated.jpg", exif=exif)
    assert ai2coco._jpeg_size(tmp_path / "rotated.jpg") is None
    content = (tmp_path / "plain.jpg").read_bytes()
    for cut in range(200):
        (tmp_path / "cut.jpg").write_bytes(content[:cut])
        assert ai2coco._jpeg_size(tmp_path / "cut.jpg") in (None, (33, 47))


def test_manifest(data_dir, tmp_path):
    """Every broken file as a user meets it: exit status, one line, nothing half-written."""
    manifest = json.loads((data_dir / "bad/manifest.json").read_text())["files"]
    for name, entry in manifest.items():
        if entry["kind"] != "aic_json":
            continue
        out = tmp_path / "out.json"
        try:
            status = ai2coco.main(["--keypoint_json", str(data_dir / "bad" / name), "--out", str(out),
                                   "--img_dir", str(data_dir / entry["images_dir"])])  # fmt: skip
        except InputError as error:
            assert entry["expected"] == "error", name
            assert "\n" not in str(error)
            assert not any(tmp_path.iterdir())
            continue
        assert not status
        assert entry["expected"] != "error", name
        assert len(json.loads(out.read_text())["images"]) == entry["usable_records"], name
        out.unlink()


def test_command_line(tmp_path):
    """Bad input: status 2 and one line."""
    (tmp_path / "a.json").write_text('[{"image_id"')
    done = subprocess.run([sys.executable, ai2coco.__file__, "--keypoint_json", tmp_path / "a.json", "--img_dir",
                           tmp_path], capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "line 1, column 13" in done.stderr
