"""Random windows of photos that lie in the GPU's memory, with the labels in them; all of a batch in one function."""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

STRIDE, JOINTS = 4, 14
MIRRORED = np.array([3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8, 12, 13])
MEAN_PIXEL = np.array([123.68, 116.779, 103.939], np.float32)
SIDES = 640, 384, 640  # of the photos of each group: COCO, LSPET, COCO to watch
# Of all windows this share shows a person at a size drawn evenly on a logarithmic scale, from so many pixels on.
SIZED, LEAST_EXTENT = 0.4, 40.0
# The photo covers at least so much of the window's side.
COVERED = 0.6
GRAY = 0.06  # share of windows without colours


class Photos(NamedTuple):
    """atlas: (N, 1.5 S, S, 3) uint8, each photo in the upper left corner, its half and its quarter below

    size: (N, 2) height, width; people: (N, P, J, 3) x, y, flag; boxes: (N, K, 4) of people without joints
    """

    atlas: jax.Array
    size: jax.Array
    people: jax.Array
    boxes: jax.Array


class Cut(NamedTuple):
    """How windows are cut: `count` of them, `side` pixels wide and high.

    scale, jitter: factor on the photos' size, and the range of a random one; colors: strength of their change;
    rotation: largest angle, degrees
    """

    count: int
    side: int
    scale: float
    jitter: tuple[float, float]
    colors: float
    rotation: float


class Batch(NamedTuple):
    """image: (B, S, S, 3) float32, 0 to 255; people: (B, P, J, 3), flag 0 outside of the window; whole: the same
    with all joints; extent: (B, P) px, longer side of all joints; weight: (B, S / 4, S / 4), 0 where nobody knows"""

    image: jax.Array
    people: jax.Array
    whole: jax.Array
    extent: jax.Array
    weight: jax.Array


class View(NamedTuple):
    """What a window shows, for each of a batch: the photo scaled by `scale`, turned by `turn` (2, 2) about the point
    `center`, which comes to stand at `place`, and perhaps mirrored after that."""

    scale: jax.Array
    turn: jax.Array
    center: jax.Array
    place: jax.Array
    mirrored: jax.Array
    side: int

    def move(self, points):
        """Points (B, ..., 2) of the photos in the windows' pixels."""
        each = (-1, *[1] * (points.ndim - 2), 2)
        scaled = self.scale.reshape(-1, *[1] * (points.ndim - 1)) * points - self.center.reshape(each)
        turned = jnp.einsum("bij,b...j->b...i", self.turn, scaled) + self.place.reshape(each)
        return self._mirror(turned)

    def back(self, points):
        """Points (B, n, 2) of the windows in the photos' pixels."""
        turned = self._mirror(points) - self.place[:, None]
        scaled = jnp.einsum("bji,bnj->bni", self.turn, turned) + self.center[:, None]
        return (scaled + 0.5) / self.scale[:, None, None] - 0.5  # pixels count from their middle

    def _mirror(self, points):
        mirrored = self.mirrored.reshape(-1, *[1] * (points.ndim - 2))
        x = jnp.where(mirrored, self.side - 1 - points[..., 0], points[..., 0])
        return jnp.stack([x, points[..., 1]], -1)


