"""People drawn by program, with perfect labels: for tests, tutorials and first trainings.

Limbs of the left side are warm in colour, those of the right side cool, so that a small network can tell them apart.
The same seed gives the same people, drawn or not.
"""

import colorsys
import json
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw
from tqdm import tqdm

from dataset.aic import HIDDEN, UNLABELLED, VISIBLE, annotation_record
from util.errors import InputError
from util.files import atomic_path

# AIC's joints.
(R_SHOULDER, R_ELBOW, R_WRIST, L_SHOULDER, L_ELBOW, L_WRIST, R_HIP, R_KNEE, R_ANKLE, L_HIP, L_KNEE, L_ANKLE,
 HEAD_TOP, NECK) = range(14)  # fmt: skip
LEFT_LIMBS = (L_SHOULDER, L_ELBOW, L_WRIST), (L_HIP, L_KNEE, L_ANKLE)
RIGHT_LIMBS = (R_SHOULDER, R_ELBOW, R_WRIST), (R_HIP, R_KNEE, R_ANKLE)
# The shape of a body: thick lines (joint, joint, radius relative to the body's height).
ARM, FOREARM, THIGH, SHIN, TRUNK, HEAD = 0.030, 0.025, 0.043, 0.034, 0.045, 0.068
SHAPES = (
    (R_SHOULDER, R_ELBOW, ARM), (R_ELBOW, R_WRIST, FOREARM), (L_SHOULDER, L_ELBOW, ARM), (L_ELBOW, L_WRIST, FOREARM),
    (R_HIP, R_KNEE, THIGH), (R_KNEE, R_ANKLE, SHIN), (L_HIP, L_KNEE, THIGH), (L_KNEE, L_ANKLE, SHIN),
    (R_SHOULDER, R_HIP, TRUNK), (L_SHOULDER, L_HIP, TRUNK), (R_SHOULDER, L_HIP, TRUNK), (HEAD_TOP, NECK, HEAD * 0.8),
)  # fmt: skip
MIN_JOINTS = 4  # a person with fewer in the picture is left out
BLOCK = 256  # images generated at a time
SUPERSAMPLING = 2


class Scene(NamedTuple):
    """The people of one image, the farthest first: joints (n, 14, 2) and heights (n,) in pixels, who faces us (n,)."""

    joints: np.ndarray
    heights: np.ndarray
    front: np.ndarray
    flags: np.ndarray


def write_toy_set(
    folder: str | os.PathLike,
    *,
    images: int,
    people: tuple[int, int] = (1, 4),
    size: tuple[int, int] = (480, 360),
    seed: int = 0,
    phase: str = "train",
    pictures: bool = True,
) -> int:
    """Write <folder>/annotations/<phase>.json, as AI Challenger does, and images/<phase>/*.jpg.

    people: least and greatest number in an image
    size: width and height of the images, pixels
    pictures: whether to write the images, too

    Returns the number of people. Raises InputError for impossible arguments.
    """
    _check(images, people, size, seed)
    path, image_folder = Path(folder, "annotations", f"{phase}.json"), Path(folder, "images", phase)
    scenes = islice(make_scenes(seed, people, size), images)
    count = 0
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        for number, scene in enumerate(tqdm(scenes, total=images, unit="image", disable=None)):
            image_id = f"toy{seed}_{number:06d}"
            if pictures:
                with atomic_path(image_folder / f"{image_id}.jpg") as image_path:
                    draw(scene, size, np.random.default_rng([seed, 1, number])).save(image_path, quality=92)
            count += len(scene.joints)
            file.write(("[" if number == 0 else ",\n") + json.dumps(record(scene, size, image_id)))
        file.write("]\n")
    return count


def _check(images: int, people: tuple[int, int], size: tuple[int, int], seed: int) -> None:
    low, high = people
    if not 0 <= low <= high:
        raise InputError(f"{low} to {high} people in an image: the first number must not be above the second")
    if min(size) < 16 or max(size) > 10000:
        raise InputError(f"images of {size[0]}x{size[1]}: each side must be from 16 to 10000 pixels")
    if images < 1 or seed < 0:
        raise InputError(f"{images} images of seed {seed}: there must be at least 1, and the seed at least 0")


