"""Training batches, read ahead by a few threads.

A pool of threads rather than tf.data: Pillow releases the interpreter lock while it decodes and resizes, so threads
keep all cores busy. This needs no detour through TensorFlow's py_function (a copy and a lock for every sample) and no
second process, and the order of batches is plain code that anybody can check.

Every random choice is a function of (cfg.seed, position), where the position counts samples from the first step on, so
a resumed run gets the batches that it would have got without the interruption.
"""

import logging
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from itertools import count
from typing import NamedTuple

import numpy as np
from PIL import Image

from dataset.augment import Prepared, mosaic, prepare
from dataset.model_spec import ModelSpec
from dataset.pose_dataset import PoseDataset
from util.errors import InputError
from util.images import scaled_size
from util.maps import map_size
from util.view import fitting_scale

Batch = dict[str, np.ndarray]

# Sides of padded batches are multiples of this: a larger one means fewer shapes to trace and more padding.
SIZE_STEP = 64
# Batches of similar images are formed within windows of this many batches of the random order.
WINDOW_BATCHES = 16
MAX_THREADS = 8
# Where the four parts of a mosaic meet, as a share of its side; a multiple of this many pixels.
MOSAIC_SPLIT, MOSAIC_STEP = (0.35, 0.65), 16
# Training stops above this share of unreadable images, once enough have been tried.
MAX_BAD, MIN_TRIED = 0.1, 20


class Choice(NamedTuple):
    """The random choices for one sample."""

    index: int
    scale: float
    mirror: bool


class Loaded(NamedTuple):
    """A sample from a thread; `failed` holds (index, message) of the images that it replaces."""

    index: int
    prepared: Prepared | None
    failed: list[tuple[int, str]]


