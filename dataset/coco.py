"""COCO's keypoint files: the one reader for training, checking, converting and scoring.

    {"images": [{"id": 1, "file_name": "a.jpg", "height": 480, "width": 640}, ...],
     "annotations": [{"id": 7, "image_id": 1, "category_id": 1, "keypoints": [x, y, flag, ...], "bbox": [x, y, w, h],
                      "area": ..., "iscrowd": 0, "segmentation": [[x, y, x, y, ...], ...]}, ...],
     "categories": [{"id": 1, "name": "person", "keypoints": ["nose", ...], "skeleton": [[1, 2], ...]}, ...]}

Flags: 2 visible, 1 hidden, 0 not labelled. The rules, whoever reads:

- What is missing is derived silently: a box from the joints, an area from the box, also where it is not above 0;
  without iscrowd nobody is a crowd.
- A box without area counts as missing, a shape that cannot be drawn is dropped, and that is noted. Otherwise a record
  that is wrong is left out, and that is noted.
- Objects of other categories are ignored. Several categories may have the same joints; where joints differ, those of
  the labelled objects count.
"""

import os
import posixpath
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypedDict

import numpy as np
from msgspec import DecodeError, Meta, Raw, Struct
from msgspec.json import Decoder
from msgspec.structs import asdict

from dataset.category import from_category
from dataset.skeleton import Skeleton
from util.checks import MAX_COORDINATE, stays_inside
from util.errors import InputError
from util.faults import CORRECTED, LEFT_OUT, Faults
from util.files import no_garbage_collection, read_json

CONVERTER = "AI Challenger files are converted by tools/ai2coco_art_neckhead_json.py"

Id = int | str
Coordinate = Annotated[float, Meta(gt=-MAX_COORDINATE, lt=MAX_COORDINATE)]
Length = Annotated[int, Meta(ge=0, lt=int(MAX_COORDINATE))]


class RunLengths(TypedDict):
    """COCO's RLE; size: height, width."""

    size: list[Length]
    counts: list[Annotated[int, Meta(ge=0)]] | str


class ImageEntry(Struct, gc=False):
    id: Id
    file_name: Annotated[str, Meta(min_length=1)]
    height: Length | None = None
    width: Length | None = None
    coco_url: str | None = None


class AnnotationEntry(Struct, gc=False):
    """human: the name that a person had in AI Challenger's format, if it is not simply the next number"""

    image_id: Id
    id: Id | None = None
    category_id: Id | None = None
    keypoints: list[Coordinate] | None = None
    bbox: list[Coordinate] | None = None
    area: Annotated[float, Meta(lt=MAX_COORDINATE**2)] | None = None
    iscrowd: bool | None = None
    segmentation: list[list[Coordinate]] | RunLengths | None = None
    human: str | None = None

    @property
    def is_labelled(self) -> bool:
        return any((self.keypoints or ())[2::3])

    @property
    def has_box(self) -> bool:
        return bool(self.bbox) and len(self.bbox) == 4 and min(self.bbox[2:]) > 0


class CategoryEntry(Struct):
    """The rest is checked by `dataset.category`, which says what is wrong."""

    id: Id | None = None
    name: Any = "?"
    keypoints: Any = None
    skeleton: Any = None
    sigmas: Any = None


class Document(Struct):
    images: list[Raw]
    annotations: list[Raw] = []
    categories: list[CategoryEntry] = []


@dataclass
class Images:
    """The images of a file, in its order.

    ids: (I,) numbers or texts; names: (I,) file names with forward slashes, perhaps without suffix
    sizes: (I, 2) int32 height, width, or 0, 0 if not given; urls: (I,), or ""
    """

    ids: list[Id]
    names: list[str]
    sizes: np.ndarray
    urls: list[str]


@dataclass
class Annotations:
    """Objects of the categories in use, in the order of the file.

    ids: (N,) numbers or texts, or None; image: (N,) row of the image
    category: (N,) id; keypoints: (N, J, 3) x, y, flag; 0 for objects without any
    boxes: (N, 4) x0, y0, x1, y1; area: (N,), NaN if not given; crowd: (N,) bool
    regions: (N,) the shape of crowds and unlabelled objects, a list of polygons (x, y, x, y, ...) or an RLE (dict);
        None if unknown, and for people
    names: (N,) the name that a person had in AI Challenger's format, or None
    """

    ids: list[Id | None]
    image: np.ndarray
    category: list[Id | None]
    keypoints: np.ndarray
    boxes: np.ndarray
    area: np.ndarray
    crowd: np.ndarray
    regions: list[Any]
    names: list[str | None]

    def __len__(self) -> int:
        return len(self.image)

    @property
    def people(self) -> np.ndarray:
        """(N,) bool: labelled, and not a crowd."""
        return (self.keypoints[..., 2] > 0).any(axis=1) & ~self.crowd

    def place(self, row: int) -> str:
        """The name of an annotation in messages."""
        return _place("annotation", self.ids[row], row + 1)


