import json
import subprocess
import sys

import pytest
from PIL import Image

from dataset.skeleton import NECKHEAD
from tests.broken_files import ERROR
from tools import ai2coco_art_neckhead_json as ai2coco
from util.errors import InputError


def write_images(folder, sizes):
    folder.mkdir()
    for name, (width, height) in sizes.items():
        Image.new("L", (width, height)).save(folder / name)


def test_as_the_original(golden_dir, tmp_path):
    folder = golden_dir / "ai2coco"
    write_images(
        tmp_path / "images",
        {f"{name}.jpg": size for name, size in json.loads((folder / "image_sizes.json").read_text()).items()},
    )
    out = tmp_path / "new" / "out.json"
    status = ai2coco.main(
        ["--keypoint_json", str(folder / "annotations.json"), "--img_dir", str(tmp_path / "images"), "--out", str(out)]
    )
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


def test_refuses_to_overwrite_its_input(tmp_path):
    with pytest.raises(InputError):
        ai2coco.main(["--keypoint_json", str(tmp_path / "a.json"), "--img_dir", ".", "--out", str(tmp_path / "a.json")])


def test_broken_files(broken_files, tmp_path):
    """Every broken file as a user meets it: exit status, one line, nothing half-written."""
    for file in broken_files.aic:
        out = tmp_path / "out.json"
        try:
            status = ai2coco.main(["--keypoint_json", str(file.path), "--out", str(out), "--img_dir", str(file.images)])
        except InputError as error:
            assert file.expected == ERROR, file.path
            assert "\n" not in str(error)
            assert not any(tmp_path.iterdir())
            continue
        assert not status
        assert file.expected != ERROR, file.path
        assert len(json.loads(out.read_text())["images"]) == file.records, file.path
        out.unlink()


def test_command_line(tmp_path):
    """Bad input: status 2 and one line."""
    (tmp_path / "a.json").write_text('[{"image_id"')
    done = subprocess.run(
        [sys.executable, ai2coco.__file__, "--keypoint_json", tmp_path / "a.json", "--img_dir", tmp_path],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "line 1, column 13" in done.stderr
