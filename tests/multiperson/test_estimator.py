"""Estimated people are in pixels of the image, at any scale and from several threads."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from easydict import EasyDict
from PIL import Image

from multiperson.estimator import PoseEstimator
from multiperson.predict import predict_people
from util.errors import InputError


class StandIn:
    """A network that gives the same maps for every image and remembers the sizes it saw."""

    def __init__(self, maps):
        self._maps, self.sizes, self.batches = maps, [], []

    def maps_of_batch(self, images):
        self.sizes += [image.shape[:2] for image in images]
        self.batches.append(len(images))
        return [self._maps] * len(images)


def test_people_are_in_pixels_of_the_image(scene):
    cfg = EasyDict(scene.cfg, global_scale=0.9, max_input_size=100)
    network = StandIn(scene.maps)
    result = PoseEstimator(network, scene.model, cfg)(np.zeros((400, 201, 3), np.uint8))
    ((height, width),) = network.sizes
    assert (height, width) == (141, 70)
    expected = predict_people(scene.model, cfg, scene.maps)
    np.testing.assert_allclose(result.people.keypoints, expected.keypoints * [201 / 70, 400 / 141, 1])
    np.testing.assert_array_equal(result.people.score, expected.score)
    assert result.image_size == (400, 201)
    assert result.reduction == ((400, 201), (141, 70))
    assert result.network_seconds > 0 and result.grouping_seconds > 0


def test_file_and_array_give_the_same(scene, tmp_path):
    image = np.full((60, 80, 3), 7, np.uint8)
    Image.fromarray(image).save(tmp_path / "a.png")
    estimator = PoseEstimator(StandIn(scene.maps), scene.model, scene.cfg)
    np.testing.assert_array_equal(estimator(tmp_path / "a.png").people.keypoints, estimator(image).people.keypoints)


def test_a_result_is_json(scene):
    names = [f"joint{k}" for k in range(17)]
    result = PoseEstimator(StandIn(scene.maps), scene.model, scene.cfg)(np.zeros((8, 8, 3), np.uint8))
    read = json.loads(json.dumps(result.as_dict()))
    assert (read["height"], read["width"], len(read["people"])) == (8, 8, len(result.people.score))
    found = result.people.keypoints[0, :, 2] > 0
    assert set(read["people"][0]["keypoints"]) == {name for name, there in zip(names, found, strict=True) if there}


def test_consecutive_images_of_one_size_are_a_batch(scene):
    network = StandIn(scene.maps)
    estimator = PoseEstimator(network, scene.model, EasyDict(scene.cfg, predict_batch=3))
    images = [np.full((height, 8, 3), number, np.uint8) for number, height in enumerate([8] * 4 + [9] + [8])]
    results = list(estimator.stream(enumerate(images)))
    assert network.batches == [3, 1, 1, 1]
    assert [result.source for _, result in results] == list(range(6))
    for image, (given, result) in zip(images, results, strict=True):
        assert given is image and result.image_size == image.shape[:2]


def test_a_stream_goes_on_after_a_broken_file(scene, tmp_path, caplog):
    paths = [tmp_path / name for name in ("broken.png", "a.png", "b.png")]
    for path in paths:
        Image.new("RGB", (8, 8)).save(path)
    paths[0].write_text("no image")
    estimator = PoseEstimator(StandIn(scene.maps), scene.model, scene.cfg)
    assert [result.source for _, result in estimator.stream(paths)] == paths[1:]
    assert caplog.messages == [f"skipped {paths[0]}: not an image, or not of a kind that is read here (JPEG, PNG, GIF, "
                               "BMP, TIFF, WEBP)"]  # fmt: skip
    with pytest.raises(InputError, match=r"broken\.png: not an image"):
        list(estimator.stream(paths[:1]))
    with pytest.raises(InputError, match=r"none of the 2 images can be read; the first: .*broken\.png"):
        list(estimator.stream(paths[:1] * 2))
    skipped = []
    assert not list(estimator.stream([("x", paths[0])], lambda name, error: skipped.append(name)))
    assert skipped == ["x"]


def test_a_stream_can_find_in_another_way(scene):
    estimator = PoseEstimator(None, scene.model, scene.cfg)
    found = estimator.stream([("name", np.zeros((9, 8, 3), np.uint8))],
                             find=lambda name, image: estimator.group(scene.maps, image.shape[:2]))  # fmt: skip
    ((_, result),) = found
    assert result.source == "name" and result.image_size == (9, 8)


def test_a_result_draws_only_sure_joints(scene):
    result = PoseEstimator(StandIn(scene.maps), scene.model, scene.cfg)(np.zeros((8, 8, 3), np.uint8))
    confidence = result.people.keypoints[..., 2]
    limit = float(np.median(confidence[confidence > 0]))
    sure = replace(result, min_confidence=limit)
    assert np.count_nonzero(sure.sure_keypoints[..., 2]) == np.count_nonzero(confidence >= limit)
    named = sum(len(person["keypoints"]) for person in sure.as_dict()["people"])
    assert named == np.count_nonzero(confidence >= limit)


def test_a_full_batch_does_not_wait_for_the_next_image(scene):
    """The next image of a camera comes later."""
    estimator = PoseEstimator(StandIn(scene.maps), scene.model, scene.cfg)
    taken = []

    def camera():
        for number in range(20):
            taken.append(number)
            yield number, np.zeros((8, 8, 3), np.uint8)

    next(estimator.stream(camera()))
    assert len(taken) == 2  # computed at once


def test_threads_share_an_estimator(scene):
    estimator = PoseEstimator(StandIn(scene.maps), scene.model, scene.cfg)
    images = [np.zeros((40 + k, 50, 3), np.uint8) for k in range(8)]
    with ThreadPoolExecutor(4) as pool:
        parallel = list(pool.map(estimator, images))
    for image, result in zip(images, parallel, strict=True):
        np.testing.assert_array_equal(result.people.keypoints, estimator(image).people.keypoints)


def test_other_arrays_are_refused(scene):
    estimator = PoseEstimator(StandIn(scene.maps), scene.model, scene.cfg)
    for shape, kind in ((5, 5), np.uint8), ((5, 5, 3), np.float32), ((5, 5, 4), np.uint8), ((0, 640, 3), np.uint8):
        with pytest.raises(ValueError, match="expected an RGB image"):
            estimator(np.zeros(shape, kind))


def test_maps_that_cannot_be_grouped_are_refused(scene):
    estimator = PoseEstimator(None, scene.model, scene.cfg)
    with pytest.raises(ValueError, match="expected the height and width of an image"):
        estimator.group(scene.maps, (0, 640))
    twice = np.concatenate([scene.maps.part_prob] * 2, axis=-1)
    with pytest.raises(ValueError, match=r"part_prob: expected .* for 17 joints"):
        estimator.group(scene.maps._replace(part_prob=twice), (480, 640))