class Plan:
    """Which sample comes at which position of the endless sequence of epochs, and how it is transformed."""

    def __init__(self, dataset: PoseDataset, cfg):
        self.dataset, self.cfg = dataset, cfg
        self.num_images, self.epoch_size = len(dataset), dataset.epoch_size
        # Keeps no copies of the data set's arrays, and few epochs.
        self._epoch = lru_cache(maxsize=4)(self._draw_epoch)
        self._window = lru_cache(maxsize=4)(self._arrange_window)

    def batch(self, number: int) -> list[int]:
        """Positions of the samples of batch `number` (from 0); a step of training takes `accumulate_steps` of them."""
        size = self.cfg.batch_size
        if size == 1 or not self.cfg.shuffle:
            return list(range(number * size, (number + 1) * size))
        window, place = divmod(number, WINDOW_BATCHES)
        return self._window(window)[place].tolist()

    def choice(self, position: int) -> Choice:
        """The sample at `position`."""
        epoch, place = divmod(position, self.epoch_size)
        order, scales, mirrored = self._epoch(epoch)
        return Choice(int(order[place]), float(scales[place]), bool(mirrored[place]))

    def random(self, position: int) -> np.random.Generator:
        """Generator of all other random choices for the sample at `position`."""
        return np.random.default_rng([self.cfg.seed, 2, position])

    def random_choice(self, random: np.random.Generator) -> Choice:
        """Any sample, for the remaining parts of a mosaic."""
        cfg = self.cfg
        scale = cfg.global_scale * random.uniform(cfg.scale_jitter_lo, cfg.scale_jitter_up)
        index = int(random.integers(self.num_images))
        scale *= float(self.dataset.relative_scale([index])[0])
        return Choice(index, scale, bool(random.random() < 0.5 * cfg.mirror))

    def _draw_epoch(self, epoch: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        cfg, count = self.cfg, self.epoch_size
        random = np.random.default_rng([cfg.seed, 0, epoch])
        order = random.permutation(count) if cfg.shuffle else np.arange(count)
        scales = cfg.global_scale * random.uniform(cfg.scale_jitter_lo, cfg.scale_jitter_up, count)
        mirrored = random.random(count) < 0.5 * cfg.mirror
        order = self.dataset.epoch(random)[order]
        return order, scales * self.dataset.relative_scale(order), mirrored

    def _arrange_window(self, window: int) -> np.ndarray:
        """(WINDOW_BATCHES, batch_size) positions: images of similar size together, the batches in random order."""
        size = self.cfg.batch_size
        count = size * WINDOW_BATCHES
        positions = np.arange(window * count, (window + 1) * count)
        heights, widths = np.array([self.network_size(int(position)) for position in positions]).T
        rows = -(-heights // SIZE_STEP)
        # Serpentine, so that the last batch of one height and the first of the next have similar widths.
        order = np.lexsort((np.where(rows % 2, widths, -widths), rows))
        random = np.random.default_rng([self.cfg.seed, 1, window])
        return positions[order].reshape(WINDOW_BATCHES, size)[random.permutation(WINDOW_BATCHES)]

    def network_size(self, position: int) -> tuple[int, int]:
        """Height and width of the sample at `position` in the network's input."""
        if self.cfg.crop_size:
            return self.cfg.crop_size, self.cfg.crop_size
        choice = self.choice(position)
        height, width = self.dataset.table.sizes[choice.index]
        if not height:  # unknown before the image is read: a usual size
            height, width = 480, 640
        scale = fitting_scale((height, width), choice.scale, self.cfg.max_input_size)
        return scaled_size((height, width), scale)


def training_batches(
    dataset: PoseDataset, cfg, spec: ModelSpec, start: int = 0, share: slice = slice(None)
) -> Iterator[Batch]:
    """Endless batches for a model, from number `start` on, or a worker's share of each, each a dict of

    image   (B, H, W, 3) uint8 RGB
    people  (B, P, J, 3) float32 x, y, flag in pixels of `image`; flag 0: absent, or padding
    weight  (B, rows, cols) float32 of `map_size`, 0 in ignore regions and padding
    scale   (B,) float32, from pixels of the file to those of `image`
    index   (B,) int64, which sample of `dataset`

    Images of one size, such as windows of `crop_size`, are as they are; others are padded at the right and the
    bottom with the mean pixel to multiples of 64 pixels. Images that cannot be read are named once and replaced by the
    next ones in order. Raises InputError if more than a tenth is unreadable, or nobody is labelled.
    """
    if not (dataset.table.people[..., 2] > 0).any():
        raise InputError(f"{dataset.path}: nobody is labelled: there is nothing to learn")
    plan = Plan(dataset, cfg)
    threads = min(MAX_THREADS, os.cpu_count() or 1)
    # Pillow keeps freed image memory instead of returning it: fresh pages from the system cost a third of a sample.
    Image.core.set_blocks_max(4 * threads)
    bad = BadImages()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="samples")
    # Two batches, and work for every thread: enough to even out the load in little memory.
    ahead = max(2, -(-2 * threads // cfg.batch_size))
    queue: deque[list[Future]] = deque()
    numbers = count(start)
    try:
        while True:
            while len(queue) < ahead:
                queue.append(
                    [pool.submit(_load, plan, spec, position) for position in plan.batch(next(numbers))[share]]
                )
            yield _assemble([bad.check(future.result()) for future in queue.popleft()], cfg, spec)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _load(plan: Plan, spec: ModelSpec, position: int) -> Loaded:
    """The sample at `position`, or the first readable one after it."""
    failed = []
    for candidate in range(position, position + min(plan.num_images, MIN_TRIED)):
        choice = plan.choice(candidate)
        try:
            return Loaded(choice.index, _sample(plan, spec, choice, plan.random(candidate)), failed)
        except InputError as error:
            failed.append((choice.index, str(error)))
    return Loaded(-1, None, failed)


def _sample(plan: Plan, spec: ModelSpec, choice: Choice, random: np.random.Generator) -> Prepared:
    """A sample by itself, or as one of the four parts of a mosaic."""
    dataset, cfg = plan.dataset, plan.cfg
    if random.random() >= cfg.mosaic:
        return prepare(dataset, spec, dataset[choice.index], choice.scale, choice.mirror, random)
    choices = [plan.random_choice(random) for _ in range(4)]
    choices[random.integers(4)] = choice
    # The parts meet near the middle, at a border of cells.
    split = np.round(cfg.crop_size * random.uniform(*MOSAIC_SPLIT, 2) / MOSAIC_STEP).astype(int) * MOSAIC_STEP
    sides = [(side, cfg.crop_size - side) for side in split.tolist()]
    sizes = [(height, width) for height in sides[0] for width in sides[1]]
    return mosaic(
        [
            prepare(dataset, spec, dataset[part.index], part.scale, part.mirror, random, size)
            for part, size in zip(choices, sizes, strict=True)
        ],
        cfg.crop_size,
        spec.stride,
    )


class BadImages:
    """Counts the images tried and those found unreadable."""

    def __init__(self):
        self.tried: set[int] = set()
        self.bad: set[int] = set()

    def check(self, loaded: Loaded) -> Loaded:
        """Pass a sample on; name new unreadable images in the log and raise InputError if they are too many."""
        for index, message in loaded.failed:
            if index not in self.bad:
                logging.warning("skipping an image: %s", message)
            self.bad.add(index)
        self.tried.update(index for index, _ in loaded.failed)
        if loaded.prepared is None:
            raise InputError(f"{len(loaded.failed)} images in a row cannot be used; {loaded.failed[-1][1]}")
        self.tried.add(loaded.index)
        if len(self.tried) >= MIN_TRIED and len(self.bad) > MAX_BAD * len(self.tried):
            raise InputError(
                f"{len(self.bad)} of the first {len(self.tried)} images cannot be used (named above); "
                "repair them or take them out of the data set"
            )
        return loaded


def _assemble(batch: list[Loaded], cfg, spec: ModelSpec) -> Batch:
    samples = [loaded.prepared for loaded in batch]
    height, width = padded_size([sample.image.shape[:2] for sample in samples], cfg.batch_size)
    num_people = _rounded_count(max(len(sample.people) for sample in samples))
    num_joints = samples[0].people.shape[1]
    image = np.empty((len(samples), height, width, 3), np.uint8)
    people = np.zeros((len(samples), num_people, num_joints, 3), np.float32)
    weight = np.zeros((len(samples), *map_size(height, width, spec.stride)), np.float32)
    for i, sample in enumerate(samples):
        h, w = sample.image.shape[:2]
        image[i, :h, :w] = sample.image
        image[i, h:] = image[i, :h, w:] = spec.fill
        people[i, : len(sample.people)] = sample.people
        weight[i, : sample.weight.shape[0], : sample.weight.shape[1]] = sample.weight
    return {
        "image": image,
        "people": people,
        "weight": weight,
        "scale": np.array([sample.scale for sample in samples], np.float32),
        "index": np.array([loaded.index for loaded in batch], np.int64),
    }


def padded_size(sizes: Sequence[tuple[int, int]], batch_size: int) -> tuple[int, int]:
    """Height and width of a batch, or a share of one, with images of these sizes.

    Those of the images if all have one size, as windows do: padding that does not occur at inference would teach the
    network a false border. Otherwise multiples of 64.
    """
    height, width = np.max(sizes, axis=0).tolist()
    if batch_size == 1 or len(set(map(tuple, sizes))) == 1:
        return height, width
    return -(-height // SIZE_STEP) * SIZE_STEP, -(-width // SIZE_STEP) * SIZE_STEP


def pad_batch(batch: Batch, height: int, width: int, num_people: int, spec: ModelSpec) -> Batch:
    """A worker's share of a batch, padded to the size of the whole, as if all its images had been put together."""
    image, people, weight = batch["image"], batch["people"], batch["weight"]
    down, right = height - image.shape[1], width - image.shape[2]
    if not (down or right or num_people - people.shape[1]):
        return batch
    whole = np.empty((len(image), height, width, 3), np.uint8)
    whole[:] = spec.fill
    whole[:, : image.shape[1], : image.shape[2]] = image
    rows, cols = np.subtract(map_size(height, width, spec.stride), weight.shape[1:]).tolist()
    return batch | {
        "image": whole,
        "people": np.pad(people, ((0, 0), (0, num_people - people.shape[1]), (0, 0), (0, 0))),
        "weight": np.pad(weight, ((0, 0), (0, rows), (0, cols))),
    }


def _rounded_count(count: int) -> int:
    """People are padded to 4, 8, 16, ...: few shapes to trace."""
    return max(4, 1 << (count - 1).bit_length()) if count else 4
