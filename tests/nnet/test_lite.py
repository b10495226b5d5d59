"""TensorFlow Lite models say what their networks say."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from config import load_config, make_config
from multiperson import load_model
from nnet.export import save_tflite
from nnet.lite import LitePredictor
from nnet.lite_file import seal
from nnet.model_skeleton import read_skeleton
from nnet.predict import Predictor, setup_pose_prediction
from tests.rounding import rounding
from util.errors import InputError
from util.images import read_image, resize_image, sample_photographs

ROOT = Path(__file__).parents[2]
CFG = ROOT / "models" / "demo" / "pose_cfg.yaml"
CELLS = np.array([[0, 0], [7, 9], [3, 4], [4, 3]])
TOLERANCE = rounding(4 * 1280, layers=53)  # of a MobileNet and a head, in float32


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("lite") / "pose.tflite"
    cfg = load_config(CFG, {"precision": "float32"})
    save_tflite(setup_pose_prediction(cfg, cfg.init_weights), path, checkpoint=cfg.init_weights)
    return path


@pytest.fixture(scope="module")
def image():
    return read_image(sample_photographs()[0])


def predictors(model, **values):
    cfg = load_config(CFG, {"precision": "float32", **values})
    return setup_pose_prediction(cfg, cfg.init_weights), LitePredictor(cfg, model)


def assert_equal_maps(found, expected):
    pairs = (found.part_prob, expected.part_prob), (found.locref, expected.locref)
    for ours, theirs in (*pairs, (found.pairwise(CELLS), expected.pairwise(CELLS))):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE * np.abs(theirs).max())
    assert found.pairwise(CELLS[:0]).shape == (0, 182, 2)


@pytest.mark.parametrize("tta", [[], ["flip", 1.3]])
def test_it_agrees_with_the_network_at_any_size(model, image, tta):
    network, lite = predictors(model, tta=tta)
    for size in [(112, 176), (131, 90)]:
        small = resize_image(image, size)
        assert_equal_maps(lite.maps(small), network.maps(small))


def test_its_people_are_those_of_the_checkpoint(model, image):
    lite, network = load_model(CFG, weights=model), load_model(CFG, {"precision": "float32"})
    assert isinstance(lite.network, LitePredictor) and isinstance(network.network, Predictor)
    np.testing.assert_allclose(lite(image).people.keypoints, network(image).people.keypoints, atol=0.01)
    assert read_skeleton(model)[0] == lite.skeleton


def test_fewer_bits_make_smaller_files_and_nearly_the_same_maps(tmp_path, image):
    cfg = make_config(num_joints=3, net_type="mobilenet_v2_0.35", location_refinement=True)
    predictor, photo = Predictor(cfg).freeze(), resize_image(image, (64, 96))
    sizes = {}
    # A weight is rounded by 2^-12 of its value in half precision, by 2^-8 of the largest in eight bits.
    kinds = ("full", {}, TOLERANCE), ("half", {"half": True}, 2e-3), ("8", {"photos": [photo]}, 0.1)
    for name, options, error in kinds:
        save_tflite(predictor, tmp_path / f"{name}.tflite", **options)
        sizes[name] = (tmp_path / f"{name}.tflite").stat().st_size
        maps = LitePredictor(cfg, tmp_path / f"{name}.tflite").maps(photo)
        np.testing.assert_allclose(maps.part_prob, predictor.maps(photo).part_prob, atol=error)
    assert sizes["half"] < 0.6 * sizes["full"] and sizes["8"] < 0.4 * sizes["full"]


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


@pytest.mark.parametrize("pairwise_scale", [1, 0.35])
def test_the_scale_may_be_another_than_at_the_export(model, image, pairwise_scale):
    network, lite = predictors(model, global_scale=0.35, pairwise_scale=pairwise_scale)
    small = resize_image(image, (112, 176))
    assert_equal_maps(lite.maps(small), network.maps(small))


def test_what_is_no_such_model_is_named(model, tmp_path):
    cfg = load_config(CFG)
    with pytest.raises(InputError, match=r"none.tflite: no such file"):
        LitePredictor(cfg, tmp_path / "none.tflite")
    whole = model.read_bytes()
    (tmp_path / "cut.tflite").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"cut.tflite: cut off, damaged, or no TensorFlow Lite model"):
        LitePredictor(cfg, tmp_path / "cut.tflite")
    (tmp_path / "noise.tflite").write_bytes(seal(b"noise" * 100, {"global_scale": 1}))
    with pytest.raises(InputError, match=r"noise.tflite: no TensorFlow Lite model"):
        LitePredictor(cfg, tmp_path / "noise.tflite")
    with pytest.raises(InputError, match=r"a model of 14 joints; .*num_joints: 17"):
        LitePredictor(make_config(num_joints=17), model)
