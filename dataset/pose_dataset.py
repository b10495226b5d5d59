"""Annotated images as samples: the base of all data sets, and the reader of `dataset.mat`.

`dataset.mat` holds a struct array `dataset` with the fields

    image    path, absolute or relative to the file; DeepLabCut: its parts, from the folder of the project on
    size     (channels, height, width)
    joints   cell, one entry a person: rows of [joint id from 0, x, y] (or one such array)
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from config import require
from dataset.sides import plain_names
from dataset.skeleton import Skeleton, from_config
from util.checks import MAX_COORDINATE
from util.errors import InputError
from util.faults import Faults
from util.images import FileLister
from util.matfile import read_mat, write_mat
from util.names import distinct_names


class Sample(NamedTuple):
    """One annotated image; coordinates in pixels of the image file.

    size: (height, width), or None if unknown
    people: (P, J, 3) float32 x, y, flag; flag > 0 means labelled
    boxes: (P, 4) float32 x0, y0, x1, y1, or None
    ignore: regions without a training loss, each a COCO segmentation: a list of polygons
        (x, y, x, y, ...) or an RLE (dict); `dataset.augment.ignore_mask` draws them
    """

    image: Path
    size: tuple[int, int] | None
    id: Any
    people: np.ndarray
    boxes: np.ndarray | None = None
    ignore: Sequence = ()


@dataclass
class Table:
    """All annotations in a few arrays, since a Python object per number would take gigabytes.

    sizes: (N, 2) int32, 0 = unknown; people of image i are rows first[i]:first[i + 1] of people (M, J, 3)
    and boxes (M, 4); ignore: regions by image, for those that have any
    """

    images: list[str]
    ids: list
    sizes: np.ndarray
    first: np.ndarray
    people: np.ndarray
    boxes: np.ndarray | None = None
    ignore: dict[int, list] = field(default_factory=dict)


class PoseDataset:
    """Samples of the `dataset.mat` that `cfg.dataset` names; base class of the other data sets.

    need_images: leave out images that are not on disk (and raise if none is); False if only the annotations matter
    skeleton: of a model, whose joints the data must have
    `skeleton` is that of the data. Raises InputError if the configuration does not fit it, or nothing is usable.
    """

    # The original's mirror images map x to width - mirror_offset - x.
    mirror_offset = 1
    # The category of people in COCO's results.
    category_id: int | str = 1

    def __init__(self, cfg, need_images: bool = True, skeleton: Skeleton | None = None):
        require(cfg, "dataset")
        self.cfg, self.model_skeleton = cfg, skeleton
        self.skeleton: Skeleton
        self.table = self._load(need_images)
        if skeleton is not None:
            self.require_joints(skeleton)
        if cfg.mirror:
            self.skeleton.require_sides(cfg.config_file, "mirror: true")
        if not self.table.images:
            raise InputError(f"{self.path}: no images that can be used; check the annotations")

    @property
    def path(self) -> Path:
        """The annotation file."""
        return Path(self.cfg.dataset)

    @property
    def num_joints(self) -> int:
        return self.skeleton.num_joints

    def require_joints(self, skeleton: Skeleton) -> None:
        """Raise InputError unless the data have the joints of a model."""
        if plain_names(self.skeleton.keypoints) != plain_names(skeleton.keypoints) and skeleton.named:
            raise InputError(
                f"{self.path}: its joints are {', '.join(self.skeleton.keypoints)}; "
                f"those of the model are {', '.join(skeleton.keypoints)}"
            )

    def __len__(self) -> int:
        return len(self.table.images)

    def __getitem__(self, index: int) -> Sample:
        table = self.table
        if not 0 <= index < len(self):
            raise IndexError(index)
        rows = slice(table.first[index], table.first[index + 1])
        height, width = map(int, table.sizes[index])
        return Sample(
            image=Path(table.images[index]),
            size=(height, width) if height else None,
            id=table.ids[index],
            people=table.people[rows],
            boxes=None if table.boxes is None else table.boxes[rows],
            ignore=table.ignore.get(index, ()),
        )

    def relative_scale(self, indices: np.ndarray) -> np.ndarray:
        """Factors (n,) on `global_scale` for these images."""
        return np.ones(len(indices))

    @property
    def epoch_size(self) -> int:
        """How many samples an epoch has."""
        return len(self)

    def epoch(self, random: np.random.Generator) -> np.ndarray:
        """The images (epoch_size,) that an epoch shows, in the order of the data set."""
        return np.arange(len(self))

    @cached_property
    def names(self) -> list[str]:
        """Unique names of the images in result files that refer to them by name."""
        return distinct_names(self.table.images)

    def _take_skeleton(self) -> None:
        self.skeleton = self.model_skeleton or from_config(self.cfg)

    def _load(self, need_images: bool) -> Table:
        """Set `self.skeleton` and read everything."""
        self._take_skeleton()
        content = read_mat(self.path, "dataset", hint="; tools/csv2mat.py makes one of labels in a table")
        records = content["dataset"].ravel()
        missing = {"image", "joints"} - set(records.dtype.names or ())
        if missing:
            raise InputError(
                f"{self.path}: 'dataset' must be a struct array with image, size and joints; "
                f"{', '.join(sorted(missing))} missing"
            )
        faults, files = Faults(), FileLister()
        images, sizes, people = [], [], []
        for number, record in enumerate(records, start=1):
            image = self._image_path(record["image"], number, files)
            if need_images and image not in files:
                faults.add("images that are not on disk", image)
                continue
            images.append(image)
            sizes.append(_mat_size(record))
            people.append(self._mat_people(record["joints"], number, faults))
        faults.warn(self.path)
        if records.size and not images:
            raise InputError(
                f"{self.path}: none of its {records.size} images is on disk, such as {image}; "
                "relative paths count from the folder of the file"
            )
        return Table(
            images=images,
            ids=distinct_names(images),
            sizes=np.array(sizes, np.int32).reshape(-1, 2),
            first=np.cumsum([0, *map(len, people)]),
            people=np.concatenate([np.zeros((0, self.num_joints, 3), np.float32), *people]),
        )

    def _image_path(self, value, number: int, files: FileLister) -> str:
        """The path of the image, or where it should be if it does not exist."""
        parts = [str(text).strip() for text in np.asarray(value).ravel()]
        if not parts or not all(parts) or np.asarray(value).dtype.kind != "U":
            raise InputError(f"{self.path}: record {number}: 'image' must be a path, found {str(value)[:60]}")
        name = os.path.join(*parts)
        names = name, name.replace("\\", "/")  # with the backslashes of Windows
        # DeepLabCut's file is in <project>/training-datasets/<iteration>/<set>.
        folders = [self.path.parent, *self.path.absolute().parents[3:4]]
        candidates = [os.path.join(folder, name) for name in names for folder in folders]
        return next((path for path in candidates if path in files), candidates[0])

    def _mat_people(self, joints, number: int, faults: Faults) -> np.ndarray:
        """(P, J, 3) of one record's joints."""
        joints = np.asarray(joints)
        persons = [np.asarray(p) for p in joints.ravel()] if joints.dtype == object else [joints]
        people = [self._mat_person(person, number, faults) for person in persons if person.size]
        kept = [person for person in people if person is not None]
        return np.array(kept, np.float32).reshape(-1, self.num_joints, 3)

    def _mat_person(self, rows: np.ndarray, number: int, faults: Faults) -> np.ndarray | None:
        if rows.ndim != 2 or rows.shape[1] < 3 or rows.dtype.kind not in "iuf":
            raise InputError(
                f"{self.path}: record {number}: a person in 'joints' must be rows of [joint id, x, y], "
                f"found an array {rows.shape} of {rows.dtype}"
            )
        rows = rows[:, :3].astype(np.float64)
        if not np.all(np.abs(rows) < MAX_COORDINATE):
            faults.add("people with coordinates that are no numbers or out of all bounds", f"record {number}")
            return None
        ids = rows[:, 0].astype(int)
        if np.any(ids != rows[:, 0]) or ids.min() < 0 or ids.max() >= self.num_joints:
            wrong = next(i for i in rows[:, 0] if i != int(i) or not 0 <= i < self.num_joints)
            raise InputError(
                f"{self.path}: record {number}: joint id {wrong:g}; ids count from 0 to "
                f"{self.num_joints - 1} (num_joints: {self.num_joints})"
            )
        person = np.zeros((self.num_joints, 3))
        person[ids, :2] = rows[:, 1:]
        person[ids, 2] = 1
        return person


def _mat_size(record) -> tuple[int, int]:
    """(height, width) of a record's `size`, or (0, 0) if it has none."""
    if "size" not in record.dtype.names:
        return 0, 0
    size = np.asarray(record["size"]).ravel()
    if size.size < 2 or size.dtype.kind not in "iuf" or not np.all((size[-2:] >= 1) & (size[-2:] < 1e6)):
        return 0, 0
    return int(size[-2]), int(size[-1])


def save_dataset_mat(path: str | os.PathLike, records: Sequence[tuple[str, tuple[int, int], Sequence]]) -> None:
    """Write `dataset.mat`, whole or not at all.

    records: for each image its path, its (height, width), and for each person rows (n, 3) of [joint id, x, y]
    """
    content = np.empty((1, len(records)), [(name, object) for name in ("image", "size", "joints")])
    for i, (image, (height, width), people) in enumerate(records):
        cell = np.empty((1, len(people)), object)
        cell[0, :] = [np.asarray(person) for person in people]
        content[0, i] = image, np.array([[3, height, width]], np.int32), cell
    write_mat(path, {"dataset": content}, compress=True)
