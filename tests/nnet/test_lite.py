"""TensorFlow Lite models say what their networks say."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from config import load_config, make_config
from nnet.lite import LitePredictor
from nnet.lite_file import seal
from nnet.predict import setup_pose_prediction
from tools import export
from util.errors import InputError
from util.images import read_image, resize_image

ROOT = Path(__file__).parents[2]
CFG = ROOT / "models" / "demo" / "pose_cfg.yaml"
CELLS = np.array([[0, 0], [7, 9], [3, 4], [4, 3]])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("lite") / "pose.tflite"
    export.main(["--cfg", str(CFG), "--tflite", str(path)])
    return path


@pytest.fixture(scope="module")
def image():
    return read_image(ROOT / "demo" / "image_multi.jpg")


def predictors(model, **values):
    cfg = load_config(CFG, {"precision": "float32", **values})
    return setup_pose_prediction(cfg, cfg.init_weights), setup_pose_prediction(cfg, model)


def assert_equal_maps(found, expected):
    np.testing.assert_allclose(found.part_prob, expected.part_prob, atol=1e-5)
    np.testing.assert_allclose(found.locref, expected.locref, atol=1e-3)
    np.testing.assert_allclose(found.pairwise(CELLS), expected.pairwise(CELLS), atol=1e-3)
    assert found.pairwise(CELLS[:0]).shape == (0, 272, 2)


@pytest.mark.parametrize("tta", [[], ["flip", 1.3]])
def test_it_agrees_with_the_network_at_any_size(model, image, tta):
    network, lite = predictors(model, tta=tta)
    assert isinstance(lite, LitePredictor)
    for size in [(112, 176), (131, 90)]:
        small = resize_image(image, size)
        assert_equal_maps(lite.maps(small), network.maps(small))


def test_threads_do_not_disturb_each_other(model, image):
    _, lite = predictors(model)
    sizes = [(64, 96 + 16 * k) for k in range(6)]
    images = [resize_image(image, size) for size in sizes]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lite.maps, images))
        offsets = list(pool.map(lambda maps: maps.pairwise(CELLS), together))
    for picture, maps, offset in zip(images, together, offsets, strict=True):
        alone = lite.maps(picture)
        np.testing.assert_array_equal(maps.part_prob, alone.part_prob)
        np.testing.assert_array_equal(offset, alone.pairwise(CELLS))


def test_the_scale_may_be_another_than_at_the_export(model, image):
    network, lite = predictors(model, global_scale=0.35)
    small = resize_image(image, (112, 176))
    assert_equal_maps(lite.maps(small), network.maps(small))


def test_what_is_no_such_model_is_named(model, tmp_path):
    with pytest.raises(InputError, match=r"none.tflite: no such file"):
        predictors(tmp_path / "none.tflite")
    whole = model.read_bytes()
    (tmp_path / "cut.tflite").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"cut.tflite: cut off, damaged, or no TensorFlow Lite model"):
        predictors(tmp_path / "cut.tflite")
    (tmp_path / "noise.tflite").write_bytes(seal(b"noise" * 100, {"global_scale": 1}))
    with pytest.raises(InputError, match=r"noise.tflite: no TensorFlow Lite model"):
        predictors(tmp_path / "noise.tflite")
    with pytest.raises(InputError, match=r"a model of 17 joints; .*num_joints: 14"):
        LitePredictor(make_config(num_joints=14), model)
