import json

import pytest
from PIL import Image

from tests.broken_files import ERROR, SKIP
from tools import check_dataset
from util.errors import InputError

PERSON = [x for joint in range(14) for x in (3 * joint + 1, 2 * joint + 1, 1)]


def aic(tmp_path, people, boxes=None):
    boxes = boxes or dict.fromkeys(people, [0, 0, 50, 40])
    record = {"image_id": "a", "keypoint_annotations": people, "human_annotations": boxes}
    (tmp_path / "a.json").write_text(json.dumps([record, 5]))
    return str(tmp_path / "a.json")


def coco(tmp_path, keypoints, **image):
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "height": 40, "width": 50, **image}],
        "categories": [{"id": 1, "name": "person", "keypoints": ["a", "b"]}],
        "annotations": [
            {"id": 9, "image_id": 1, "category_id": 1, "keypoints": keypoints, "area": 9, "bbox": [1, 2, 30, 30]}
        ],
    }
    (tmp_path / "a.json").write_text(json.dumps(content))
    return str(tmp_path / "a.json")


def test_good(data_dir, capsys):
    status = check_dataset.main(
        [str(data_dir / "aic_sample/annotations.json"), "--decode", "--img_dir", str(data_dir / "aic_sample/images")]
    )
    assert status == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines[2:]] == ["3", "9", "0", "101"]


@pytest.mark.parametrize(
    "change, complaint",
    [
        (lambda p: p[:-1], "left out: people with keypoints that are not a list of 42: 1 (a x)"),
        (lambda p: [0, 5, 3, *p[3:]], "suspect: people with a place for a joint that is not labelled: 1 (a x)"),
        (lambda p: [60, 5, 1, *p[3:]], "suspect: people with a joint outside the image: 1 (a x)"),
        (lambda p: [*p[:3], *p[:3], *p[6:]], "suspect: people with two joints in one place: 1 (a x)"),
    ],
)
def test_people(tmp_path, capsys, change, complaint):
    Image.new("L", (50, 40)).save(tmp_path / "a.jpg")
    status = check_dataset.main([aic(tmp_path, {"x": change(PERSON), "y": PERSON}), "--img_dir", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert complaint in lines
    assert sum(line.startswith(("suspect: ", "left out: ")) for line in lines) == 2
    assert status == 1


def test_twins_and_boxes(tmp_path, capsys):
    people = {"x": PERSON, "y": PERSON, "z": [v + 0.5 for v in PERSON[:-1]] + [1]}
    people["z"][2::3] = PERSON[2::3]
    boxes = {"x": [0, 0, 50, 40], "y": [0, 0, 52, 40], "z": [45, 0, 49, 9]}
    Image.new("L", (50, 40)).save(tmp_path / "a.jpg")
    check_dataset.main([aic(tmp_path, people, boxes), "--img_dir", str(tmp_path)])
    out = capsys.readouterr().out
    assert "suspect: people with the joints of another one: 1 (a y)" in out
    assert "suspect: people whose box leaves the image: 1 (a y)" in out
    assert "suspect: people with no joint in their box: 1 (a z)" in out


def test_coco_images(tmp_path, capsys):
    path = coco(tmp_path, [2, 3, 2, 9, 9, 1])
    (tmp_path / "images").mkdir()
    image = tmp_path / "images/a.jpg"
    options = [path, "--img_dir", str(tmp_path / "images")]
    with pytest.raises(InputError, match="none of its images"):
        check_dataset.main(options)
    Image.new("L", (50, 41)).save(image)
    assert check_dataset.main(options) == 0
    assert "suspect: images of another size than the annotations say: 1 (a.jpg)" in capsys.readouterr().out
    Image.effect_noise((50, 40), 99).save(image)
    assert check_dataset.main(options) == 0
    image.write_bytes(image.read_bytes()[:-500])
    assert check_dataset.main(options) == 0
    with pytest.raises(InputError):
        check_dataset.main([*options, "--decode"])
    assert "left out: images that cannot be read: 1" in capsys.readouterr().out


def test_coco_without_size(tmp_path, capsys):
    assert check_dataset.main([coco(tmp_path, [2, 3, 2, 900, 9, 1], height=None, width=None)]) == 0
    assert "suspect: images without height and width: 1 (a.jpg)" in capsys.readouterr().out


def test_broken_files(broken_files, capsys):
    """Every broken file; the exit status tells."""
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


def test_all_faults_are_shown_where_asked_for(tmp_path, capsys):
    path = aic(tmp_path, dict.fromkeys("vwxyz", PERSON[:-1]) | {"a": PERSON})
    kind = "left out: people with keypoints that are not a list of 42"
    assert check_dataset.main([path]) == 1
    assert f"{kind}: 5 (a v, a w, a x, ...)" in capsys.readouterr().out.splitlines()
    assert check_dataset.main([path, "--all"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:6] == [*(f"{kind}: a {name}" for name in "vwxyz"), "left out: records that are no objects: record 2"]


def test_broken_images(broken_files, tmp_path):
    """One image alone: broken ones leave nothing usable."""
    for file in broken_files.images:
        image_id = file.path.stem if file.path.suffix == ".jpg" else file.path.name
        record = {"image_id": image_id, "keypoint_annotations": {}, "human_annotations": {}}
        (tmp_path / "a.json").write_text(json.dumps([record]))
        command = [str(tmp_path / "a.json"), "--decode", "--img_dir", str(file.path.parent)]
        if file.expected == ERROR:
            with pytest.raises(InputError, match="a.json: none of its images can be used"):
                check_dataset.main(command)
        else:
            assert check_dataset.main(command) == 0


def test_decode_needs_a_folder(tmp_path):
    with pytest.raises(InputError):
        check_dataset.main([aic(tmp_path, {}), "--decode"])