def record(scene: Scene, size: tuple[int, int], image_id: str) -> dict:
    """The scene as AI Challenger writes it."""
    keypoints = np.concatenate([np.rint(scene.joints), scene.flags[..., None]], axis=-1).astype(int)
    return annotation_record(image_id, keypoints, _boxes(scene, size))


def _boxes(scene: Scene, size: tuple[int, int]) -> np.ndarray:
    """(n, 4) int x0, y0, x1, y1 around what is drawn, within the image."""
    margin = TRUNK * scene.heights[:, None]
    limit = np.array(size) - 1
    low = np.clip(scene.joints.min(axis=1) - margin, 0, limit)
    high = np.clip(scene.joints.max(axis=1) + margin, 0, limit)
    return np.rint(np.concatenate([low, high], axis=1)).astype(int)


# People as geometry.


def make_scenes(seed: int, people: tuple[int, int], size: tuple[int, int]) -> Iterator[Scene]:
    """Endless scenes; each block of them depends on the seed and its number only."""
    block = 0
    while True:
        random = np.random.default_rng([seed, 0, block])
        counts = random.integers(people[0], people[1] + 1, BLOCK)
        yield from _make_block(random, counts, size)
        block += 1


def _make_block(random: np.random.Generator, counts: np.ndarray, size: tuple[int, int]) -> list[Scene]:
    width, height = size
    total = int(counts.sum())
    image = np.repeat(np.arange(BLOCK), counts)
    place = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    bodies, front = _poses(random, total)

    crowding = np.minimum(1, np.sqrt(4 / np.maximum(counts[image], 1)))
    heights = height * random.uniform(0.4, 0.98, total) * crowding
    # Side by side with overlap; nearer people stand lower, a few so close that their legs leave the image.
    x = width * (place + 0.5 + random.uniform(-0.35, 0.35, total)) / counts[image]
    feet = height * (0.5 + 0.48 * heights / height + random.uniform(-0.08, 0.08, total))
    feet += heights * random.uniform(0.1, 0.5, total) * (random.random(total) < 0.15)
    joints = bodies * heights[:, None, None]
    joints += np.stack([x, feet - joints[..., 1].max(axis=1)], axis=1)[:, None]

    inside = ((joints >= 0) & (np.rint(joints) < size)).all(axis=-1)
    near_last = np.lexsort((heights, image))
    kept = near_last[inside[near_last].sum(axis=1) >= MIN_JOINTS]
    joints, heights, front, image, inside = (a[kept] for a in (joints, heights, front, image, inside))
    hidden = _hidden(joints, heights, image)
    flags = np.where(inside, np.where(hidden, HIDDEN, VISIBLE), UNLABELLED)
    ends = np.searchsorted(image, np.arange(BLOCK + 1))
    rows = [slice(a, b) for a, b in zip(ends, ends[1:], strict=False)]
    return [Scene(joints[r], heights[r], front[r], flags[r]) for r in rows]