@dataclass
class CocoFile:
    """The usable content of a COCO keypoint file.

    categories: names by id, of those whose joints are the skeleton's; both are empty (None) for a mere list of images,
    such as COCO's test-dev
    """

    path: str | os.PathLike
    categories: dict[Id, str]
    skeleton: Skeleton | None
    images: Images
    annotations: Annotations

    def require_people(self) -> None:
        """Raise InputError for a mere list of images."""
        if self.skeleton is None:
            raise InputError(f"{self.path}: only lists images; this takes annotated people")

    def only_images(self, ids: Iterable[Id]) -> "CocoFile":
        """The content of the file for these images."""
        wanted = set(ids)
        rows = np.array([row for row, image_id in enumerate(self.images.ids) if image_id in wanted], int)
        new_row = np.full(len(self.images.ids), -1)
        new_row[rows] = np.arange(len(rows))
        annotations = _take(self.annotations, np.flatnonzero(new_row[self.annotations.image] >= 0))
        annotations.image = new_row[annotations.image]
        return replace(self, images=_take(self.images, rows), annotations=annotations)

    def by_image(self) -> list[np.ndarray]:
        """The rows of the annotations of each image."""
        order = np.argsort(self.annotations.image, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self.annotations.image, minlength=len(self.images.ids)))[:-1])


def _take(columns: Any, rows: np.ndarray) -> Any:
    """Some rows of all columns."""
    taken = {
        name: column[rows] if isinstance(column, np.ndarray) else [column[row] for row in rows.tolist()]
        for name, column in vars(columns).items()
    }
    return replace(columns, **taken)


@no_garbage_collection()
def read_coco(path: str | os.PathLike, faults: Faults, dtype: type = np.float64) -> CocoFile:
    """Read a keypoint file; what is wrong with its records is added to `faults`.

    dtype: of the keypoints and boxes; np.float32 takes half the memory
    Raises InputError if the file as a whole cannot be used, or none of its images or annotations.
    """
    document = read_json(path, Document, hint=CONVERTER)
    images = _read_images(document.images, faults)
    if not images.ids:
        raise InputError(f"{path}: 'images' holds no usable image{faults.reasons()}")
    used = _used_categories(document, path)
    skeleton = from_category(asdict(used[0]), str(path)) if used else None
    categories = {entry.id: str(entry.name) for entry in used if entry.id is not None}
    entries = _annotation_entries(document, set(categories), faults)
    annotations = _read_annotations(entries, images, skeleton.num_joints if skeleton else 0, faults, dtype)
    if document.annotations and not len(annotations) and LEFT_OUT in faults.effects.values():
        count = len(document.annotations)
        raise InputError(f"{path}: none of its {count} annotations can be used{faults.reasons(LEFT_OUT)}")
    return CocoFile(path, categories, skeleton, images, annotations)


def _decode(entries: list[Raw], kind: type, what: str, faults: Faults) -> Iterator[tuple[str, Any]]:
    """The entries that are of a kind, each with its name in messages. Texts that hold numbers count as numbers."""
    decoder = Decoder(kind, strict=False)
    for number, raw in enumerate(entries, start=1):
        try:
            entry = decoder.decode(raw)
        except DecodeError as error:
            faults.add(f"malformed {what}s", f"{what} number {number}", error)
        else:
            yield _place(what, entry.id, number), entry


def _place(what: str, entry_id: Id | None, number: int) -> str:
    return f"{what} number {number}" if entry_id is None else f"{what} {entry_id}"


def _read_images(entries: list[Raw], faults: Faults) -> Images:
    images: dict[Id, ImageEntry] = {}
    for place, entry in _decode(entries, ImageEntry, "image", faults):
        entry.file_name = posixpath.normpath(entry.file_name.replace("\\", "/"))
        if entry.id in images:
            faults.add("images with the id of an earlier one", place)
        elif not stays_inside(entry.file_name):
            faults.add("images whose file_name leads out of the image folder", place, entry.file_name)
        else:
            images[entry.id] = entry
    sizes = [(entry.height, entry.width) if entry.height and entry.width else (0, 0) for entry in images.values()]
    return Images(
        ids=list(images),
        names=[entry.file_name for entry in images.values()],
        sizes=np.array(sizes, np.int32).reshape(-1, 2),
        urls=[entry.coco_url or "" for entry in images.values()],
    )


def _used_categories(document: Document, path) -> list[CategoryEntry]:
    """The categories with one set of joints: the only set, or the only one with labelled objects."""
    kinds: dict[str, list[CategoryEntry]] = {}
    for entry in document.categories:
        if entry.keypoints:
            kinds.setdefault(repr(entry.keypoints), []).append(entry)
    if len(kinds) > 1:
        entries = _decode(document.annotations, AnnotationEntry, "annotation", Faults())
        labelled = {entry.category_id for _, entry in entries if entry.is_labelled}
        kinds = {kind: used for kind, used in kinds.items() if labelled & {entry.id for entry in used}} or kinds
    if len(kinds) > 1:
        names = ", ".join(str(used[0].name) for used in kinds.values())
        raise InputError(f"{path}: the categories {names} have different keypoints; keep one kind in a file")
    if not kinds and document.annotations:
        raise InputError(f"{path}: no entry of 'categories' has 'keypoints' (a list of joint names); {CONVERTER}")
    return next(iter(kinds.values()), [])


