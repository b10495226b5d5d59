import json

import numpy as np
import pytest
from PIL import Image

from tools.make_toy_dataset import HIDDEN, L_WRIST, R_WRIST, UNLABELLED, VISIBLE, Scene, _hidden, draw, main
from util.errors import InputError


def read(folder, phase="train"):
    return json.loads((folder / f"annotations/{phase}.json").read_text())


def test_format_and_ranges(tmp_path, capsys):
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


def test_the_seed_alone_decides(tmp_path):
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


def test_crowds_hide_joints(tmp_path):
    main([str(tmp_path), "--images", "40", "--people", "6", "9", "--no_images"])
    flags = [flag for record in read(tmp_path) for person in record["keypoint_annotations"].values()
             for flag in person[2::3]]  # fmt: skip
    shares = np.bincount(flags)[1:] / len(flags)
    assert shares[0] > 0.5
    assert 0.02 < shares[1] < 0.4


def test_hidden_means_covered_by_a_later_person_of_the_same_image():
    joints = np.zeros((3, 14, 2))
    joints[0] = np.arange(14)[:, None] * 10.0
    joints[1:] = 50  # all of the second body is one spot on joint 5 of the first
    hidden = _hidden(joints, np.array([100.0, 100, 100]), np.array([0, 0, 1]))
    assert np.flatnonzero(hidden[0]).tolist() == [5]
    assert not hidden[1:].any()


def test_left_is_warm_and_right_is_cool():
    joints = np.array([[[x, y] for x, y in
                        [(60, 80), (40, 100), (30, 130), (100, 80), (120, 100), (130, 130), (70, 150), (70, 190),
                         (70, 230), (90, 150), (90, 190), (90, 230), (80, 30), (80, 70)]]], float)  # fmt: skip
    scene = Scene(joints, np.array([220.0]), np.array([True]), np.ones((1, 14), int))
    for seed in range(5):
        pixels = np.asarray(draw(scene, (160, 240), np.random.default_rng(seed)), int)

        def colour(a, b, pixels=pixels):
            x, y = joints[0, [a, b]].mean(axis=0).round().astype(int)
            return pixels[y, x]

        assert colour(3, 4)[0] > colour(3, 4)[2] + 60  # left upper arm: more red than blue
        assert colour(0, 1)[2] > colour(0, 1)[0] + 60
        assert colour(9, 10)[0] > colour(9, 10)[2] + 30
        assert colour(6, 7)[2] > colour(6, 7)[0] + 30
        assert joints[0, L_WRIST, 0] > joints[0, R_WRIST, 0]  # the person faces us


@pytest.mark.parametrize("wrong", [["--people", "3", "1"], ["--size", "5", "5"], ["--images", "0"], ["--seed", "-1"]])
def test_impossible_requests(tmp_path, wrong):
    with pytest.raises(InputError):
        main([str(tmp_path), *wrong])
    assert not list(tmp_path.iterdir())
