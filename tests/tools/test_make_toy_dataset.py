"""Drawn people and their annotations."""

import json

import numpy as np
import pytest
from PIL import Image

from dataset.aic import HIDDEN, UNLABELLED, VISIBLE
from dataset.skeleton import AIC
from tools.make_toy_dataset import main
from util.errors import InputError


def read(folder, phase="train"):
    return json.loads((folder / f"annotations/{phase}.json").read_text())


def test_annotations_are_within_the_images(tmp_path, capsys):
    main([str(tmp_path), "--images", "12", "--people", "2", "5", "--size", "160", "120"])
    records = read(tmp_path)
    assert len(records) == 12
    people = 0
    for record in records:
        with Image.open(tmp_path / f"images/train/{record['image_id']}.jpg") as image:
            assert image.size == (160, 120)
        assert record["keypoint_annotations"].keys() == record["human_annotations"].keys()
        assert len(record["human_annotations"]) <= 5
        for name, values in record["keypoint_annotations"].items():
            x, y, flag = np.array(values).reshape(14, 3).T
            labelled = flag != UNLABELLED
            assert set(flag) <= {VISIBLE, HIDDEN, UNLABELLED}
            assert labelled.sum() >= 4
            assert not x[~labelled].any() and not y[~labelled].any()
            assert x.min() >= 0 and y.min() >= 0 and x.max() < 160 and y.max() < 120
            x0, y0, x1, y1 = record["human_annotations"][name]
            assert 0 <= x0 < x1 <= 159 and 0 <= y0 < y1 <= 119
            assert x0 <= x[labelled].min() and x[labelled].max() <= x1
            people += 1
    assert f"12 images, {people} people" in capsys.readouterr().out


def test_labels_lie_on_the_drawn_joints(tmp_path):
    """Elbows and knees, five pixels wide, are warm in colour on the left, cool on the right."""
    main([str(tmp_path), "--images", "30", "--people", "1", "1", "--size", "320", "240"])
    for record in read(tmp_path):
        image = np.asarray(Image.open(tmp_path / f"images/train/{record['image_id']}.jpg"), int)
        for values in record["keypoint_annotations"].values():
            joints = dict(zip(AIC.keypoints, np.reshape(values, (14, 3)), strict=True))
            for name in ("left_elbow", "left_knee", "right_elbow", "right_knee"):
                x, y, flag = joints[name]
                warmth = image[y, x, 0] - image[y, x, 2]
                assert flag != VISIBLE or (warmth if name.startswith("left") else -warmth) > 20, name


def test_the_seed_alone_decides_what_is_drawn(tmp_path):
    common = ["--size", "96", "64", "--seed", "3"]
    main([str(tmp_path / "a"), "--images", "6", *common])
    main([str(tmp_path / "b"), "--images", "6", *common, "--phase", "val"])
    main([str(tmp_path / "c"), "--images", "9", *common, "--no_images"])
    main([str(tmp_path / "d"), "--images", "6", "--size", "96", "64", "--seed", "4", "--no_images"])
    assert read(tmp_path / "a") == read(tmp_path / "b", "val") == read(tmp_path / "c")[:6]
    assert not (tmp_path / "c/images").exists()
    people = [record["keypoint_annotations"] for record in read(tmp_path / "a")]
    assert people != [record["keypoint_annotations"] for record in read(tmp_path / "d")]
    for image in (tmp_path / "a/images/train").iterdir():
        assert image.read_bytes() == (tmp_path / "b/images/val" / image.name).read_bytes()


def test_people_in_crowds_hide_joints(tmp_path):
    main([str(tmp_path), "--images", "40", "--people", "6", "9", "--no_images"])
    flags = [
        flag for record in read(tmp_path) for person in record["keypoint_annotations"].values() for flag in person[2::3]
    ]
    shares = np.bincount(flags)[1:] / len(flags)
    assert shares[0] > 0.5
    assert 0.02 < shares[1] < 0.4


@pytest.mark.parametrize("wrong", [["--people", "3", "1"], ["--size", "5", "5"], ["--images", "0"], ["--seed", "-1"]])
def test_impossible_requests_are_refused(tmp_path, wrong):
    with pytest.raises(InputError):
        main([str(tmp_path), *wrong])
    assert not list(tmp_path.iterdir())
