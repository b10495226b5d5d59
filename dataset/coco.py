"""COCO's keypoint files: the one reader for training, checking, converting and scoring.

    {"images": [{"id": 1, "file_name": "a.jpg", "height": 480, "width": 640}, ...],
     "annotations": [{"id": 7, "image_id": 1, "category_id": 1, "keypoints": [x, y, flag, ...], "bbox": [x, y, w, h],
                      "area": ..., "iscrowd": 0, "segmentation": [[x, y, x, y, ...], ...]}, ...],
     "categories": [{"id": 1, "name": "person", "keypoints": ["nose", ...], "skeleton": [[1, 2], ...]}, ...]}

Flags: 2 visible, 1 hidden, 0 not labelled. The rules, whoever reads:

- What is missing is derived silently: a box from the joints, an area from the box; without iscrowd nobody is a crowd.
- What is wrong is corrected if possible, and noted: a box without area where joints are labelled, an area that is no
  number, a wrong number of joints, polygons of two points. Otherwise the record is left out, and that is noted.
- Objects of other categories are ignored. Several categories may have the same joints; where joints differ, those of
  the labelled objects count.
"""

import os
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from dataset.category import from_category
from dataset.coco_values import (
    check_keypoints,
    count_labelled,
    flat_keypoints,
    is_plain_polygons,
    is_rle,
    joint_boxes,
    miscounted,
    number_rows,
    read_areas,
    read_boxes,
    read_crowds,
    read_region,
    region_box,
)
from dataset.skeleton import Skeleton
from util.checks import MAX_COORDINATE, stays_inside
from util.errors import InputError
from util.faults import CORRECTED, LEFT_OUT, Faults
from util.files import no_garbage_collection
from util.json_stream import JsonStream

CONVERTER = "AI Challenger files are converted by tools/ai2coco_art_neckhead_json.py"
# Nearly all names have none of these and are plain file names; parsing paths is slow.
_ODD_NAME = re.compile(r"[\\/:\0\ud800-\udfff]|^\.+$").search
_IDS = {int, str}

NO_OBJECT = "annotations that are no objects"
ODD_ID = "annotations whose ids are neither numbers nor texts"
NO_CATEGORY = "annotations of categories that are not listed"
UNLISTED = "annotations of images that are not listed"
SAME_ID = "annotations with the id of an earlier one"
WRONG_COUNT = "annotations without {num_joints} keypoints of 3 numbers"
NO_NUMBERS = "annotations with keypoints that are no numbers or out of all bounds"
ODD_FLAG = "annotations with visibility flags other than 0, 1, 2"
ODD_CROWD = "annotations with an iscrowd other than 0 and 1"
NOTHING = "annotations with neither labelled joints nor a box with an area"
ODD_BOX = "annotations whose box is not four numbers or has no area, replaced"
ODD_AREA = "annotations whose area is no number above 0, that of the box is taken"
MISCOUNTED = "annotations with a wrong num_keypoints, recounted"
SHORT_POLYGON = "annotations with polygons that are not 3 or more points, dropped"
ODD_MASK = "annotations with masks that do not fit their image, dropped"


class Images(NamedTuple):
    """The images of a file, in its order.

    ids: (I,) numbers or texts; names: (I,) file names with forward slashes, perhaps without suffix
    sizes: (I, 2) int32 height, width, or 0, 0 if not given; urls: (I,), or ""
    """

    ids: list
    names: list[str]
    sizes: np.ndarray
    urls: list[str]

    def take(self, rows: Sequence[int]) -> "Images":
        """Some of the images."""
        return Images(
            [self.ids[i] for i in rows], [self.names[i] for i in rows], self.sizes[rows], [self.urls[i] for i in rows]
        )


