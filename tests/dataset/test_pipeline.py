"""Batches for training: their content, their order, and what bad images do."""

import threading
from itertools import islice

import numpy as np
import pytest

from dataset import pipeline
from dataset.factory import create
from dataset.model_spec import from_config
from dataset.pipeline import SIZE_STEP, Plan, pad_batch
from dataset.skeleton import COCO
from util.errors import InputError
from util.maps import map_size

RANDOM = {"mirror": True, "scale_jitter_lo": 0.8, "scale_jitter_up": 1.2}


def training_batches(dataset, cfg, **options):
    return pipeline.training_batches(dataset, cfg, from_config(cfg, COCO), **options)


@pytest.fixture
def many(coco):
    """23 images of various sizes, with 0 to 5 people each."""
    random = np.random.default_rng(1)
    for number in range(23):
        image = coco.add_image(size=tuple(random.integers(40, 200, 2).tolist()))
        for _ in range(number % 6):
            coco.add_person(image)
    return coco


def equal(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[key], b[key]) for key in a)


def test_single_images_are_not_padded(many):
    cfg = many.config(shuffle=False)
    dataset = create(cfg)
    for number, batch in enumerate(islice(training_batches(dataset, cfg), 23)):
        height, width = dataset[number].size
        assert batch["index"].tolist() == [number]
        assert batch["image"].shape == (1, height, width, 3)
        assert batch["weight"].shape == (1, *map_size(height, width, 8))
        assert batch["weight"].all()
        assert batch["scale"].tolist() == [1]
        assert batch["people"].shape == (1, 8 if number % 6 == 5 else 4, 17, 3)
        assert (batch["people"][0, :, 5, 2] > 0).sum() == number % 6
    assert {key: value.dtype.name for key, value in batch.items()} == {
        "image": "uint8",
        "people": "float32",
        "weight": "float32",
        "scale": "float32",
        "index": "int64",
    }


def test_every_image_comes_once_an_epoch_in_another_order(many):
    cfg = many.config()
    seen = [int(batch["index"][0]) for batch in islice(training_batches(create(cfg), cfg), 46)]
    assert sorted(seen[:23]) == sorted(seen[23:]) == list(range(23))
    assert seen[:23] != seen[23:] != list(range(23))


@pytest.mark.parametrize("batch_size", [1, 3])
def test_resumed_runs_get_the_same_batches(many, batch_size):
    cfg = many.config(batch_size=batch_size, **RANDOM)
    dataset = create(cfg)
    whole = list(islice(training_batches(dataset, cfg), 30))
    for step in (0, 1, 17, 25):
        resumed = list(islice(training_batches(dataset, cfg, start=step), 4))
        assert all(map(equal, resumed, whole[step:]))
    other = many.config(batch_size=batch_size, seed=1, **RANDOM)
    assert not equal(whole[0], next(iter(training_batches(dataset, other))))


def test_random_choices_follow_the_configuration(many):
    cfg = many.config(global_scale=0.5, **RANDOM)
    plan = Plan(create(cfg), cfg)
    choices = [plan.choice(position) for position in range(2000)]
    scales = np.array([choice.scale for choice in choices])
    assert 0.4 <= scales.min() < 0.42
    assert 0.58 < scales.max() <= 0.6
    assert 0.45 < np.mean([choice.mirror for choice in choices]) < 0.55
    fixed = Plan(plan.dataset, many.config())
    assert all(fixed.choice(position)[1:] == (1, False) for position in range(50))


