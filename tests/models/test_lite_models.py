"""The TensorFlow Lite models beside the checkpoints that come with the code find the same people."""

from pathlib import Path

import numpy as np
import pytest

from multiperson import load_model
from nnet.lite import LitePredictor
from util.images import sample_photographs

ROOT = Path(__file__).parents[2]
MODELS = sorted(ROOT.glob("models/*/weights*.tflite"))
# In pixels of photographs of 512x512.
NEAR = 10
# The people fill the photographs: so small the network knows them.
SEEN = {"global_scale": 0.3, "tta": []}


@pytest.mark.skipif(not MODELS, reason="./compile.sh makes the model that the demo starts with")
@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.parent.name)
def test_the_people_of_a_model_are_those_of_its_checkpoint(path):
    lite = load_model(path.parent, SEEN, num_images=1)
    checkpoint = load_model(path.parent, SEEN | {"precision": "float32"})
    assert isinstance(lite.network, LitePredictor)  # made of this very checkpoint
    for photograph in sample_photographs():
        found, expected = (model(photograph).people for model in (lite, checkpoint))
        assert len(found.score) == len(expected.score) > 0
        for person in expected.keypoints:
            both = (found.keypoints[..., 2] > 0) & (person[:, 2] > 0)
            distance = np.linalg.norm(found.keypoints[..., :2] - person[:, :2], axis=2)
            assert ((distance < NEAR) & both).sum(axis=1).max() >= 0.9 * np.count_nonzero(person[:, 2])