@dataclass
class Annotations:
    """Objects of the categories in use, in the order of the file.

    ids: (N,) numbers or texts, or None; image: (N,) row of the image
    category: (N,) id; keypoints: (N, J, 3) x, y, flag; 0 for objects without any
    boxes: (N, 4) x0, y0, x1, y1; area: (N,), NaN if not given; crowd: (N,) bool
    regions: what is known of the shape of crowds and unlabelled objects, by row: a list of polygons
        (x, y, x, y, ...) or an RLE (dict)
    names: by row, the name that a person had in AI Challenger's format, if it is not simply the next number
    """

    ids: list
    image: np.ndarray
    category: list
    keypoints: np.ndarray
    boxes: np.ndarray
    area: np.ndarray
    crowd: np.ndarray
    regions: dict[int, Any]
    names: dict[int, str]

    def __len__(self) -> int:
        return len(self.image)

    @property
    def people(self) -> np.ndarray:
        """(N,) bool: labelled, and not a crowd."""
        return (self.keypoints[..., 2] > 0).any(axis=1) & ~self.crowd

    def place(self, row: int) -> str:
        """The name of an annotation in messages."""
        return _place(self.ids[row], row)

    def take(self, rows: np.ndarray) -> "Annotations":
        """Some of the annotations."""
        chosen = rows.tolist()
        return Annotations(
            ids=[self.ids[i] for i in chosen],
            image=self.image[rows],
            category=[self.category[i] for i in chosen],
            keypoints=self.keypoints[rows],
            boxes=self.boxes[rows],
            area=self.area[rows],
            crowd=self.crowd[rows],
            regions={new: self.regions[old] for new, old in enumerate(chosen) if old in self.regions},
            names={new: self.names[old] for new, old in enumerate(chosen) if old in self.names},
        )


@dataclass
class CocoFile:
    """The usable content of a COCO keypoint file.

    categories: names by id, of those whose joints are the skeleton's; both are empty (None) for a mere list of images,
    such as COCO's test-dev
    """

    path: str | os.PathLike
    categories: dict[Any, str]
    skeleton: Skeleton | None
    images: Images
    annotations: Annotations

    def require_people(self) -> None:
        """Raise InputError for a mere list of images."""
        if self.skeleton is None:
            raise InputError(f"{self.path}: only lists images; this takes annotated people")

    def only_images(self, ids: Iterable) -> "CocoFile":
        """The content of the file for these images."""
        wanted = set(ids)
        rows = [row for row, image_id in enumerate(self.images.ids) if image_id in wanted]
        new_row = np.full(len(self.images.ids), -1)
        new_row[rows] = np.arange(len(rows))
        annotations = self.annotations.take(np.flatnonzero(new_row[self.annotations.image] >= 0))
        annotations.image = new_row[annotations.image]
        return CocoFile(self.path, self.categories, self.skeleton, self.images.take(rows), annotations)

    def by_image(self) -> list[np.ndarray]:
        """The rows of the annotations of each image."""
        order = np.argsort(self.annotations.image, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self.annotations.image, minlength=len(self.images.ids)))[:-1])


def read_coco(path: str | os.PathLike, faults: Faults, dtype: type = np.float64) -> CocoFile:
    """Read a keypoint file; what is wrong with its records is added to `faults`.

    dtype: of the keypoints and boxes; np.float32 takes half the memory
    Raises InputError if the file as a whole cannot be used, or none of its images or annotations.
    """
    images, columns, categories = _ImageList(faults), _Columns(dtype), []
    lists = {"images": images.add, "annotations": columns.add, "categories": categories.extend}
    found = set()
    stream = JsonStream(path)
    if stream.peek() != "{":
        raise InputError(f"{path}: expected COCO's object of images, annotations and categories; {CONVERTER}")
    with no_garbage_collection():
        for key in stream.keys():  # noqa: SIM118 - no dictionary
            if key in lists and stream.peek() == "[":
                found.add(key)
                for batch in stream.batches():
                    lists[key](batch)
            else:
                stream.value()
        stream.end()
    if "images" not in found or (len(columns) and "categories" not in found):
        missing = "images" if "images" not in found else "categories"
        raise InputError(f"{path}: the list '{missing}' is missing; {CONVERTER}")
    if not images.ids:
        raise InputError(f"{path}: 'images' holds no usable image{faults.reasons()}")
    return _assemble(path, categories, images, columns, faults)


def _assemble(path, entries: list, images: "_ImageList", columns: "_Columns", faults: Faults) -> CocoFile:
    used = _used_categories(entries, columns, path)
    skeleton = from_category(used[0], str(path)) if used else None
    categories = {entry["id"]: str(entry.get("name", "?")) for entry in used if type(entry.get("id")) in _IDS}
    # With a single category, annotations need not name it.
    known = {*categories, None} if len(entries) == 1 else set(categories)
    num_joints = skeleton.num_joints if skeleton else 0
    annotations = columns.finish(known, _ids(entries) - known, num_joints, images, faults)
    if len(columns) and not len(annotations) and LEFT_OUT in faults.effects.values():
        raise InputError(f"{path}: none of its {len(columns)} annotations can be used{faults.reasons(LEFT_OUT)}")
    return CocoFile(path, categories, skeleton, images.finish(), annotations)


