"""Multi-person data in COCO's JSON format.

    <dataset>/annotations/<dataset_ann>_<dataset_phase>.json
    <dataset>/images/<dataset_phase>/<file_name>        (file_name with or without .jpg)

The skeleton comes from `categories`. People without labelled joints and crowds become regions to ignore.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np

from dataset.pose_dataset import FileLister, PoseDataset, Sample, Table
from dataset.skeleton import Skeleton, from_category
from util.checks import MAX_COORDINATE
from util.errors import InputError
from util.faults import Faults
from util.files import read_json
from util.images import IMAGE_SUFFIXES

CHUNK = 4096  # annotations turned into arrays at a time
SHORT_POLYGON = "polygons that are not 3 or more points"
KEY = (int, str, type(None))  # what an id may be


class MSCOCO(PoseDataset):
    """Samples of a COCO keypoint file; `skeleton` is that of its categories."""

    @property
    def path(self) -> Path:
        return Path(self.cfg.dataset, "annotations", f"{self.cfg.dataset_ann}_{self.cfg.dataset_phase}.json")

    @property
    def image_folder(self) -> Path:
        return Path(self.cfg.dataset, "images", self.cfg.dataset_phase)

    def image_name(self, sample: Sample) -> str:
        """The file's name in the image folder, without its suffix: AI Challenger's image_id of converted data."""
        return sample.image.relative_to(self.image_folder).with_suffix("").as_posix()

    def _load(self, need_images: bool) -> Table:
        content = read_json(self.path)
        self._check_layout(content)
        categories, skeleton = self._read_categories(content["categories"])
        self._adopt(skeleton, str(self.path))
        skipped = Faults()
        images = self._read_images(content["images"], need_images, skipped)
        faulty_images = skipped.counts.total()
        people = _read_people(content["annotations"], categories, images, self.num_joints, skipped)
        skipped.warn(self.path)
        if skipped.counts.total() > faulty_images and not people.usable:
            raise InputError(f"{self.path}: none of its {len(content['annotations'])} annotations can be used "
                             "(the warning above tells why)")  # fmt: skip
        return people.table(images, self.cfg.coco_only_images_with_people)

    def _check_layout(self, content: Any) -> None:
        hint = "; AI Challenger files are converted by tools/ai2coco_art_neckhead_json.py"
        if not isinstance(content, dict):
            raise InputError(f"{self.path}: expected COCO's object of images, annotations and categories, "
                             f"found {type(content).__name__}{hint}")  # fmt: skip
        for key in ("images", "annotations", "categories"):
            if not isinstance(content.get(key), list):
                raise InputError(f"{self.path}: the list '{key}' is missing{hint}")
        if not content["images"]:
            raise InputError(f"{self.path}: 'images' is empty")

    def _read_categories(self, entries: list) -> tuple[set, Skeleton]:
        """Ids of the categories with keypoints, and their skeleton."""
        with_keypoints = [entry for entry in entries if isinstance(entry, dict) and entry.get("keypoints")]
        if not with_keypoints:
            raise InputError(f"{self.path}: no entry of 'categories' has 'keypoints' (a list of joint names)")
        if any(entry["keypoints"] != with_keypoints[0]["keypoints"] for entry in with_keypoints):
            names = ", ".join(str(entry.get("name")) for entry in with_keypoints)
            raise InputError(f"{self.path}: the categories {names} have different keypoints; keep one kind in a file")
        skeleton = from_category(with_keypoints[0], str(self.path))
        # Without any id there is nothing to tell apart, and annotations need none either.
        ids = {entry.get("id") for entry in with_keypoints if isinstance(entry.get("id"), int | str)}
        return (ids | {None} if len(entries) == 1 else ids), skeleton

    def _read_images(self, entries: list, need_images: bool, skipped: Faults) -> "_Images":
        images = _Images(str(self.image_folder), need_images)
        for entry in entries:
            images.add(entry, skipped)
        if not images.paths:
            skipped.warn(self.path)
            raise InputError(f"{self.path}: none of its {len(entries)} images is usable; "
                             f"they are looked for in {self.image_folder}")  # fmt: skip
        return images


class _Images:
    """The usable entries of COCO's `images`, and which row each image id has."""

    def __init__(self, folder: str, need_images: bool):
        self.folder, self.files = folder, FileLister() if need_images else None
        self.paths, self.ids, self.sizes = [], [], []
        self.rows: dict[Any, int] = {}  # -1: listed, but left out

    def add(self, entry: Any, skipped: Faults) -> None:
        image_id, name = (entry.get("id"), entry.get("file_name")) if isinstance(entry, dict) else (None, None)
        if not isinstance(image_id, int | str) or not isinstance(name, str) or not name:
            skipped.add("images without id or file_name", entry)
        elif image_id in self.rows:
            skipped.add("images with the id of an earlier one", image_id)
        else:
            self.rows[image_id] = -1
            if not _stays_inside(name):
                skipped.add("images whose file_name leads out of the image folder", name)
                return
            path = self._find(os.path.join(self.folder, name))
            if path is None:
                skipped.add("images that are not on disk", name)
                return
            self.rows[image_id] = len(self.paths)
            self.paths.append(path)
            self.ids.append(image_id)
            self.sizes.append(_size(entry))

    def _find(self, path: str) -> str | None:
        if self.files is None:
            has_suffix = os.path.splitext(path)[1].lower() in IMAGE_SUFFIXES
            return path if has_suffix else path + ".jpg"
        return next((found for found in (path, path + ".jpg") if found in self.files), None)


