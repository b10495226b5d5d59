"""Samples made ready for training: scaled, mirrored, cropped and turned, with joints and regions in their places."""

import numpy as np
import pytest
from PIL import Image

from config import make_config
from dataset import augment
from dataset.augment import Prepared, cell_weights, crop_window, ignore_mask, mosaic
from dataset.model_spec import from_config
from dataset.mscoco import MSCOCO
from dataset.pose_dataset import Sample
from dataset.skeleton import COCO
from util.errors import InputError
from util.maps import map_size


@pytest.fixture
def dataset():
    """A data set of 17 joints without data: tests bring their samples."""
    empty = MSCOCO.__new__(MSCOCO)
    empty.skeleton, empty.cfg = COCO, make_config(max_input_size=850)
    return empty


def prepare(dataset, *args):
    return augment.prepare(dataset, from_config(dataset.cfg, COCO), *args)


def people_of(joints, counts):
    """(P, 17, 3) from the golden files' rows of joint id, x, y and their number per person."""
    people = np.zeros((len(counts), 17, 3), np.float32)
    person = np.repeat(np.arange(len(counts)), counts.astype(int))
    ids = joints[:, 0].astype(int)
    people[person, ids, :2] = joints[:, 1:]
    people[person, ids, 2] = 1
    return people


def sample_of(tmp_path, image, people=None, **fields):
    Image.fromarray(image).save(tmp_path / "x.png")
    people = np.zeros((0, 17, 3), np.float32) if people is None else people
    return Sample(tmp_path / "x.png", image.shape[:2], 0, people, **fields)


@pytest.mark.parametrize("case", [f"case{i:02d}" for i in range(4)])
def test_images_equal_the_originals(golden_dir, tmp_path, dataset, case):
    golden = np.load(golden_dir / "make_batch_inputs.npz")
    image, expected = golden[f"{case}/image"], golden[f"{case}/inputs"][0]
    people = people_of(golden[f"{case}/joints"], golden[f"{case}/counts"])
    scale, mirror = float(golden[f"{case}/scale"]), bool(golden[f"{case}/mirror"])
    prepared = prepare(dataset, sample_of(tmp_path, image, people), scale, mirror)
    assert prepared.image.shape == expected.shape
    assert np.abs(prepared.image.astype(int) - expected).max() <= 1
    assert prepared.weight.shape == map_size(*expected.shape[:2], 8)
    assert prepared.scale == scale


@pytest.mark.parametrize("case", [f"case{i:02d}" for i in range(9)])
def test_joints_equal_the_originals(golden_dir, tmp_path, dataset, case):
    golden = np.load(golden_dir / "targets.npz")
    height, width = golden[f"{case}/image_size"]
    counts, scale = golden[f"{case}/counts"], float(golden[f"{case}/scale"])
    people = people_of(golden[f"{case}/joints"], counts)
    expected = people_of(golden[f"{case}/joints_mirrored"].astype(np.float64), counts)
    expected[..., :2] *= scale
    sample = sample_of(tmp_path, np.zeros((height, width, 3), np.uint8), people)
    prepared = prepare(dataset, sample, scale, bool(golden[f"{case}/mirror"]))
    assert prepared.image.shape[:2] == tuple(golden[f"{case}/scaled_size"])
    assert prepared.people.dtype == np.float32
    np.testing.assert_allclose(prepared.people, expected, rtol=0, atol=6e-5)


@pytest.mark.parametrize("number", range(3))
def test_weights_equal_the_originals(golden_dir, number):
    golden = np.load(golden_dir / "make_batch_inputs.npz")
    expected = golden[f"neg_mask{number}/weights"]
    assert np.array_equal(cell_weights(golden[f"neg_mask{number}/mask"], expected.shape), expected)