def _used_categories(entries: list, columns: "_Columns", path) -> list[dict]:
    """The categories with one set of joints: the only set, or the only one with labelled objects."""
    kinds: dict[str, list[dict]] = {}
    for entry in entries:
        if isinstance(entry, dict) and entry.get("keypoints"):
            kinds.setdefault(repr(entry["keypoints"]), []).append(entry)
    if len(kinds) > 1:
        labelled = columns.labelled_categories()
        kinds = {kind: used for kind, used in kinds.items() if labelled & _ids(used)} or kinds
    if len(kinds) > 1:
        names = ", ".join(str(used[0].get("name")) for used in kinds.values())
        raise InputError(f"{path}: the categories {names} have different keypoints; keep one kind in a file")
    if not kinds and len(columns):
        raise InputError(f"{path}: no entry of 'categories' has 'keypoints' (a list of joint names)")
    return next(iter(kinds.values()), [])


def _ids(entries: list) -> set:
    return {entry["id"] for entry in entries if isinstance(entry, dict) and type(entry.get("id")) in _IDS}


class _ImageList:
    """The entries of `images`, and which row each id has; -1: listed, but not usable."""

    def __init__(self, faults: Faults):
        self.faults = faults
        self.ids, self.names, self.sizes, self.urls = [], [], [], []
        self.rows: dict[Any, int] = {}
        self.count = 0

    def add(self, entries: list) -> None:
        for entry in entries:
            self._add(entry)

    def _add(self, entry: Any) -> None:
        self.count += 1
        image_id, name = (entry.get("id"), entry.get("file_name")) if isinstance(entry, dict) else (None, None)
        if type(image_id) not in _IDS or not isinstance(name, str) or not name:
            self.faults.add("images without id or file_name", f"image number {self.count}")
        elif image_id in self.rows:
            self.faults.add("images with the id of an earlier one", f"image {image_id}")
        else:
            self.rows[image_id] = -1
            if _ODD_NAME(name):
                name = posixpath.normpath(name.replace("\\", "/"))
                if not stays_inside(name):
                    self.faults.add("images whose file_name leads out of the image folder", f"image {image_id}", name)
                    return
            self.rows[image_id] = len(self.ids)
            self.ids.append(image_id)
            self.names.append(name)
            self.sizes.append(self._size(entry, image_id))
            url = entry.get("coco_url")
            self.urls.append(url if isinstance(url, str) else "")

    def _size(self, entry: dict, image_id) -> tuple[int, int]:
        """(height, width), or (0, 0) if the entry does not say."""
        height, width = entry.get("height"), entry.get("width")
        if type(height) is int is type(width) and 0 < height < MAX_COORDINATE and 0 < width < MAX_COORDINATE:
            return height, width
        if height is None and width is None:
            return 0, 0
        sides = number_rows([[height, width]], 2)[0]
        if (sides >= 1).all() and (sides < MAX_COORDINATE).all():
            return int(sides[0]), int(sides[1])
        self.faults.add(
            "images whose height and width are no numbers above 0, not used",
            f"image {image_id}",
            f"{height}, {width}",
            CORRECTED,
        )
        return 0, 0

    def finish(self) -> Images:
        return Images(self.ids, self.names, np.array(self.sizes, np.int32).reshape(-1, 2), self.urls)


