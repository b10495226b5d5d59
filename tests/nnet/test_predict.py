"""From the raw heads of a network to maps."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from scipy.io import savemat

from config import make_config
from dataset.model_spec import from_config, write_spec
from nnet import checkpoint
from nnet.pose_net import PoseNet
from nnet.predict import Predictor, argmax_pose_predict, extract_cnn_output, setup_pose_prediction
from nnet.tta import flip_image, unflip_maps
from tests.nnet.described import described
from tests.rounding import rounding
from util.errors import InputError
from util.frozen_weights import VARIABLE
from util.maps import Maps, joint_pairs, pair_index

pytestmark = pytest.mark.usefixtures("tiny_resnet")

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)
CELLS = np.array([[0, 0], [4, 6], [3, 2], [1, 4]])


def test_argmax_equals_the_original(golden_dir):
    with np.load(golden_dir / "argmax_pose.npz") as scene:
        locref = scene["locref"].reshape(*scene["part_prob"].shape, 2) * 7.2801
        pose = argmax_pose_predict(scene["part_prob"], locref, stride=8)
        np.testing.assert_allclose(pose, scene["pose"], rtol=0, atol=1e-3)


@pytest.fixture(scope="module")
def predictor(small_model):
    return setup_pose_prediction(small_model)


def with_views(predictor, *views):
    """The same network, which looks at several views of each image."""
    return Predictor(type(predictor.cfg)(predictor.cfg, tta=list(views)), predictor.spec, predictor.net)


def assert_equal(found, expected):
    """But for what sums in another order change in the network: seven convolutions in a row, and a head."""
    tolerance = rounding(9 * 256, layers=8) * np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def assert_equal_maps(found, expected):
    assert_equal(found.part_prob, expected.part_prob)
    assert_equal(found.locref, expected.locref)
    assert_equal(found.pairwise(CELLS), expected.pairwise(CELLS))


def test_maps_agree_with_the_dense_heads(predictor):
    scmap, locref, pairwise = extract_cnn_output(predictor.net(IMAGE[None]), predictor.spec)
    assert scmap.shape == (6, 8, 4) and pairwise.shape == (6, 8, 12, 2)
    maps = predictor.maps(IMAGE)
    assert_equal_maps(maps, Maps(scmap, 8, locref, lambda cells: pairwise[tuple(cells.T)]))
    assert maps.pairwise(np.zeros((0, 2), int)).shape == (0, 12, 2)


FROZEN = """
import sys
import numpy as np
from config import make_config
from nnet.predict import setup_pose_prediction

weights, images, result = sys.argv[1:]
predictor = setup_pose_prediction(make_config({settings}), weights)
with np.load(images) as images:
    np.savez(result, *[predictor.maps(images[name]).part_prob for name in images.files])