@pytest.mark.parametrize("mirror", [False, True])
def test_pixel_joint_and_region_stay_together(tmp_path, dataset, mirror):
    """A white square with a joint in its middle, inside an ignore region, lands in one place."""
    image = np.zeros((96, 160, 3), np.uint8)
    image[40:49, 100:109] = 255
    people = np.zeros((1, 17, 3), np.float32)
    people[0, 9] = 104, 44, 2
    region = [np.array([90.0, 30, 118, 30, 118, 58, 90, 58])]
    sample = sample_of(tmp_path, image, people, ignore=[region])
    prepared = prepare(dataset, sample, 1.5, mirror)
    rows, cols = np.nonzero(prepared.image[..., 0] > 128)
    x, y, flag = prepared.people[0, 10 if mirror else 9]
    assert flag == 2
    # The middle of a square of 9 pixels scaled by 1.5; half a pixel is the original's convention of corners.
    assert (x, y) == pytest.approx((cols.mean(), rows.mean()), abs=0.8)
    ignored = np.argwhere(prepared.weight == 0)
    assert ignored.mean(axis=0)[::-1] * 8 + 4 == pytest.approx((x, y), abs=5)
    assert 0.5 * 42**2 < len(ignored) * 64 < 1.5 * 42**2


def test_large_images_are_scaled_down(tmp_path, dataset):
    dataset.cfg.max_input_size = 64
    people = np.full((1, 17, 3), 100, np.float32)
    prepared = prepare(dataset, sample_of(tmp_path, np.zeros((128, 128, 3), np.uint8), people), 1.1, False)
    assert prepared.image.shape == (64, 64, 3)
    assert prepared.scale == 0.5
    assert prepared.people[0, 0, :2].tolist() == [50, 50]


def test_a_crop_holds_the_people_and_a_margin(tmp_path, dataset):
    dataset.cfg.crop, dataset.cfg.crop_pad = True, 5
    image = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    people = np.zeros((1, 17, 3), np.float32)
    people[0, [5, 6]] = [[20, 30, 2], [40, 35, 2]]
    sample = sample_of(tmp_path, image, people)
    prepared = prepare(dataset, sample, 1, False)
    assert np.array_equal(prepared.image, image[25:41, 15:46])
    assert prepared.people[0, 5].tolist() == [5, 5, 2]
    boxed = sample._replace(boxes=np.array([[10, 20, 79, 59]], np.float32))
    assert crop_window(boxed, (60, 80), 5) == (slice(15, 60), slice(5, 80))
    mirrored = prepare(dataset, sample, 1, True)
    assert mirrored.people[0, 6].tolist() == [31 - 1 - 5, 5, 2]
    empty = prepare(dataset, sample_of(tmp_path, image), 1, False)
    assert empty.image.shape == (60, 80, 3)


def test_regions_of_every_kind_are_drawn():
    mask = np.zeros((30, 20), np.uint8)
    mask[5:9, 3:7] = 1
    runs = [3 * 30 + 5] + [4, 26] * 3 + [4]
    runs.append(600 - sum(runs))
    assert np.array_equal(ignore_mask([{"counts": runs}], (30, 20)), mask)
    from pycocotools import mask as coco_mask

    noisy = (np.random.default_rng(0).random((30, 20)) < 0.3).astype(np.uint8)
    for expected in (mask, noisy, np.ones_like(mask), np.zeros_like(mask)):
        text = coco_mask.encode(np.asfortranarray(expected))["counts"].decode()
        assert np.array_equal(ignore_mask([{"counts": text}], (30, 20)), expected)
    both = ignore_mask([[np.array([0.0, 0, 4, 0, 4, 4, 0, 4])], {"counts": runs}], (30, 20))
    assert both.sum() == 16 + 16


@pytest.mark.parametrize("counts", ["PPPP", "€", [1, 2], [-600, 1200]])
def test_broken_regions_are_named(tmp_path, dataset, counts):
    sample = sample_of(tmp_path, np.zeros((30, 20, 3), np.uint8), ignore=[{"counts": counts}])
    with pytest.raises(InputError, match="x.png: an ignore region"):
        prepare(dataset, sample, 1, False)


def test_the_size_must_be_that_of_the_annotations(tmp_path, dataset):
    sample = sample_of(tmp_path, np.zeros((30, 20, 3), np.uint8))._replace(size=(20, 30))
    with pytest.raises(InputError, match="x.png: 20x30 pixels, but the annotations are for 30x20"):
        prepare(dataset, sample, 1, False)
    assert prepare(dataset, sample._replace(size=None), 1, False).image.shape == (30, 20, 3)


