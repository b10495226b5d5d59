"""One image per person, all people of one height: how pose-tensorflow prepares MPII for single-person training.

A person is scaled to 400 pixels (the head, an eighth of it, to 50) and cut out with a margin around all labelled
points. Positions are measured from the image's upper left corner, so that a mirrored x is width - x.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from tqdm import tqdm

from dataset.pose_dataset import save_dataset_mat
from util.errors import InputError
from util.faults import Faults
from util.files import atomic_path
from util.images import MAX_PIXELS, read_image

HEAD_SIZE = 50  # pixels of a crop
MARGIN_ALONE, MARGIN_IN_COMPANY = 130, 65
CLEARANCE = 20  # between a crop and the joints of others
UNUSABLE = "photos and people that cannot be cut out"


class Person(NamedTuple):
    """A person to be cut out; all in pixels of the image.

    name: of the crop's file, without suffix
    joints: (14, 3) x, y, flag in MPII's order; points: (n, 2) everything labelled of this person
    head: size of the head (an eighth of the height)
    alone: whether nobody else is near: a wide margin then, but `others`, (m, 2), stay outside at the left and right
    """

    name: str
    joints: np.ndarray
    points: np.ndarray
    head: float
    alone: bool = True
    others: np.ndarray = np.zeros((0, 2))


class Crop(NamedTuple):
    """image: uint8 (H, W, 3); joints: (n, 3) int32 rows of joint id, x, y in its pixels."""

    image: np.ndarray
    joints: np.ndarray


def crop_person(image: np.ndarray, person: Person) -> Crop:
    """Scale and cut out one person. Raises InputError if the crop would be absurdly large or empty."""
    scale = person.head / HEAD_SIZE
    (left, right), (top, bottom) = crop_bounds(image.shape[:2], person, scale)
    if (right - left) * (bottom - top) > MAX_PIXELS:
        raise InputError(
            f"{person.name}: its crop would have {right - left}x{bottom - top} pixels; "
            f"is a head of {person.head:.1f} pixels right?"
        )
    if right <= left or bottom <= top:
        raise InputError(f"{person.name}: lies outside of the image")
    box = np.array([left, top, right, bottom]) * scale
    box = np.minimum(box, [image.shape[1], image.shape[0]] * 2)  # rounding
    part = Image.fromarray(image).resize((right - left, bottom - top), Image.Resampling.BICUBIC, tuple(box))
    labelled = np.flatnonzero(person.joints[:, 2] > 0)
    xy = np.round(person.joints[labelled, :2] / scale - [left, top])
    return Crop(np.asarray(part), np.column_stack([labelled, xy]).astype(np.int32))


def crop_bounds(size: tuple[int, int], person: Person, scale: float) -> np.ndarray:
    """(left, right), (top, bottom) of the crop in the image of `size` (H, W) scaled by 1 / scale."""
    margin = MARGIN_ALONE if person.alone else MARGIN_IN_COMPANY
    low, high = (np.round(reduce(person.points, axis=0) / scale) for reduce in (np.min, np.max))
    bounds = np.stack([np.maximum(low - margin - 1, 0), np.minimum(high + margin, np.array(size[::-1]) // scale)], 1)
    if person.alone and len(person.others):
        x = person.others[:, 0] / scale
        before, behind = x[x < low[0]], x[x > high[0]]
        if len(before):
            bounds[0, 0] = max(bounds[0, 0], np.round(before.max() + CLEARANCE) - 1)
        if len(behind):
            bounds[0, 1] = min(bounds[0, 1], np.round(behind.min() - CLEARANCE))
    return bounds.astype(int)


def write_crops(images: Sequence[tuple[Path, list[Person]]], out_dir: Path, faults: Faults) -> int:
    """Write a PNG for each person and dataset.mat, which lists them; returns their number.

    faults: collects photos that cannot be read and people who cannot be cut out
    Raises InputError if nobody is left.
    """
    records = []
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        # Pillow releases the interpreter lock while it works.
        results = pool.map(lambda task: _write_image(*task, out_dir), images)
        for records_of_image, unusable in tqdm(results, total=len(images), unit="image", disable=None):
            records += records_of_image
            for error in unusable:
                faults.add(UNUSABLE, error)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    if not records:
        raise InputError("; ".join([f"{out_dir}: nobody could be cut out", *map(str, faults.examples(UNUSABLE)[:1])]))
    save_dataset_mat(out_dir / "dataset.mat", records)
    return len(records)


def _write_image(path: Path, people: list[Person], out_dir: Path) -> tuple[list, list[str]]:
    """Records for `save_dataset_mat` of the people in one image, and why others cannot be cut out."""
    try:
        image = read_image(path)
    except InputError as error:
        return [], [str(error)]
    records, unusable = [], []
    for person in people:
        try:
            crop = crop_person(image, person)
        except InputError as error:
            unusable.append(f"{path}: {error}")
            continue
        name = f"{person.name}.png"
        with atomic_path(out_dir / name) as temporary:
            Image.fromarray(crop.image).save(temporary)
        records.append((name, crop.image.shape[:2], [crop.joints]))
    return records, unusable