"""


def test_a_process_of_frozen_weights_finds_the_same(tmp_path, set_formula_weights):
    """In images of several sizes: what is kept of weights must suit all."""
    settings = {"num_joints": 3, "net_type": "mobilenet_v2_0.35", "precision": "float32"}
    net = PoseNet(*described(**settings))
    set_formula_weights({name: var for name, var in net.slim_variables().items() if "depthwise" not in name})
    checkpoint.write_checkpoint(tmp_path / "w", {name: var.numpy() for name, var in net.slim_variables().items()})
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (*size, 3), np.uint8) for size in ((40, 56), (200, 180), (64, 300))]
    np.savez(tmp_path / "images.npz", *images)
    code = FROZEN.format(settings=", ".join(f"{key}={value!r}" for key, value in settings.items()))
    command = [sys.executable, "-c", code, tmp_path / "w", tmp_path / "images.npz", tmp_path / "maps.npz"]
    subprocess.run(command, env=os.environ | {VARIABLE: "1"}, check=True)
    with np.load(tmp_path / "maps.npz") as found:
        for image, maps in zip(images, map(found.__getitem__, found.files), strict=True):
            expected = 1 / (1 + np.exp(-net(image[None])["part_pred"].numpy()[0]))
            spread = np.ptp(expected)
            assert spread > 0.01
            np.testing.assert_allclose(maps, expected, rtol=0, atol=rounding(1280, layers=54) * spread)


def test_too_little_memory_is_one_line_with_the_size_and_the_key(monkeypatch):
    predictor = Predictor(*described(num_joints=2, net_type="resnet_18"))

    def exhausted(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(type(predictor.net), "features", exhausted)
    with pytest.raises(InputError, match="no memory for an image of 61x46 pixels: lower max_input_size"):
        predictor.maps(np.zeros((46, 61, 3), np.uint8))


def test_with_flips_a_mirrored_image_has_mirrored_maps(predictor):
    predictor = with_views(predictor, "flip")
    image = np.random.default_rng(0).integers(0, 256, (40, 64, 3), np.uint8)
    image[:, 0] = predictor.spec.fill  # the column that mirrored images lack
    maps = predictor.maps(image)
    flipped = predictor.maps(flip_image(image, predictor.spec))
    flipped = unflip_maps(flipped, np.array([0, 3, 2, 1]))
    np.testing.assert_allclose(maps.part_prob, flipped.part_prob, atol=1e-6)
    np.testing.assert_allclose(maps.locref, flipped.locref, atol=1e-4)
    np.testing.assert_allclose(maps.pairwise(CELLS), flipped.pairwise(CELLS), atol=1e-3)


def test_pairwise_values_are_denormalised_by_pair(predictor):
    spec, channel = predictor.spec, pair_index(2, 0, 4)
    outputs = {"part_pred": np.zeros((1, 2, 2, 4)), "locref_pred": np.zeros((1, 2, 2, 8))}
    outputs["pairwise_pred"] = np.zeros((1, 2, 2, 24))
    outputs["pairwise_pred"][..., 2 * channel + 1] = 1
    mean, std = spec.pairwise.means[channel], spec.pairwise.std_devs[channel]
    for scale in (spec.pairwise_scale, 1.25):
        pairwise = extract_cnn_output(outputs, replace(spec, pairwise_scale=scale))[2]
        np.testing.assert_allclose(pairwise[1, 1, channel], scale * (mean + [0, std[1]]))
    assert spec.pairwise_scale == 0.5


def test_networks_may_have_their_pairs_in_another_order(predictor, tmp_path):
    """By tensorflow_pairwise_order: false that of their statistics, which count joints from 1; or by model.yaml."""
    cfg, stats = predictor.cfg, predictor.spec.pairwise
    order = np.random.default_rng(1).permutation(12)
    content = {"graph": joint_pairs(4)[order] + 1, "means": stats.means[order], "std_devs": stats.std_devs[order]}
    savemat(tmp_path / "older.mat", content)
    arrays = checkpoint.read_checkpoint(cfg.init_weights)
    channels = np.stack([2 * order, 2 * order + 1], axis=1).ravel()
    for name, axis in (("weights", 2), ("biases", 0)):
        name = f"pose/pairwise_pred/block4/{name}"
        arrays[name] = arrays[name].take(channels, axis)
    checkpoint.write_checkpoint(tmp_path / "older", arrays)
    older = type(cfg)(cfg, tensorflow_pairwise_order=False, pairwise_stats_fn=str(tmp_path / "older.mat"))
    expected = predictor.maps(IMAGE).pairwise(CELLS)
    assert_equal(setup_pose_prediction(older, tmp_path / "older").maps(IMAGE).pairwise(CELLS), expected)
    write_spec(tmp_path / "model.yaml", from_config(older))
    (tmp_path / "older.mat").unlink()
    assert_equal(setup_pose_prediction(make_config(), tmp_path / "older").maps(IMAGE).pairwise(CELLS), expected)


@pytest.mark.parametrize("views", [[], ["flip", 0.5]])
def test_a_batch_has_the_maps_of_its_images(predictor, views):
    predictor = with_views(predictor, *views)
    images = list(np.random.default_rng(0).integers(0, 256, (3, *IMAGE.shape), np.uint8))
    for image, maps in zip(images, predictor.maps_of_batch(images), strict=True):
        assert_equal_maps(maps, predictor.maps(image))


def test_threads_share_a_predictor(predictor):
    predictor = with_views(predictor, "flip")
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (32 + 9 * k, 90 - 7 * k, 3), np.uint8) for k in range(8)] * 3

    def look(image):
        maps = predictor.maps(image)
        return maps.part_prob, maps.locref, maps.pairwise(CELLS[2:])

    alone = [look(image) for image in images[:8]] * 3
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(look, images))
    for expected, found in zip(alone, together, strict=True):
        for one, other in zip(expected, found, strict=True):
            assert_equal(other, one)


def test_weights_must_be_named():
    with pytest.raises(InputError, match="init_weights is missing"):
        setup_pose_prediction(make_config(num_joints=4))