def _poses(random: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, 14, 2) joints of bodies of height 1 with the hips at 0, y down; and whether they face us (n,)."""
    front = random.random(count) < 0.65
    turn = random.uniform(0.55, 1, count)
    left = np.where(front, turn, -turn)  # towards the person's left, in the image
    lean = np.radians(random.normal(0, 8, count))
    up, across = np.stack([np.sin(lean), -np.cos(lean)], 1), np.stack([np.cos(lean), np.sin(lean)], 1)
    joints = np.zeros((count, 14, 2))
    joints[:, NECK] = 0.30 * up
    tilt = lean + np.radians(random.normal(0, 10, count))
    joints[:, HEAD_TOP] = joints[:, NECK] + 0.19 * np.stack([np.sin(tilt), -np.cos(tilt)], 1)
    for limbs, side in ((LEFT_LIMBS, left), (RIGHT_LIMBS, -left)):
        outward = np.sign(side)
        (shoulder, elbow, wrist), (hip, knee, ankle) = limbs
        joints[:, shoulder] = 0.275 * up + 0.105 * across * side[:, None]
        joints[:, hip] = 0.07 * across * side[:, None]
        arm = np.where(random.random(count) < 0.5, random.normal(15, 10, count), random.uniform(-10, 165, count))
        bend = random.uniform(-70, 100, count) * random.random(count)
        _limb(joints, (shoulder, elbow, wrist), outward, (arm, arm + bend), (0.165, 0.15), random)
        thigh = np.where(random.random(count) < 0.7, random.normal(6, 6, count), random.uniform(0, 55, count))
        shin = thigh - random.uniform(-10, 45, count) * random.random(count)
        _limb(joints, (hip, knee, ankle), outward, (thigh, shin), (0.235, 0.22), random)
    return joints, front


def _limb(joints, ids, outward, angles, lengths, random) -> None:
    """Set the two outer joints of a limb; angles in degrees from straight down, positive away from the body."""
    for a, b, angle, length in zip(ids, ids[1:], angles, lengths, strict=False):
        angle = np.radians(angle)
        length = length * random.uniform(0.9, 1.08, len(joints))
        joints[:, b] = joints[:, a] + np.stack([outward * np.sin(angle), np.cos(angle)], 1) * length[:, None]


def _hidden(joints: np.ndarray, heights: np.ndarray, image: np.ndarray) -> np.ndarray:
    """(n, 14) whether a nearer person (a later one of the same image) covers the joint."""
    hidden = np.zeros(joints.shape[:2], bool)
    a, b, radius = (np.array(column) for column in zip(*SHAPES, strict=True))
    for distance in range(1, np.bincount(image).max(initial=1)):
        behind = np.flatnonzero(image[:-distance] == image[distance:])
        before = behind + distance
        start, end = joints[before][:, None, a], joints[before][:, None, b]
        point, line = joints[behind][:, :, None], end - start
        along = ((point - start) * line).sum(-1) / np.maximum((line**2).sum(-1), 1e-6)
        gap = point - start - np.clip(along, 0, 1)[..., None] * line
        covered = (gap**2).sum(-1) < (radius * heights[before][:, None, None]) ** 2
        hidden[behind] |= covered.any(axis=-1)
    return hidden


# People as pictures.


def draw(scene: Scene, size: tuple[int, int], random: np.random.Generator):
    """The scene as a PIL image."""
    large = (SUPERSAMPLING * size[0], SUPERSAMPLING * size[1])
    image = _background(large, random)
    canvas = ImageDraw.Draw(image)
    for joints, height, front in zip(scene.joints, scene.heights, scene.front, strict=True):
        # A joint's coordinates are the centre of its pixel.
        _draw_person(canvas, (joints + 0.5) * SUPERSAMPLING, height * SUPERSAMPLING, bool(front), random)
    return _add_grain(image.reduce(SUPERSAMPLING), random)


def _background(size: tuple[int, int], random: np.random.Generator):
    """Soft colours with boxes and bars in front of them, a few as thin as limbs."""
    shape = random.integers(2, 7), random.integers(2, 9)
    coarse = random.uniform(30, 225, (*shape, 1)) + random.uniform(-30, 30, (*shape, 3))
    image = Image.fromarray(coarse.astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    canvas = ImageDraw.Draw(image)
    for _ in range(random.integers(3, 12)):
        x, y = random.uniform(0, size[0]), random.uniform(0, size[1])
        half = np.array(size) * random.uniform(0.01, 0.15, 2)
        colour = _colour(random, (0, 1), (0, 0.6), (0.2, 0.9))
        figure = canvas.ellipse if random.random() < 0.3 else canvas.rectangle
        figure((x - half[0], y - half[1], x + half[0], y + half[1]), fill=colour)
    return image


def _add_grain(image, random: np.random.Generator):
    pixels = np.asarray(image, np.int16)
    grain = random.integers(-8, 9, pixels.shape[:2], dtype=np.int16)
    return Image.fromarray(np.clip(pixels + grain[..., None], 0, 255).astype(np.uint8))


def _colour(random: np.random.Generator, hue, saturation, value) -> tuple[int, int, int]:
    """A random colour; each argument is a range within 0 to 1."""
    hsv = (random.uniform(*bounds) for bounds in (hue, saturation, value))
    return tuple(round(255 * channel) for channel in colorsys.hsv_to_rgb(*hsv))


def _darker(colour: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(channel // 2 for channel in colour)


def _stroke(canvas, points, radius: float, colour) -> None:
    """A line along the points with round ends and a dark rim."""
    for r, fill in ((radius, _darker(colour)), (0.82 * radius, colour)):
        canvas.line([tuple(point) for point in points], fill=fill, width=max(1, round(2 * r)))
        for x, y in points:
            canvas.ellipse((x - r, y - r, x + r, y + r), fill=fill)


def _draw_person(canvas, joints: np.ndarray, height: float, front: bool, random: np.random.Generator) -> None:
    skin = _colour(random, (0.04, 0.09), (0.25, 0.65), (0.35, 0.98))
    shirt = _colour(random, (0, 1), (0, 0.8), (0.25, 0.95))
    hair = _colour(random, (0.02, 0.12), (0.2, 0.8), (0.08, 0.55))
    warm, cool = (0.0, 0.13), (0.47, 0.68)
    sides = []
    for (arm, leg), hue in ((LEFT_LIMBS, warm), (RIGHT_LIMBS, cool)):
        sides.append((arm, leg, _colour(random, hue, (0.7, 1), (0.6, 1)), _colour(random, hue, (0.6, 1), (0.35, 0.8))))
    bare_arms = random.random() < 0.3
    for _, (hip, knee, ankle), _, trousers in sides:
        _stroke(canvas, joints[[knee, ankle]], SHIN * height, trousers)
        _stroke(canvas, joints[[hip, knee]], THIGH * height, trousers)
        _stroke(canvas, joints[[ankle]] + (0, 0.015 * height), 0.8 * SHIN * height, _darker(hair))
    trunk = joints[[R_SHOULDER, L_SHOULDER, L_HIP, R_HIP, R_SHOULDER]]
    _stroke(canvas, trunk, TRUNK * height, shirt)
    canvas.polygon([tuple(corner) for corner in trunk], fill=shirt)
    if front:
        # An open jacket, so that not only the head shows which way a body faces.
        panel = trunk + 0.65 * (trunk[[1, 0, 3, 2, 1]] - trunk) / 2
        canvas.polygon([tuple(corner) for corner in panel], fill=_colour(random, (0, 1), (0, 0.15), (0.8, 1)))
    _draw_head(canvas, joints, height, front, skin, hair)
    for (shoulder, elbow, wrist), _, sleeve, _ in sides:
        _stroke(canvas, joints[[elbow, wrist]], FOREARM * height, skin if bare_arms else sleeve)
        _stroke(canvas, joints[[shoulder, elbow]], ARM * height, sleeve)
        _stroke(canvas, joints[[wrist]], 0.9 * FOREARM * height, skin)


def _draw_head(canvas, joints: np.ndarray, height: float, front: bool, skin, hair) -> None:
    """Head and neck; with eyes and mouth if the person faces us, otherwise with hair all over."""
    top, neck = joints[HEAD_TOP], joints[NECK]
    up = (top - neck) / np.linalg.norm(top - neck)
    left = np.array([-up[1], up[0]])
    radius = HEAD * height
    centre = top - up * radius
    _stroke(canvas, (neck, centre), 0.4 * radius, skin)

    def disc(middle, r, fill):
        canvas.ellipse((*(middle - r), *(middle + r)), fill=fill)

    disc(centre, radius, _darker(hair))
    disc(centre, 0.92 * radius, hair)
    if not front:
        return
    disc(centre - up * 0.2 * radius, 0.78 * radius, skin)
    for side in (-0.33, 0.33):
        disc(centre + left * side * radius - up * 0.1 * radius, 0.11 * radius, (20, 20, 30))
    mouth = centre - up * 0.58 * radius
    canvas.line(
        [tuple(mouth - left * 0.25 * radius), tuple(mouth + left * 0.25 * radius)],
        fill=(150, 40, 40),
        width=max(1, round(0.1 * radius)),
    )