def test_a_random_view_keeps_joint_pixel_and_region_together(tmp_path, dataset):
    """A white square with a joint in its middle, inside an ignore region, turned and cut out."""
    dataset.cfg.update(crop_size=64, rotation=60.0)
    image = np.zeros((96, 160, 3), np.uint8)
    image[40:49, 100:109] = 255
    people = np.zeros((2, 17, 3), np.float32)
    people[0, 9], people[0, 3] = (104, 44, 2), (120, 60, 2)
    people[1, 9] = 10, 44, 2  # too far from the first to be seen with it
    region = [np.array([90.0, 30, 118, 30, 118, 58, 90, 58])]
    sample = sample_of(tmp_path, image, people[:1], ignore=[region])
    for seed in range(5):
        prepared = prepare(dataset, sample, 1, False, np.random.default_rng(seed))
        assert prepared.image.shape == (64, 64, 3) and prepared.weight.shape == (8, 8)
        x, y, flag = prepared.people[0, 9]
        rows, cols = np.nonzero(prepared.image[..., 0] > 200)
        assert flag == 2 and (x, y) == pytest.approx((cols.mean(), rows.mean()), abs=0.7)
        assert prepared.weight[int(y) // 8, int(x) // 8] == 0
        assert prepared.weight.max() == 1
    both = prepare(dataset, sample_of(tmp_path, image, people), 1, False, np.random.default_rng(0))
    assert (both.people[..., 2] > 0).any(axis=1).sum() == 1


def test_beyond_the_image_is_background(tmp_path, dataset):
    dataset.cfg.crop_size = 64
    people = np.full((1, 17, 3), 8, np.float32)
    sample = sample_of(tmp_path, np.zeros((16, 16, 3), np.uint8), people)
    prepared = prepare(dataset, sample, 1, False, np.random.default_rng(0))
    x, y = np.round(prepared.people[0, 0, :2] - 8).astype(int)
    inside = prepared.image[y : y + 16, x : x + 16]
    assert (inside == 0).all() and (prepared.image == 0).sum() == inside.size
    assert (prepared.weight == 1).all()


def test_the_background_weighs_less_away_from_labelled_people(tmp_path, dataset):
    dataset.cfg.update(background_weight=0.25)
    people = np.zeros((1, 17, 3), np.float32)
    people[0, [5, 6]] = [[40, 40, 2], [60, 80, 2]]
    image = np.zeros((160, 160, 3), np.uint8)
    weight = prepare(dataset, sample_of(tmp_path, image, people), 1, False).weight
    rows, cols = np.nonzero(weight == 1)
    # The joints' box with a fifth of its longer side around it: x 32 .. 68, y 32 .. 88.
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == (4, 10, 4, 8)
    assert set(np.unique(weight)) == {0.25, 1}
    assert (prepare(dataset, sample_of(tmp_path, image), 1, False).weight == 1).all()  # nobody: nobody unlabelled


def test_a_mosaic_puts_every_part_with_its_people_and_cells_in_its_corner():
    sizes = [(32, 48), (32, 16), (32, 48), (32, 16)]
    parts = []
    for number, (height, width) in enumerate(sizes):
        people = np.zeros((1, 2, 3), np.float32)
        people[0, 0] = 1, 2, 1
        image = np.full((height, width, 3), number, np.uint8)
        weight = np.full((height // 8, width // 8), number, np.float32)
        parts.append(Prepared(image, people, weight, 1.0 + number))
    whole = mosaic(parts, 64, 8)
    assert whole.image[[0, 0, 63, 63], [0, 63, 0, 63], 0].tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(whole.weight, whole.image[4::8, 4::8, 0])
    assert whole.people[:, 0].tolist() == [[1, 2, 1], [49, 2, 1], [1, 34, 1], [49, 34, 1]]
    assert not whole.people[:, 1].any() and whole.scale == 2.5
