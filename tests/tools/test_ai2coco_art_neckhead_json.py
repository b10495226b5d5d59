import json

import pytest
from PIL import Image

from dataset.skeleton import NECKHEAD
from tests.broken_files import ERROR
from tools import ai2coco_art_neckhead_json as ai2coco
from util.errors import InputError


def convert(annotations, images, out):
    return ai2coco.main(["--keypoint_json", str(annotations), "--img_dir", str(images), "--out", str(out)])


def test_converts_as_the_original_but_for_three_faults(golden_dir, tmp_path):
    folder = golden_dir / "ai2coco"
    (tmp_path / "images").mkdir()
    for name, size in json.loads((folder / "image_sizes.json").read_text()).items():
        Image.new("L", size).save(tmp_path / f"images/{name}.jpg")
    out = tmp_path / "new" / "out.json"
    assert not convert(folder / "annotations.json", tmp_path / "images", out)
    found, expected = json.loads(out.read_text()), json.loads((folder / "expected.json").read_text())
    # The categories say what the slots are,
    assert found.pop("categories")[0]["keypoints"] == list(NECKHEAD.keypoints)
    for annotation, original in zip(found["annotations"], expected["annotations"], strict=True):
        assert annotation.pop("category_id") == 1
        # all labelled keypoints are counted, the neck too,
        assert annotation["num_keypoints"] == sum(flag > 0 for flag in annotation["keypoints"][2::3])
        original["num_keypoints"] = annotation["num_keypoints"]
    for image, original in zip(found["images"], expected["images"], strict=True):
        # and file names have their suffix.
        assert image["file_name"] == original["file_name"] + ".jpg"
        original["file_name"] += ".jpg"
    assert found == expected


def test_the_input_is_not_overwritten(tmp_path):
    with pytest.raises(InputError):
        convert(tmp_path / "a.json", ".", tmp_path / "a.json")


def test_usable_records_of_broken_files_are_converted(broken_files, tmp_path):
    for file in broken_files.aic:
        if file.expected != ERROR:  # tests/test_bad_input.py has the others
            assert not convert(file.path, file.images, tmp_path / "out.json")
            assert len(json.loads((tmp_path / "out.json").read_text())["images"]) == file.records, file.path