def test_batches_are_padded_at_the_right_and_bottom(many):
    cfg = many.config(batch_size=4)
    dataset = create(cfg)
    for batch in islice(training_batches(dataset, cfg), 12):
        height, width = batch["image"].shape[1:3]
        assert height % SIZE_STEP == width % SIZE_STEP == 0
        assert batch["weight"].shape == (4, height // 8, width // 8)
        for i, index in enumerate(batch["index"]):
            h, w = dataset[index].size
            rows, cols = map_size(h, w, 8)
            assert batch["weight"][i, :rows, :cols].all()
            assert batch["weight"][i].sum() == rows * cols
            assert (batch["image"][i, h:] == (124, 117, 104)).all()
            assert (batch["image"][i, :h, w:] == (124, 117, 104)).all()
            assert batch["image"][i, :h, :w].std() > 50


def test_similar_sizes_share_a_batch(many):
    cfg = many.config(batch_size=4)
    dataset = create(cfg)
    plan = Plan(dataset, cfg)
    batches = [[plan.choice(position).index for position in plan.batch(step)] for step in range(16 * 23)]
    assert np.bincount(np.ravel(batches)).tolist() == [16 * 4] * 23
    sizes = dataset.table.sizes[np.array(batches)]
    shapes = -(-sizes.max(axis=1) // SIZE_STEP) * SIZE_STEP
    assert sizes.prod(axis=-1).sum() / (4 * shapes.prod(axis=-1).sum()) > 0.6
    assert len(np.unique(shapes, axis=0)) <= 12


def test_a_batch_may_be_larger_than_the_data_set(coco):
    coco.add_person(coco.add_image())
    cfg = coco.config(batch_size=5)
    assert next(iter(training_batches(create(cfg), cfg)))["index"].tolist() == [0] * 5


def spoil(coco, numbers):
    for number in numbers:
        path = coco.path / f"images/train/{number:03d}.jpg"
        path.write_bytes(path.read_bytes()[:300])


def test_bad_images_are_replaced_and_named_once(many, caplog):
    cfg = many.config(batch_size=2, **RANDOM)
    dataset = create(cfg)
    spoil(many, [3, 8])
    batches = list(islice(training_batches(dataset, cfg), 60))
    assert {3, 8}.isdisjoint(np.concatenate([batch["index"] for batch in batches]))
    assert all(len(batch["index"]) == 2 for batch in batches)
    messages = sorted(record.getMessage() for record in caplog.records)
    assert len(messages) == 2
    assert "003.jpg" in messages[0]
    assert "008.jpg" in messages[1]
    assert all(map(equal, islice(training_batches(dataset, cfg, start=40), 5), batches[40:]))


def test_too_many_bad_images_stop_the_run(many):
    cfg = many.config()
    dataset = create(cfg)
    spoil(many, [3, 8, 9])
    with pytest.raises(InputError, match="3 of the first 2[0-3] images cannot be used"):
        list(islice(training_batches(dataset, cfg), 23))


def test_a_data_set_without_a_good_image_is_refused(coco):
    coco.add_person(coco.add_image())
    coco.add_person(coco.add_image())
    cfg = coco.config()
    dataset = create(cfg)
    spoil(coco, [0, 1])
    with pytest.raises(InputError, match=r"2 images in a row cannot be used; .*\.jpg"):
        next(iter(training_batches(dataset, cfg)))


def test_unusual_images_are_used_in_their_size(data_dir, coco):
    sizes = {
        "gray16.png": (200, 320),
        "cmyk.jpg": (200, 320),
        "exif_rotated6.jpg": (200, 320),
        "one_pixel.png": (1, 1),
        "wide_6000x8.png": (8, 6000),
        "animated.gif": (200, 320),
    }
    for name, size in sizes.items():
        coco.add_person(coco.add_image(size=size, file_name=name, write=False))
        (coco.path / "images/train" / name).write_bytes((data_dir / "bad/images" / name).read_bytes())
    cfg = coco.config(shuffle=False)
    batches = islice(training_batches(create(cfg), cfg), 6)
    assert [batch["image"].shape[1:3] for batch in batches] == list(sizes.values())


def test_threads_end_with_the_iterator(many):
    cfg = many.config()
    batches = training_batches(create(cfg), cfg)
    next(batches)
    assert any(thread.name.startswith("samples") for thread in threading.enumerate())
    batches.close()
    for thread in threading.enumerate():
        if thread.name.startswith("samples"):
            thread.join(timeout=5)
            assert not thread.is_alive()


def test_mosaics_are_batches_and_repeat(many):
    cfg = many.config(batch_size=3, crop_size=64, mosaic=1.0, rotation=20.0, color_jitter=0.2, **RANDOM)
    dataset = create(cfg)
    batches = list(islice(training_batches(dataset, cfg), 6))
    assert all(batch["image"].shape == (3, 64, 64, 3) and batch["weight"].shape == (3, 8, 8) for batch in batches)
    # Four images of 2.2 people on average; of each image with people, at least one is shown.
    people = [(batch["people"][..., 2] > 0).any(axis=2).sum(axis=1) for batch in batches]
    assert np.max(people) > 4
    resumed = next(iter(training_batches(dataset, cfg, start=5)))
    assert equal(resumed, batches[5])


def test_the_shares_of_workers_make_the_batch(many):
    cfg = many.config(batch_size=4, **RANDOM)
    dataset = create(cfg)
    whole = list(islice(training_batches(dataset, cfg), 8))
    shares = [list(islice(training_batches(dataset, cfg, share=slice(first, first + 2)), 8)) for first in (0, 2)]
    for number, batch in enumerate(whole):
        size = batch["image"].shape[1:3]
        padded = [pad_batch(share[number], *size, batch["people"].shape[1], from_config(cfg, COCO)) for share in shares]
        assert equal(batch, {name: np.concatenate([part[name] for part in padded]) for name in batch})


def test_data_without_labelled_people_are_refused(coco):
    coco.add_person(coco.add_image(), joints=[])
    cfg = coco.config()
    with pytest.raises(InputError, match=r"_train.json: nobody is labelled"):
        next(training_batches(create(cfg), cfg))
