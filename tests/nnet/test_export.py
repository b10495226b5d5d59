"""A network and its export find the joints in the places that it was trained on; the description comes along."""

from itertools import cycle, islice

import numpy as np
import pytest
import tensorflow as tf

from dataset.model_spec import from_table
from nnet.checkpoint import network_id
from nnet.export import save_model
from nnet.pose_net import PoseNet
from nnet.predict import Predictor, setup_pose_prediction
from nnet.trainer import Trainer
from tests.nnet.described import described
from util.maps import argmax_pose_predict, map_size
from util.yamlfile import read_yaml

COLOURS = (250, 60, 60), (60, 60, 250)  # of the two joints
STEPS = 400


def draw_scene(height, width, rng):
    """A picture of noise with two coloured discs, (H, W, 3) uint8, and their centres, (2, 2) x, y."""
    image = rng.integers(105, 135, (height, width, 3), np.uint8)
    middle = width / 2
    joints = np.stack([rng.uniform((6, middle + 6), (middle - 6, width - 6)), rng.uniform(6, height - 6, 2)], axis=1)
    rows, cols = np.indices((height, width))
    for (x, y), colour in zip(joints, COLOURS, strict=True):
        image[(cols - x) ** 2 + (rows - y) ** 2 < 5**2] = colour
    return image, joints


@pytest.fixture(scope="module")
def scenes():
    """Images with their joints; the sides have every remainder modulo 16."""
    rng = np.random.default_rng(0)
    return [draw_scene(48 + rest, 48 + 5 * rest % 16, rng) for rest in range(16)]


def single_batch(image, joints):
    people = np.concatenate([joints, np.ones((2, 1))], axis=1, dtype=np.float32)
    return {
        "image": image[None],
        "people": people[None, None],
        "scale": np.ones(1, np.float32),
        "weight": np.ones((1, *map_size(*image.shape[:2], 8)), np.float32),
    }


@pytest.fixture(scope="module")
def predictor(tiny_resnet, scenes):
    """A small ResNet that has learnt the scenes by heart, one image in each step."""
    cfg, spec = described(
        num_joints=2,
        net_type="resnet_18",
        location_refinement=True,
        batch_norm="frozen",
        optimizer="adam",
        pos_dist_thresh=9,
    )
    trainer = Trainer(cfg, spec)
    # The moments come from all images, since those of a single image would differ from the stored ones.
    start = PoseNet(type(cfg)(cfg, batch_norm="train", batch_norm_decay=0), spec)
    start(np.stack([image[:48, :48] for image, _ in scenes]), training=True)
    for name, variable in start.slim_variables().items():
        trainer.slim_variables[name].assign(variable)
    for step, (image, joints) in enumerate(islice(cycle(scenes), STEPS)):
        trainer.step([single_batch(image, joints)], 0.001 * (1 - step / STEPS))
    return Predictor(cfg, spec, trainer.net).freeze()


def assert_finds(scenes, maps_of):
    """All joints are found within a pixel. maps_of: gives part_prob and locref of an image by name"""
    maps = [maps_of(image) for image, _ in scenes]
    found = [argmax_pose_predict(each["part_prob"], each["locref"], stride=8)[:, :2] for each in maps]
    distances = np.linalg.norm(np.subtract(found, [joints for _, joints in scenes]), axis=2)
    assert distances.max() < 1


def test_joints_are_found_in_images_of_all_sizes(scenes, predictor):
    assert_finds(scenes, lambda image: predictor.maps(image)._asdict())


def test_a_saved_model_finds_them_as_well(scenes, predictor, tmp_path):
    save_model(predictor, tmp_path / "1")
    serve = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"]

    def maps(image):
        return {name: values.numpy()[0] for name, values in serve(image=tf.constant(image[None])).items()}

    assert_finds(scenes, maps)


def test_a_saved_model_holds_its_description(small_model, tmp_path):
    predictor = setup_pose_prediction(small_model)
    save_model(predictor, tmp_path / "1")
    table = read_yaml(tmp_path / "1/assets.extra/model.yaml")
    assert from_table(table, "").as_table() == predictor.spec.as_table() == table
    assert table["network"] == network_id(small_model.init_weights)