def _annotation_entries(document: Document, used: set[Id], faults: Faults) -> Iterator[tuple[str, AnnotationEntry]]:
    """The annotations of the categories `used`; with a single category, they need not name it."""
    others = {entry.id for entry in document.categories} - used
    for place, entry in _decode(document.annotations, AnnotationEntry, "annotation", faults):
        if entry.category_id in used or (entry.category_id is None and len(document.categories) == 1):
            yield place, entry
        elif entry.category_id not in others:
            faults.add("annotations of categories that are not listed", place)


def _read_annotations(
    entries: Iterable[tuple[str, AnnotationEntry]], images: Images, num_joints: int, faults: Faults, dtype: type
) -> Annotations:
    rows = {image_id: row for row, image_id in enumerate(images.ids)}
    code = np.dtype(dtype).char
    kept, seen, keypoints, boxes = [], set(), array(code), array(code)
    for place, entry in entries:
        entry.keypoints = entry.keypoints or [0.0] * 3 * num_joints
        fault = _fault(entry, rows, num_joints, seen)
        if fault:
            faults.add(f"annotations {fault}", place)
            continue
        seen.add(entry.id)
        _correct(entry, place, images.sizes[rows[entry.image_id]].tolist(), faults)
        keypoints.extend(entry.keypoints)
        boxes.extend(_box(entry))
        entry.keypoints = entry.bbox = None  # an object for every number would take gigabytes
        kept.append(entry)
    return Annotations(
        ids=[entry.id for entry in kept],
        image=np.array([rows[entry.image_id] for entry in kept], int),
        category=[entry.category_id for entry in kept],
        keypoints=np.array(keypoints, dtype).reshape(len(kept), num_joints, 3),
        boxes=np.array(boxes, dtype).reshape(len(kept), 4),
        area=np.array([entry.area if entry.area and entry.area > 0 else np.nan for entry in kept], float),
        crowd=np.array([entry.iscrowd for entry in kept], bool),
        regions=[entry.segmentation for entry in kept],
        names=[entry.human for entry in kept],
    )


def _fault(entry: AnnotationEntry, rows: dict[Id, int], num_joints: int, seen: set[Id | None]) -> str | None:
    """Why an annotation cannot be used, or None."""
    if entry.image_id not in rows:
        return "of images that are not listed, or left out"
    if entry.id is not None and entry.id in seen:
        return "with the id of an earlier one"
    if len(entry.keypoints) != 3 * num_joints:
        return f"without {num_joints} keypoints of 3 numbers"
    if not set(entry.keypoints[2::3]) <= {0, 1, 2}:
        return "with visibility flags other than 0, 1, 2"
    if not entry.is_labelled and not entry.has_box:
        return "with neither labelled joints nor a box with an area"
    return None


def _correct(entry: AnnotationEntry, place: str, size: list[int], faults: Faults) -> None:
    """Note a useless box, and drop a useless shape, and that of people; size: of the image."""
    if entry.bbox and not entry.has_box:
        faults.add("annotations whose box has no area, replaced", place, entry.bbox, CORRECTED)
    if not _can_be_drawn(entry.segmentation, size):
        kind = "annotations with polygons that are not 3 or more points or another image's mask, dropped"
        faults.add(kind, place, effect=CORRECTED)
        entry.segmentation = None
    if entry.is_labelled and not entry.iscrowd:
        entry.segmentation = None
    elif isinstance(entry.segmentation, list):
        entry.segmentation = [np.array(polygon) for polygon in entry.segmentation] or None


def _can_be_drawn(segmentation: list | RunLengths | None, size: list[int]) -> bool:
    """Whether polygons have three or more points, and run lengths are those of an image of this size."""
    if isinstance(segmentation, dict):
        counts = segmentation["counts"]
        return segmentation["size"] == size and (isinstance(counts, str) or sum(counts) == size[0] * size[1])
    return all(len(polygon) >= 6 and len(polygon) % 2 == 0 for polygon in segmentation or ())


def _box(entry: AnnotationEntry) -> list[float]:
    """x0, y0, x1, y1; where the file has none, around the labelled joints, at least one pixel wide and high."""
    if entry.has_box:
        x, y, width, height = entry.bbox
        return [x, y, x + width, y + height]
    joints = zip(*[iter(entry.keypoints)] * 3, strict=True)
    xs, ys = zip(*[(x, y) for x, y, flag in joints if flag], strict=True)
    return [min(xs), min(ys), max(min(xs) + 1, *xs), max(min(ys) + 1, *ys)]