class _Columns:
    """The entries of `annotations`, stored by column as they are read.

    Images and categories may follow in the file, so `finish` decides which faults count once everything is known.
    """

    def __init__(self, dtype: type):
        self.dtype = dtype
        self.ids, self.image_ids, self.category_ids = [], [], []
        self.regions: dict[int, Any] = {}
        self.names: dict[int, str] = {}
        self._parts: dict[str, list[np.ndarray]] = defaultdict(list)
        self.add([])

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, annotations: list) -> None:
        """Add a part of the list to the columns."""
        entries = [entry if isinstance(entry, dict) else {} for entry in annotations]
        lengths, numbers = flat_keypoints([row or [] for row in _column_of(entries, "keypoints")])
        num_labelled = count_labelled(lengths, numbers)
        crowd, odd_crowd = read_crowds(_column_of(entries, "iscrowd"))
        boxes, odd_box = read_boxes(_column_of(entries, "bbox"))
        area, odd_area = read_areas(_column_of(entries, "area"))
        columns = {
            "keypoints": numbers.astype(self.dtype),
            "lengths": lengths,
            "num_labelled": num_labelled,
            "crowd": crowd,
            "boxes": boxes,
            "area": area,
            "no_object": np.array([not isinstance(entry, dict) for entry in annotations], bool),
            "odd_crowd": odd_crowd,
            "odd_box": odd_box,
            "odd_area": odd_area,
            "miscounted": miscounted(_column_of(entries, "num_keypoints"), num_labelled),
            "short_polygon": self._add_shapes(entries, (num_labelled > 0) & ~crowd),
            "odd_id": self._add_ids(entries),
        }
        row = len(self.ids) - len(entries)
        self.names |= {
            row + i: e["human"] for i, e in enumerate(entries) if "human" in e and isinstance(e["human"], str)
        }
        for name, values in columns.items():
            self._parts[name].append(values)

    def _add_shapes(self, entries: list[dict], people: np.ndarray) -> np.ndarray:
        """Keep the shapes of objects that are not people (n,) bool; returns which polygons are too short."""
        short = np.zeros(len(entries), bool)
        segmentations = _column_of(entries, "segmentation")
        for i, (segmentation, is_person) in enumerate(zip(segmentations, people.tolist(), strict=True)):
            if segmentation and not (is_person and is_plain_polygons(segmentation)):
                region, short[i] = read_region(segmentation)
                if region is not None and not is_person:
                    self.regions[len(self.ids) + i] = region
        return short

    def _add_ids(self, entries: list[dict]) -> np.ndarray:
        """Keep the three ids; returns which annotations have an impossible one (stored as None)."""
        odd = np.zeros(len(entries), bool)
        for key, column in (("id", self.ids), ("image_id", self.image_ids), ("category_id", self.category_ids)):
            values = _column_of(entries, key)
            if not set(map(type, values)) <= {*_IDS, type(None)}:
                odd |= [type(value) not in (*_IDS, type(None)) for value in values]
                values = [value if type(value) in _IDS else None for value in values]
            column += values
        return odd

    def _column(self, name: str) -> np.ndarray:
        """A column of all annotations; can be called once, since it frees the parts."""
        return np.concatenate(self._parts.pop(name))

    def labelled_categories(self) -> set:
        """The ids of categories that have labelled objects."""
        labelled = np.concatenate(self._parts["num_labelled"]) > 0
        return {category for category, has_any in zip(self.category_ids, labelled.tolist(), strict=True) if has_any}

    def finish(self, used: set, others: set, num_joints: int, images: _ImageList, faults: Faults) -> Annotations:
        """The usable annotations of the categories `used` (ids; None for annotations without one).

        Their faults are noted; objects of the categories `others` are ignored.
        """
        rows = np.array([images.rows.get(image_id, -2) for image_id in self.image_ids], np.int64)
        keypoints = self._keypoints(num_joints)
        boxes = self._column("boxes")
        odd_mask, odd_box = self._drop_odd_masks(rows, images), self._column("odd_box")
        # A faulty image is noted once, not per annotation.
        kept = np.array([category not in others for category in self.category_ids], bool) & (rows != -1)
        self._leave_out(kept, self._odd_references(used, rows), faults)
        self._leave_out(kept, {SAME_ID: self._repeated(kept)}, faults)
        self._leave_out(kept, self._odd_values(keypoints, boxes), faults)
        for kind, mask in {
            ODD_BOX: odd_box,
            ODD_AREA: self._column("odd_area") & ~odd_box,
            MISCOUNTED: self._column("miscounted"),
            SHORT_POLYGON: self._column("short_polygon"),
            ODD_MASK: odd_mask,
        }.items():
            self._note(kind, mask & kept, faults, CORRECTED)
        everybody = Annotations(
            ids=self.ids,
            image=rows,
            category=self.category_ids,
            keypoints=keypoints,
            boxes=boxes.astype(self.dtype),
            area=self._column("area"),
            crowd=self._column("crowd"),
            regions=self.regions,
            names=self.names,
        )
        annotations = everybody if kept.all() else everybody.take(np.flatnonzero(kept))
        _fill_boxes(annotations)
        return annotations

    def _leave_out(self, kept: np.ndarray, masks: dict[str, np.ndarray], faults: Faults) -> None:
        """Take the annotations of each kind of fault out of `kept` (N,); each is noted for its first one."""
        for kind, mask in masks.items():
            self._note(kind, mask & kept, faults)
            kept &= ~mask

    def _odd_references(self, used: set, rows: np.ndarray) -> dict[str, np.ndarray]:
        """By kind of fault (N,) bool: who has an impossible id, or that of no image or category."""
        return {
            NO_OBJECT: self._column("no_object"),
            ODD_ID: self._column("odd_id"),
            NO_CATEGORY: np.array([category not in used for category in self.category_ids], bool),
            UNLISTED: rows == -2,
        }

    def _odd_values(self, keypoints: np.ndarray, boxes: np.ndarray) -> dict[str, np.ndarray]:
        """By kind of fault (N,) bool: whose values cannot be used."""
        num_joints = keypoints.shape[1]
        no_shape = np.isnan(boxes[:, 0])
        no_shape[list(self.regions)] = False
        lengths = self._column("lengths")
        in_bounds, good_flags = check_keypoints(keypoints)
        return {
            WRONG_COUNT.format(num_joints=num_joints): (lengths != 3 * num_joints) & (lengths != 0) & (lengths != -2),
            NO_NUMBERS: (lengths == -2) | ~in_bounds,
            ODD_FLAG: ~good_flags,
            ODD_CROWD: self._column("odd_crowd"),
            NOTHING: no_shape & ~(keypoints[..., 2] > 0).any(axis=1),
        }

    def _keypoints(self, num_joints: int) -> np.ndarray:
        """(N, J, 3); zeros for annotations with another number of joints."""
        numbers, lengths = self._column("keypoints"), np.concatenate(self._parts["lengths"])
        fits = lengths == 3 * num_joints
        if fits.all():
            return numbers.reshape(len(lengths), num_joints, 3)
        lengths = np.maximum(lengths, 0)
        starts = (np.cumsum(lengths) - lengths)[fits]
        result = np.zeros((len(lengths), num_joints, 3), numbers.dtype)
        result[fits] = numbers[starts[:, None] + np.arange(3 * num_joints)].reshape(-1, num_joints, 3)
        return result

    def _repeated(self, candidates: np.ndarray) -> np.ndarray:
        """(N,) which of the candidates have the id of an earlier one."""
        repeated, seen = np.zeros(len(self.ids), bool), set()
        for row in np.flatnonzero(candidates).tolist():
            number = self.ids[row]
            if number is not None and number in seen:
                repeated[row] = True
            seen.add(number)
        return repeated

    def _drop_odd_masks(self, rows: np.ndarray, images: _ImageList) -> np.ndarray:
        """(N,) whose run lengths do not fit their image."""
        odd = np.zeros(len(rows), bool)
        for row, region in list(self.regions.items()):
            if isinstance(region, dict) and rows[row] >= 0 and not is_rle(region, images.sizes[rows[row]]):
                odd[row] = True
                del self.regions[row]
        return odd

    def _note(self, kind: str, mask: np.ndarray, faults: Faults, effect: str = LEFT_OUT) -> None:
        where = np.flatnonzero(mask)
        faults.add_many(kind, len(where), (_place(self.ids[row], row) for row in where), effect)


def _column_of(entries: list[dict], key: str) -> list:
    """The values of the entries under `key`, None where missing."""
    return list(map(dict.get, entries, repeat(key)))


def _place(number: Any, row: int) -> str:
    return f"annotation number {row + 1}" if number is None else f"annotation {number}"


def _fill_boxes(annotations: Annotations) -> None:
    """Boxes where the file has no usable one: around the labelled joints, else around the region."""
    missing = np.flatnonzero(np.isnan(annotations.boxes[:, 0]))
    annotations.boxes[missing] = joint_boxes(annotations.keypoints[missing])
    for row in missing[~(annotations.keypoints[missing, :, 2] > 0).any(axis=1)].tolist():
        annotations.boxes[row] = region_box(annotations.regions[row])