def _stays_inside(name: str) -> bool:
    if not set(name) & {"/", "\\", ":", "\0"} and name != "..":
        return True  # a plain name, as nearly all are: paths are slow objects
    windows = PureWindowsPath(name)
    outside = windows.drive or windows.root or PurePosixPath(name).is_absolute() or ".." in windows.parts
    return not outside and "\0" not in name


def _size(entry: dict) -> tuple[int, int]:
    """(height, width), (0, 0) if the entry does not tell."""
    size = entry.get("height"), entry.get("width")
    if all(isinstance(n, int | float) and 1 <= n < MAX_COORDINATE for n in size):
        return int(size[0]), int(size[1])
    return 0, 0


@dataclass
class _People:
    """What the annotations of all images hold, in the order of the file."""

    num_joints: int
    rows: list[np.ndarray] = field(default_factory=list)
    keypoints: list[np.ndarray] = field(default_factory=list)
    boxes: list[np.ndarray] = field(default_factory=list)
    ignore: dict[int, list] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        return bool(self.ignore) or any(map(len, self.rows))

    def table(self, images: _Images, only_with_people: bool) -> Table:
        """Everything sorted by image."""
        rows = np.concatenate([np.zeros(0, int), *self.rows])
        order = np.argsort(rows, kind="stable")
        counts = np.bincount(rows, minlength=len(images.paths))
        kept = np.flatnonzero(counts) if only_with_people else np.arange(len(images.paths))
        return Table(
            images=[images.paths[i] for i in kept],
            ids=[images.ids[i] for i in kept],
            sizes=np.array(images.sizes, np.int32)[kept],
            first=np.concatenate([[0], np.cumsum(counts[kept])]),
            people=np.concatenate([np.zeros((0, self.num_joints, 3), np.float32), *self.keypoints])[order],
            boxes=np.concatenate([np.zeros((0, 4), np.float32), *self.boxes])[order],
            ignore={new: self.ignore[old] for new, old in enumerate(kept.tolist()) if old in self.ignore},
        )


def _read_people(annotations: list, categories: set, images: _Images, num_joints: int, skipped: Faults) -> _People:
    people = _People(num_joints)
    usable = list(_usable(annotations, categories, images.rows, num_joints, skipped))
    for begin in range(0, len(usable), CHUNK):
        _read_chunk(usable[begin : begin + CHUNK], images, people, skipped)
    return people


def _usable(annotations, categories, rows, num_joints, skipped) -> Iterator[tuple[int, dict]]:
    """(image row, annotation) of those that are well-formed as far as one can tell without their numbers."""
    seen = set()
    for annotation in annotations:
        if not isinstance(annotation, dict):
            skipped.add("annotations that are no objects", annotation)
            continue
        category, image_id, number = annotation.get("category_id"), annotation.get("image_id"), annotation.get("id")
        if not (isinstance(category, KEY) and isinstance(image_id, KEY) and isinstance(number, KEY)):
            skipped.add("annotations whose ids are neither numbers nor texts", number)
            continue
        if category not in categories:
            continue  # another kind of object
        keypoints = annotation.get("keypoints")
        row = rows.get(image_id)
        if row is None:
            skipped.add("annotations of images that are not listed", f"annotation {number}")
        elif row < 0:
            continue  # its image has been counted
        elif number is not None and number in seen:
            skipped.add("annotations with the id of an earlier one", number)
        elif keypoints and not (isinstance(keypoints, list) and len(keypoints) == 3 * num_joints):
            skipped.add(f"annotations without {num_joints} keypoints of 3 numbers", f"annotation {number}")
        else:
            seen.add(number)
            yield row, annotation


