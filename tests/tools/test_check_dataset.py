"""Faults of annotation files and their images, as the check counts and names them."""

import json

import pytest
from PIL import Image

from tests.annotations import aic_record, coco_document
from tests.broken_files import ERROR, SKIP
from tools import check_dataset
from util.errors import InputError

PERSON = [x for joint in range(14) for x in (3 * joint + 1, 2 * joint + 1, 1)]


@pytest.fixture
def check(tmp_path, capsys):
    """The exit status, and the printed lines, of a check of the document."""

    def check(document, *options):
        (tmp_path / "a.json").write_text(json.dumps(document))
        status = check_dataset.main([str(tmp_path / "a.json"), *options])
        return status, capsys.readouterr().out.splitlines()

    return check


@pytest.fixture
def with_photo(tmp_path):
    """The options that name a folder with a photo of 50x40."""
    (tmp_path / "images").mkdir()
    Image.new("L", (50, 40)).save(tmp_path / "images/a.jpg")
    return "--img_dir", str(tmp_path / "images")


def aic(people, boxes=None):
    """An image with people by name, and something that is no record."""
    return [aic_record("a", people, boxes or [0, 0, 50, 40]), 5]


def coco(keypoints, **image):
    person = {"image_id": 0, "keypoints": keypoints, "area": 9, "bbox": [1, 2, 30, 30]}
    return coco_document([{"file_name": "a.jpg", "height": 40, "width": 50, **image}], [person], ["a", "b"])


def test_real_annotations_are_good(data_dir, capsys):
    folder = data_dir / "aic_sample"
    assert not check_dataset.main([str(folder / "annotations.json"), "--decode", "--img_dir", str(folder / "images")])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines[2:]] == ["3", "9", "0", "101"]


@pytest.mark.parametrize("change, complaint", [
    (lambda p: p[:-1], "left out: people with keypoints that are not a list of 42: 1 (a x)"),
    (lambda p: [0, 5, 3, *p[3:]], "suspect: people with a place for a joint that is not labelled: 1 (a x)"),
    (lambda p: [60, 5, 1, *p[3:]], "suspect: people with a joint outside the image: 1 (a x)"),
    (lambda p: [*p[:3], *p[:3], *p[6:]], "suspect: people with two joints in one place: 1 (a x)"),
])  # fmt: skip
def test_faults_of_people_are_named(check, with_photo, change, complaint):
    status, lines = check(aic({"x": change(PERSON), "y": PERSON}), *with_photo)
    assert complaint in lines and status == 1
    assert sum(line.startswith(("suspect: ", "left out: ")) for line in lines) == 2


def test_twins_and_odd_boxes_are_named(check, with_photo):
    almost = [value + 0.5 * (i % 3 < 2) for i, value in enumerate(PERSON)]
    boxes = {"x": [0, 0, 50, 40], "y": [0, 0, 52, 40], "z": [45, 0, 49, 9]}
    _, lines = check(aic({"x": PERSON, "y": PERSON, "z": almost}, boxes), *with_photo)
    assert "suspect: people with the joints of another one: 1 (a y)" in lines
    assert "suspect: people whose box leaves the image: 1 (a y)" in lines
    assert "suspect: people with no joint in their box: 1 (a z)" in lines


def test_images_are_looked_at(check, with_photo, tmp_path, capsys):
    document, image = coco([2, 3, 2, 9, 9, 1]), tmp_path / "images/a.jpg"
    Image.new("L", (50, 41)).save(image)
    status, lines = check(document, *with_photo)
    assert "suspect: images of another size than the annotations say: 1 (a.jpg)" in lines and status == 0
    Image.effect_noise((50, 40), 99).save(image)
    assert check(document, *with_photo)[0] == 0
    image.write_bytes(image.read_bytes()[:-500])
    assert check(document, *with_photo)[0] == 0
    with pytest.raises(InputError):
        check(document, *with_photo, "--decode")
    assert "left out: images that cannot be read: 1" in capsys.readouterr().out
    image.unlink()
    with pytest.raises(InputError, match="none of its images"):
        check(document, *with_photo)


def test_images_without_a_size_are_named(check):
    status, lines = check(coco([2, 3, 2, 900, 9, 1], height=None, width=None))
    assert "suspect: images without height and width: 1 (a.jpg)" in lines and status == 0


def test_the_exit_status_tells_of_broken_files(broken_files, capsys):
    for file in broken_files.aic + broken_files.coco:
        options = [str(file.path), "--img_dir", str(file.images)]
        if file.expected == ERROR:
            with pytest.raises(InputError):
                check_dataset.main(options)
            capsys.readouterr()
            continue
        status = check_dataset.main(options)
        lines = [line.split() for line in capsys.readouterr().out.splitlines()]
        assert status == (file.expected == SKIP), file.path
        [people] = [int(line[1]) for line in lines if line[:1] == ["people"] and len(line) == 2]
        assert people == file.people, file.path


def test_all_faults_are_shown_on_request(check):
    document = aic(dict.fromkeys("vwxyz", PERSON[:-1]) | {"a": PERSON})
    kind = "left out: people with keypoints that are not a list of 42"
    assert f"{kind}: 5 (a v, a w, a x, ...)" in check(document)[1]
    lines = check(document, "--all")[1]
    assert lines[:6] == [*(f"{kind}: a {name}" for name in "vwxyz"), "left out: records that are no objects: record 2"]


def test_a_broken_image_alone_leaves_nothing_usable(check, broken_files):
    for file in broken_files.images:
        image_id = file.path.stem if file.path.suffix == ".jpg" else file.path.name
        command = [aic_record(image_id, {})], "--decode", "--img_dir", str(file.path.parent)
        if file.expected == ERROR:
            with pytest.raises(InputError, match="a.json: none of its images can be used"):
                check(*command)
        else:
            assert check(*command)[0] == 0


def test_decoding_needs_a_folder(check):
    with pytest.raises(InputError):
        check(aic({}), "--decode")