def read_photos(folder: Path) -> list[Photos]:
    """The photos that exchange.py has packed, by group."""
    index = np.load(folder / "index.npz")
    data = (folder / "photos.bin").read_bytes()
    ends = np.cumsum(index["length"])
    groups = []
    for group, side in enumerate(SIDES):
        rows = np.flatnonzero(index["group"] == group)
        atlas = np.zeros((len(rows), side * 3 // 2, side, 3), np.uint8)

        def decode(number, atlas=atlas, rows=rows, side=side):
            end = ends[rows[number]]
            photo = Image.open(io.BytesIO(data[end - index["length"][rows[number]] : end])).convert("RGB")
            for level, (top, left) in enumerate([(0, 0), (side, 0), (side, side // 2)]):
                size = [max(length >> level, 1) for length in photo.size]
                level_pixels = np.asarray(photo.resize(size, Image.Resampling.BOX))
                atlas[number, top : top + size[1], left : left + size[0]] = level_pixels

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(decode, range(len(rows))))
        groups.append(
            Photos(*map(jnp.asarray, (atlas, index["size"][rows], index["people"][rows], index["boxes"][rows])))
        )
    return groups


def corners(people):
    """Corners (B, P, 2) of the box of each person's labelled joints, and whether there are any (B, P)."""
    labelled = people[..., 2:] > 0
    there = labelled.any((2, 3))
    low = jnp.where(labelled, people[..., :2], jnp.inf).min(2)
    high = jnp.where(labelled, people[..., :2], -jnp.inf).max(2)
    return jnp.where(there[..., None], low, 0), jnp.where(there[..., None], high, 0), there


def cut_windows(key, photos: Photos, cut: Cut) -> Batch:
    """Windows that show somebody, where there is anybody."""
    count, side = cut.count, cut.side
    keys = iter(jax.random.split(key, 20))
    number = jax.random.randint(next(keys), (count,), 0, len(photos.atlas))
    size, people, boxes = photos.size[number].astype(jnp.float32), photos.people[number], photos.boxes[number]
    low, high, there = corners(people)
    view = choose_view(keys, size, low, high, there, cut)

    moved = view.move(people[..., :2])
    labelled = people[..., 2] > 0
    inside = ((moved >= 0) & (moved <= side - 1)).all(-1) & labelled
    both = [jnp.concatenate([moved, flag[..., None].astype(jnp.float32)], -1) for flag in (inside, labelled)]
    seen, whole = (jnp.where(view.mirrored[:, None, None, None], flags[:, :, MIRRORED], flags) for flags in both)

    pixels, outside = sample(photos.atlas, number, size, view)
    pixels = jitter_colors(keys, pixels, cut.colors)
    image = jnp.where(outside[..., None], MEAN_PIXEL, pixels).reshape(count, side, side, 3)

    cells = side // STRIDE
    at = view.back(grid(cells, count) * STRIDE + STRIDE / 2)[:, :, None]
    box = boxes[:, None]
    covered = ((at >= box[..., :2]) & (at <= box[..., 2:])).all(-1) & (box[..., 2] > box[..., 0])
    weight = 1 - covered.any(-1).reshape(count, cells, cells).astype(jnp.float32)
    return Batch(image, seen, whole, view.scale[:, None] * (high - low).max(-1), weight)


def grid(side, count):
    """x, y of all pixels of a square: (count, side * side, 2)."""
    xy = jnp.stack(jnp.meshgrid(jnp.arange(side), jnp.arange(side)), -1).reshape(1, -1, 2)
    return jnp.broadcast_to(xy, (count, side * side, 2)).astype(jnp.float32)


def choose_view(keys, size, low, high, there, cut: Cut) -> View:
    """A random view of each photo (B, ...) that shows one of its people, all of that person where it fits."""
    count, side = cut.count, cut.side
    nobody = ~there.any(1)
    shown = jnp.argmax(jnp.where(there, jax.random.uniform(next(keys), there.shape), -1), 1)
    start, end = (jnp.take_along_axis(corner, shown[:, None, None], 1)[:, 0] for corner in (low, high))
    start, end = jnp.where(nobody[:, None], 0, start), jnp.where(nobody[:, None], size[:, ::-1] - 1, end)

    def logarithmic(least, most):
        return jnp.exp(jax.random.uniform(next(keys), (count,), minval=jnp.log(least), maxval=jnp.log(most)))

    sized = jax.random.uniform(next(keys), (count,)) < SIZED
    by_photo = cut.scale * logarithmic(*cut.jitter)
    by_person = logarithmic(LEAST_EXTENT, 1.1 * side) / jnp.maximum((end - start).max(-1), 8)
    by_person = jnp.clip(by_person, 0.2 * cut.scale, 2.2 * cut.scale)
    factor = jnp.where(sized & ~nobody, by_person, by_photo)
    factor = jnp.maximum(factor, COVERED * side / size.max(-1))

    angle = jnp.radians(cut.rotation) * jax.random.uniform(next(keys), (count,), minval=-1, maxval=1)
    angle *= jnp.where(jax.random.uniform(next(keys), (count,)) < 0.5, 1, 0.3)
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    turn = jnp.stack([jnp.stack([cos, -sin], -1), jnp.stack([sin, cos], -1)], -2)

    center, half = factor[:, None] * (start + end) / 2, factor[:, None] * (end - start) / 2
    room = jnp.abs(side / 2 - half)
    place = side / 2 + room * jax.random.uniform(next(keys), (count, 2), minval=-1, maxval=1)
    # Rather within the photo than beyond it, as far as the person allows.
    photo = factor[:, None] * size[:, ::-1]
    first = place - center
    last = first + photo
    shift = jnp.where(photo > side, jnp.clip(0.0, side - last, -first), jnp.clip(0.0, -first, side - last))
    place = jnp.clip(place + shift, side / 2 - room, side / 2 + room)
    return View(factor, turn, center, place, jax.random.bernoulli(next(keys), 0.5, (count,)), side)


def sample(atlas, number, size, view: View):
    """The windows' pixels (B, side * side, 3), bilinear, and which of them lie outside of the photos."""
    source = view.back(grid(view.side, len(number)))
    outside = ((source < -0.5) | (source > size[:, None, ::-1] - 0.5)).any(-1)
    # From the photo, its half or its quarter, so that nothing flickers when it is made small.
    level = jnp.clip(jnp.floor(-jnp.log2(view.scale) + 0.25), 0, 2).astype(jnp.int32)
    factor = 2.0 ** level.astype(jnp.float32)
    last = (jnp.maximum(jnp.floor(size / factor[:, None]), 1) - 1)[:, None, ::-1]
    position = jnp.clip((source + 0.5) / factor[:, None, None] - 0.5, 0, last)
    start = jnp.floor(position)
    part = position - start
    start = start.astype(jnp.int32)
    end = jnp.minimum(start + 1, last.astype(jnp.int32))
    whole = atlas.shape[2]
    top, left = (jnp.where(level > after, offset, 0)[:, None] for after, offset in ((0, whole), (1, whole // 2)))

    def pixels(rows, cols):
        return atlas[number[:, None], top + rows[..., 1], left + cols[..., 0]].astype(jnp.float32)

    x, y = part[..., :1], part[..., 1:]
    upper = (1 - x) * pixels(start, start) + x * pixels(start, end)
    lower = (1 - x) * pixels(end, start) + x * pixels(end, end)
    return (1 - y) * upper + y * lower, outside


def jitter_colors(keys, pixels, strength):
    """Brightness, contrast and colour changed by factors within 1 - strength and 1 + strength."""
    count = len(pixels)
    brightness, contrast, color = jax.random.uniform(
        next(keys), (3, count, 1, 1), minval=1 - strength, maxval=1 + strength
    )
    pixels = pixels * brightness
    gray = (pixels @ jnp.array([0.299, 0.587, 0.114]))[..., None]
    pixels = gray.mean(1, keepdims=True) * (1 - contrast) + pixels * contrast
    colorless = jax.random.bernoulli(next(keys), GRAY, (count, 1, 1)) & (strength > 0)
    color = jnp.where(colorless, 0.0, color)
    return jnp.clip(gray * (1 - color) + pixels * color, 0, 255)
