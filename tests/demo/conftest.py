"""An estimator that needs no network."""

import numpy as np
import pytest
from PIL import Image

from config import make_config
from dataset.skeleton import NECKHEAD
from multiperson.estimator import PoseResult
from multiperson.predict import People
from util.images import read_image


class KnownPeople:
    """Finds the same two people everywhere: one with all joints, one without the head top, joint 1."""

    cfg, skeleton = make_config(skeleton="neckhead"), NECKHEAD

    def __init__(self):
        rng = np.random.default_rng(0)
        self.keypoints = np.concatenate([rng.uniform(5, 40, (2, 17, 2)), np.full((2, 17, 1), 0.9)], axis=-1)
        self.keypoints[1, 1] = 0
        self.names = tuple(f"joint{number}" for number in range(17))

    def estimate_batch(self, images):
        return [self(image) for image in images]

    def __call__(self, image):
        size = (read_image(image) if not isinstance(image, np.ndarray) else image).shape[:2]
        people = People(self.keypoints, self.keypoints[..., 2].mean(axis=1))
        return PoseResult(people, self.names, size, 0.25, 0.001)


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
