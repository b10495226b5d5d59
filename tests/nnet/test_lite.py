"""TensorFlow Lite models compute what their networks do; tests/models has those that come with the code."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from config import make_config
from dataset.skeleton import from_config
from nnet.export import save_tflite
from nnet.lite import LitePredictor
from nnet.lite_file import seal
from nnet.model_skeleton import read_skeleton
from nnet.predict import Predictor, setup_pose_prediction
from tests.rounding import rounding
from util.errors import InputError

CELLS = np.array([[0, 0], [7, 9], [3, 4], [4, 3]])
TOLERANCE = rounding(9 * 256, layers=8)  # of seven convolutions in a row and a head, in float32


@pytest.fixture(scope="module")
def network(small_model):
    return setup_pose_prediction(small_model)


@pytest.fixture(scope="module")
def model(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("lite") / "pose.tflite"
    save_tflite(network, path, checkpoint=network.cfg.init_weights)
    return path


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def assert_same_maps(network, model, size, **values):
    """The network and its TensorFlow Lite model agree for an image, with these values in the configuration."""
    cfg = type(network.cfg)(network.cfg, **values)
    expected = Predictor(cfg, network.stats, network.net).maps(noise(*size))
    found = LitePredictor(cfg, model).maps(noise(*size))
    pairs = (found.part_prob, expected.part_prob), (found.locref, expected.locref)
    for ours, theirs in (*pairs, (found.pairwise(CELLS), expected.pairwise(CELLS))):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE * np.abs(theirs).max())
    assert found.pairwise(CELLS[:0]).shape == (0, 12, 2)


@pytest.mark.parametrize("tta", [[], ["flip", 1.3]])
def test_maps_agree_with_those_of_the_network_at_any_size(network, model, tta):
    for size in [(112, 176), (131, 90)]:
        assert_same_maps(network, model, size, tta=tta)


@pytest.mark.parametrize("pairwise_scale", [1, 0.35])
def test_the_scale_may_differ_from_that_of_the_export(network, model, pairwise_scale):
    assert_same_maps(network, model, (112, 176), global_scale=0.35, pairwise_scale=pairwise_scale)


def test_the_skeleton_is_in_the_file(network, model):
    assert read_skeleton(model)[0] == from_config(network.cfg)


def test_fewer_bits_make_smaller_files_and_nearly_the_same_maps(tmp_path):
    cfg = make_config(num_joints=3, net_type="mobilenet_v2_0.35", location_refinement=True)
    predictor, image = Predictor(cfg).freeze(), noise(64, 96)
    sizes = {}
    # Half precision rounds a weight by 2^-12 of its value, eight bits by 2^-8 of the largest one.
    float32 = rounding(4 * 1280, layers=53)
    for name, options, error in ("full", {}, float32), ("half", {"half": True}, 2e-3), ("8", {"photos": [image]}, 0.1):
        save_tflite(predictor, tmp_path / f"{name}.tflite", **options)
        sizes[name] = (tmp_path / f"{name}.tflite").stat().st_size
        maps = LitePredictor(cfg, tmp_path / f"{name}.tflite").maps(image)
        np.testing.assert_allclose(maps.part_prob, predictor.maps(image).part_prob, atol=error)
    assert sizes["half"] < 0.6 * sizes["full"] and sizes["8"] < 0.4 * sizes["full"]


def test_threads_do_not_disturb_each_other(network, model):
    lite = LitePredictor(network.cfg, model)
    images = [noise(64, 96 + 16 * k) for k in range(6)]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lite.maps, images))
        offsets = list(pool.map(lambda maps: maps.pairwise(CELLS), together))
    for image, maps, offset in zip(images, together, offsets, strict=True):
        alone = lite.maps(image)
        np.testing.assert_array_equal(maps.part_prob, alone.part_prob)
        np.testing.assert_array_equal(offset, alone.pairwise(CELLS))


def test_files_that_are_no_such_model_are_named(network, model, tmp_path):
    with pytest.raises(InputError, match=r"none.tflite: no such file"):
        LitePredictor(network.cfg, tmp_path / "none.tflite")
    whole = model.read_bytes()
    (tmp_path / "cut.tflite").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"cut.tflite: cut off, damaged, or no TensorFlow Lite model"):
        LitePredictor(network.cfg, tmp_path / "cut.tflite")
    (tmp_path / "noise.tflite").write_bytes(seal(b"noise" * 100, {"global_scale": 1}))
    with pytest.raises(InputError, match=r"noise.tflite: no TensorFlow Lite model"):
        LitePredictor(network.cfg, tmp_path / "noise.tflite")
    with pytest.raises(InputError, match=r"a model of 4 joints; .*num_joints: 17"):
        LitePredictor(make_config(num_joints=17), model)