def _read_chunk(chunk: list[tuple[int, dict]], images: _Images, people: _People, skipped: Faults) -> None:
    """Turn some annotations into people and regions to ignore."""
    rows = np.array([row for row, _ in chunk])
    empty = [0] * (3 * people.num_joints)
    crowd = np.array([bool(annotation.get("iscrowd")) for _, annotation in chunk])
    keypoints = _numbers([a.get("keypoints") or empty for _, a in chunk], 3 * people.num_joints)
    keypoints = keypoints.reshape(len(chunk), -1, 3)
    boxes = _numbers([annotation.get("bbox") or [0, 0, -1, -1] for _, annotation in chunk], 4)
    labelled = (keypoints[..., 2] > 0).any(axis=1) & ~crowd
    no_box = np.array([not annotation.get("bbox") for _, annotation in chunk])
    boxes[no_box] = _extents(keypoints[no_box])
    boxes[..., 2:] += np.where(no_box, 0, 1)[:, None] * boxes[..., :2]

    faults = {
        "annotations with keypoints that are no numbers or out of all bounds": ~_in_bounds(keypoints),
        "annotations with visibility flags other than 0, 1, 2": ~np.isin(keypoints[..., 2], (0, 1, 2)).all(axis=1),
        "annotations with a box of no size": ~_in_bounds(boxes) | ((boxes[:, 2:] <= boxes[:, :2]).any(1) & ~no_box),
    }
    good = np.ones(len(chunk), bool)
    for fault, where in faults.items():
        for i in np.flatnonzero(where & good):
            skipped.add(fault, f"annotation {chunk[i][1].get('id')}")
        good &= ~where
    for i in np.flatnonzero(good):
        row, annotation = chunk[i]
        if labelled[i]:
            _check_polygons(annotation, skipped)
        else:
            region = _region(annotation, images.sizes[row], skipped)
            box = None if no_box[i] else boxes[i]
            people.ignore.setdefault(row, []).extend([region] if region else _box_region(box))
    people.rows.append(rows[good & labelled])
    people.keypoints.append(keypoints[good & labelled].astype(np.float32))
    people.boxes.append(boxes[good & labelled].astype(np.float32))


def _numbers(rows: Sequence, width: int) -> np.ndarray:
    """(n, width) float64; a row that is no list of `width` numbers becomes NaN."""
    array = _as_array(rows)
    if array is not None and array.shape == (len(rows), width):
        return array.astype(np.float64)
    result = np.full((len(rows), width), np.nan)
    for i, row in enumerate(rows):
        array = _as_array(row)
        if array is not None and array.shape == (width,):
            result[i] = array
    return result


def _as_array(values: Any) -> np.ndarray | None:
    """An array of numbers, or None: texts, truth values, null and ragged lists are none."""
    try:
        array = np.array(values)
    except (ValueError, OverflowError):
        return None
    return array if array.dtype.kind in "iuf" else None


def _in_bounds(values: np.ndarray) -> np.ndarray:
    """Per row: all numbers finite and sane."""
    return (np.abs(values) < MAX_COORDINATE).reshape(len(values), -1).all(axis=1)


def _extents(keypoints: np.ndarray) -> np.ndarray:
    """(n, 4) x0, y0, x1, y1 around the labelled joints; zeros where none is."""
    labelled = keypoints[..., 2:] > 0
    low = np.where(labelled, keypoints[..., :2], np.inf).min(axis=1)
    high = np.where(labelled, keypoints[..., :2], -np.inf).max(axis=1)
    extents = np.concatenate([low, high], axis=1)
    extents[~labelled.any(axis=(1, 2))] = 0
    return extents


def _check_polygons(annotation: dict, skipped: Faults) -> None:
    """Note polygons of too few points; those of labelled people are not used otherwise."""
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, list) and not all(isinstance(p, list) and len(p) >= 6 for p in segmentation):
        skipped.add(SHORT_POLYGON, f"annotation {annotation.get('id')}")


def _region(annotation: dict, size: tuple[int, int], skipped: Faults) -> Any:
    """The usable part of an annotation's segmentation: polygons as arrays, or an RLE; None if there is none."""
    segmentation = annotation.get("segmentation")
    if not segmentation:
        return None
    where = f"annotation {annotation.get('id')}"
    if isinstance(segmentation, dict):
        if _is_rle(segmentation, size):
            return segmentation
        skipped.add("masks that do not fit their image", where)
        return None
    polygons = [_polygon(polygon) for polygon in segmentation] if isinstance(segmentation, list) else [None]
    if any(polygon is None for polygon in polygons):
        skipped.add(SHORT_POLYGON, where)
    return [polygon for polygon in polygons if polygon is not None] or None


def _polygon(values: Any) -> np.ndarray | None:
    if not isinstance(values, list) or len(values) < 6 or len(values) % 2:
        return None
    array = _as_array(values)
    if array is None or array.ndim != 1 or not _in_bounds(array[None]):
        return None
    return array.astype(np.float64)


def _is_rle(mask: dict, size: tuple[int, int]) -> bool:
    if mask.get("size") != list(size):
        return False
    counts = mask.get("counts")
    if isinstance(counts, list):
        numbers = _as_array(counts)
        return numbers is not None and numbers.ndim == 1 and (numbers >= 0).all() and numbers.sum() == size[0] * size[1]
    return isinstance(counts, str)


def _box_region(box: np.ndarray | None) -> list:
    if box is None:
        return []
    x0, y0, x1, y1 = box
    return [[np.array([x0, y0, x1, y0, x1, y1, x0, y1])]]
