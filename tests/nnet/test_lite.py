"""TensorFlow Lite models compute what their networks do; tests/models has those that come with the code."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from config import make_config
from nnet.checkpoint import network_id
from nnet.description import describe, read_spec
from nnet.export import save_tflite
from nnet.lite import LitePredictor
from nnet.predict import Predictor, setup_pose_prediction
from tests.nnet.described import described
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


@pytest.mark.parametrize("tta", [[], ["flip", 1.3]])
def test_maps_agree_with_those_of_the_network_at_any_size(network, model, tta):
    cfg = type(network.cfg)(network.cfg, tta=tta)
    ours, theirs = LitePredictor(cfg, describe(cfg, model), model), Predictor(cfg, network.spec, network.net)
    for size in [(112, 176), (131, 90)]:
        found, expected = ours.maps(noise(*size)), theirs.maps(noise(*size))
        assert found.stride == expected.stride
        assert_near(found.part_prob, expected.part_prob)
        assert_near(found.locref, expected.locref)
        assert_near(found.pairwise(CELLS), expected.pairwise(CELLS))
        assert found.pairwise(CELLS[:0]).shape == (0, 12, 2)


def assert_near(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE * np.abs(expected).max())


def test_heads_can_be_switched_off(network, model):
    cfg = make_config(location_refinement=False, pairwise_predict=False)
    maps = LitePredictor(cfg, describe(cfg, model), model).maps(noise(64, 96))
    assert maps.locref is None and maps.pairwise is None
    assert_near(maps.part_prob, network.maps(noise(64, 96)).part_prob)


def test_the_description_is_in_the_file(network, model):
    spec, source = read_spec(model)
    assert spec.as_table() == network.spec.as_table() and source == str(model)
    assert spec.network == network_id(network.cfg.init_weights)
    for values in ({"mean_pixel": [0, 0, 0]}, {"net_type": "resnet_50"}):
        (key,) = values
        with pytest.raises(InputError, match=f"make_config: {key} is .*, but the model in {model} has"):
            describe(make_config(**values), model)


def test_fewer_bits_make_smaller_files_and_nearly_the_same_maps(tmp_path):
    cfg, spec = described(num_joints=3, net_type="mobilenet_v2_0.35", location_refinement=True)
    predictor, image = Predictor(cfg, spec).freeze(), noise(64, 96)
    sizes = {}
    # Half precision rounds a weight by 2^-12 of its value, eight bits by 2^-8 of the largest one.
    float32 = rounding(4 * 1280, layers=53)
    for name, options, error in ("full", {}, float32), ("half", {"half": True}, 2e-3), ("8", {"photos": [image]}, 0.1):
        save_tflite(predictor, tmp_path / f"{name}.tflite", **options)
        sizes[name] = (tmp_path / f"{name}.tflite").stat().st_size
        maps = LitePredictor(cfg, spec, tmp_path / f"{name}.tflite").maps(image)
        np.testing.assert_allclose(maps.part_prob, predictor.maps(image).part_prob, atol=error)
    assert sizes["half"] < 0.6 * sizes["full"] and sizes["8"] < 0.4 * sizes["full"]


def test_threads_do_not_disturb_each_other(network, model):
    lite = LitePredictor(network.cfg, network.spec, model)
    images = [noise(64, 96 + 16 * k) for k in range(6)]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lite.maps, images))
        offsets = list(pool.map(lambda maps: maps.pairwise(CELLS), together))
    for image, maps, offset in zip(images, together, offsets, strict=True):
        alone = lite.maps(image)
        np.testing.assert_array_equal(maps.part_prob, alone.part_prob)
        np.testing.assert_array_equal(offset, alone.pairwise(CELLS))


def test_files_that_are_no_such_model_are_named(network, tmp_path):
    (tmp_path / "noise.tflite").write_bytes(b"noise" * 100)
    with pytest.raises(InputError, match=r"noise.tflite: no TensorFlow Lite model"):
        LitePredictor(network.cfg, network.spec, tmp_path / "noise.tflite")
