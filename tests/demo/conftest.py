"""An estimator that needs no network."""

import numpy as np
import pytest
from PIL import Image

from config import make_config
from dataset.skeleton import AIC
from multiperson.estimator import Estimator, PoseResult
from multiperson.predict import People
from tests.drawn import STANDING


class KnownPeople(Estimator):
    """Finds the same two people everywhere: one with all joints, one without the last, the neck."""

    cfg, skeleton, network = make_config(), AIC, None

    def __init__(self):
        places = 0.2 * STANDING + np.array([[[7, 5]], [[37, 10]]])
        self.keypoints = np.concatenate([places, np.full((2, 14, 1), 0.9)], axis=-1)
        self.keypoints[1, 13] = 0

    def estimate(self, images):
        people = People.of(self.keypoints)
        return [PoseResult(people, AIC, image.shape[:2], 0.25, 0.001) for image in images]


@pytest.fixture
def estimator():
    return KnownPeople()


@pytest.fixture
def pictures(tmp_path):
    """Two pictures of one name in two folders, and a broken one."""
    paths = [tmp_path / "a" / "x.png", tmp_path / "b" / "x.jpg", tmp_path / "b" / "broken.png"]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (64, 48), "gray").save(paths[0])
    Image.new("RGB", (64, 48), "gray").save(paths[1])
    paths[2].write_bytes(b"\x89PNG\r\n\x1a\n")
    return paths
