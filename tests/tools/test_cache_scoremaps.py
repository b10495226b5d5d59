"""Maps are written once, and people are grouped from the files as from the network."""

import numpy as np
import pytest
from PIL import Image

from config import make_config
from dataset.pose_dataset import PoseDataset, save_dataset_mat
from dataset.targets import Target, dataset_images
from multiperson.estimator import PoseEstimator
from multiperson.mapcache import MapCache
from multiperson.predict import SpatialModel
from multiperson.simulate import simulate_maps
from tools.cache_scoremaps import cache
from tools.predict_multiperson import Photo, find_people
from util.errors import InputError

POSE = np.array([[0, -80], [-30, -40], [30, -40], [-20, 60]])
PEOPLE = np.array([[[*joint, 1] for joint in POSE + place] for place in ([70, 100], [210, 120])], float)


class Network:
    """Sees the same two people in every image."""

    def maps(self, image):
        return simulate_maps(PEOPLE * [0.5, 0.5, 1], *image.shape[:2])

    def maps_of_batch(self, images):
        return list(map(self.maps, images))


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
        pairwise_predict=True,
        min_keypoints=1,
        scoremap_dir=str(tmp_path / "maps"),
    )


@pytest.fixture
def write(cfg):
    """Writes the maps of the data set, as of a network with this fingerprint."""
    return lambda network: cache(dataset_images(PoseDataset(cfg)), Network(), MapCache(cfg.scoremap_dir, network), cfg)


def test_grouping_from_the_cache_equals_grouping_from_the_network(cfg, write, tmp_path):
    assert write("one") == (2, 0)
    expected = PoseEstimator(Network(), SpatialModel(cfg), cfg)(tmp_path / "a.png")
    cached = PoseEstimator(None, SpatialModel(cfg), type(cfg)(cfg, cached_scoremaps=cfg.scoremap_dir))
    image = np.zeros((240, 320, 3), np.uint8)
    photo = Photo(0, Target(tmp_path / "a.png", "a", "a"), [])
    ((_, _, found),) = find_people(cached, MapCache(cfg.scoremap_dir, "one"), [(photo, image)])
    assert len(found.people.score) > 0 and found.image_size == (240, 320)
    np.testing.assert_allclose(found.people.keypoints, expected.people.keypoints, atol=1e-3)


def test_files_are_kept_and_broken_images_told(cfg, write, tmp_path, caplog):
    (tmp_path / "b.png").write_bytes(b"no image")
    assert write("one") == (1, 1)
    assert "b.png: not an image" in caplog.text
    before = (tmp_path / "maps/a.mat").stat().st_mtime_ns
    assert write("one") == (0, 1)
    assert (tmp_path / "maps/a.mat").stat().st_mtime_ns == before
    with pytest.raises(InputError, match="maps: holds the maps of another network"):
        write("two")


def test_maps_are_written_again_when_their_image_changes(cfg, write, tmp_path):
    write("one")
    Image.new("RGB", (160, 240)).save(tmp_path / "a.png")
    target = Target(tmp_path / "a.png", "a", "a")
    maps = MapCache(cfg.scoremap_dir, "one")
    with pytest.raises(InputError, match=r"a\.mat: the maps of another image of this name, or of an earlier version"):
        maps.load(target.name, target.path, 4)
    assert write("one") == (1, 0)
    assert maps.load(target.name, target.path, 4).part_prob.shape == (16, 10, 4)
