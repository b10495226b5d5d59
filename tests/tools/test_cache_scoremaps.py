"""Maps are written once, and people are grouped from the files as from the network."""

import numpy as np
import pytest
from PIL import Image

from config import make_config
from dataset.model_spec import from_config
from dataset.pose_dataset import PoseDataset, save_dataset_mat
from dataset.targets import dataset_images
from multiperson.estimator import PoseEstimator
from multiperson.mapcache import MapCache
from multiperson.predict import SpatialModel
from tests.simulated import SeesPeople
from tools.cache_scoremaps import cache
from tools.predict_multiperson import Run, predict
from util.errors import InputError

POSE = np.array([[0, -80], [-30, -40], [30, -40], [-20, 60]])
PEOPLE = np.array([[[*joint, 1] for joint in POSE + place] for place in ([70, 100], [210, 120])], float)


@pytest.fixture
def cfg(tmp_path):
    records = []
    for name in ("a", "b"):
        Image.new("RGB", (320, 240)).save(tmp_path / f"{name}.png")
        records.append((f"{name}.png", (240, 320), []))
    save_dataset_mat(tmp_path / "dataset.mat", records)
    return make_config(
        num_joints=4,
        dataset=str(tmp_path / "dataset.mat"),
        global_scale=0.5,
        min_keypoints=1,
        scoremap_dir=str(tmp_path / "maps"),
    )


@pytest.fixture
def network(cfg):
    """Sees the same two people in every image."""
    return SeesPeople(cfg, from_config(cfg), lambda image: PEOPLE * [0.5, 0.5, 1])


@pytest.fixture
def targets(cfg):
    return dataset_images(PoseDataset(cfg))


@pytest.fixture
def write(cfg, network, targets):
    """Writes the maps of the data set, as of a network with this fingerprint."""
    return lambda fingerprint: cache(targets, network, MapCache(cfg.scoremap_dir, fingerprint), cfg)


class Entries(list):
    """A journal."""

    def add(self, number, entry):
        self.append(entry)


def test_grouping_from_the_cache_equals_grouping_from_the_network(cfg, network, targets, write):
    assert write("one") == (2, 0)
    found = []
    for maps in (MapCache(cfg.scoremap_dir, "one"), None):
        model = PoseEstimator(None if maps else network, SpatialModel(cfg, network.spec.skeleton), cfg)
        predict(model, Run(targets, network.spec, maps, None), [0, 1], entries := Entries())
        found.append([person["keypoints"] for entry in entries for person in entry["coco"]])
    cached, expected = np.array(found)
    assert len(expected) > 0
    np.testing.assert_allclose(cached, expected, atol=1e-3)


def test_files_are_kept_and_broken_images_told(cfg, write, tmp_path, caplog):
    (tmp_path / "b.png").write_bytes(b"no image")
    assert write("one") == (1, 1)
    assert "b.png: not an image" in caplog.text
    before = (tmp_path / "maps/a.mat").stat().st_mtime_ns
    assert write("one") == (0, 1)
    assert (tmp_path / "maps/a.mat").stat().st_mtime_ns == before
    with pytest.raises(InputError, match="maps: holds the maps of another network"):
        write("two")


def test_maps_are_written_again_when_their_image_changes(cfg, network, targets, write, tmp_path):
    write("one")
    Image.new("RGB", (160, 240)).save(tmp_path / "a.png")
    target, maps = targets[0], MapCache(cfg.scoremap_dir, "one")
    with pytest.raises(InputError, match=r"a\.mat: the maps of another image of this name, or of an earlier version"):
        maps.load(target.name, target.path, network.spec)
    assert write("one") == (1, 0)
    assert maps.load(target.name, target.path, network.spec).part_prob.shape == (16, 10, 4)
