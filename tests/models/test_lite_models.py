"""TensorFlow Lite models that ship beside their checkpoints find the same people."""

from pathlib import Path

import numpy as np
import pytest

from multiperson import load_model
from nnet.lite import LitePredictor
from util.images import sample_photographs

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(ROOT.glob("models/*/weights.tflite"))
# In pixels of photographs of 512x512.
NEAR = 10


@pytest.mark.skipif(not SHIPPED, reason="no model ships as a TensorFlow Lite file")
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_the_people_of_a_shipped_model_are_those_of_its_checkpoint(path):
    shipped, checkpoint = load_model(path.parent), load_model(path.parent, {"precision": "float32"})
    assert isinstance(shipped.network, LitePredictor)  # made of this very checkpoint
    for photograph in sample_photographs():
        found, expected = (model(photograph).people for model in (shipped, checkpoint))
        assert len(found.score) == len(expected.score) > 0
        for person in expected.keypoints:
            both = (found.keypoints[..., 2] > 0) & (person[:, 2] > 0)
            distance = np.linalg.norm(found.keypoints[..., :2] - person[:, :2], axis=2)
            assert ((distance < NEAR) & both).sum(axis=1).max() >= 0.9 * np.count_nonzero(person[:, 2])
