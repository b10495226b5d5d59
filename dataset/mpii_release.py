"""MPII's annotations as they are published, mpii_human_pose_v1_u12_1.mat: nested structs of MATLAB.

    RELEASE.annolist(i).image.name, .annorect(r): a person: x1, y1, x2, y2 (of the head), annopoints.point(k)
    RELEASE.img_train(i)                          1: training image; test images have no points
    RELEASE.single_person{i}                      the r of people far enough from all others, from 1 on

A point has x, y and an id: 0-5 right ankle to left ankle, 6 pelvis, 7 thorax, 8 upper neck, 9 head top, 10-15 right
wrist to left wrist. Unknown fields are empty, or missing from a whole annorect.
"""

import os
from typing import NamedTuple

import numpy as np

from dataset.crops import Person
from util.checks import stays_inside
from util.errors import InputError
from util.faults import Faults
from util.matfile import read_mat

# MPII's point for each of the 14 joints of `skeleton.MPII`, which lacks pelvis and thorax.
POINT_OF_JOINT = (0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 8, 9)
# The size of a head relative to the diagonal of its rectangle: the unit of PCKh.
HEAD_PER_DIAGONAL = 0.6


class AnnotatedImage(NamedTuple):
    """An image with its annotated people."""

    name: str
    people: list[Person]


def read_release(path: str | os.PathLike, faults: Faults) -> list[AnnotatedImage]:
    """The training images that show annotated people, those far from others first, as pose-tensorflow orders them.

    Raises InputError for a file with another layout, or without people.
    """
    release = _struct(read_mat(path, "RELEASE")["RELEASE"], "RELEASE", path, "annolist", "img_train", "single_person")
    annolist = _struct_array(release["annolist"], "annolist", path, "image", "annorect")
    train, single = np.asarray(release["img_train"]).ravel(), np.asarray(release["single_person"], object).ravel()
    if not len(annolist) == len(train) == len(single):
        raise InputError(
            f"{path}: annolist, img_train and single_person have {len(annolist)}, {len(train)} and "
            f"{len(single)} entries; they must have one per image"
        )
    images = [
        _read_image(path, number, annolist[number - 1], single[number - 1], faults)
        for number in np.flatnonzero(train == 1) + 1
    ]
    images = [image for image in images if image is not None and image.people]
    if not images:
        raise InputError(f"{path}: no training image with annotated people")
    return images


def _read_image(path, number: int, record, single, faults: Faults) -> AnnotatedImage | None:
    where = f"image {number}"
    name = _text(_field(_first(record["image"]), "name"))
    if not name or not stays_inside(name):
        faults.add("images without a usable name", where)
        return None
    rects = _struct_array(record["annorect"], f"annolist({number}).annorect", path)
    points = [_points(rect) for rect in rects]
    alone = set(np.asarray(single, object).ravel().astype(float).astype(int).tolist())
    people = []
    for i, (rect, own) in enumerate(zip(rects, points, strict=True)):
        if not len(own):
            continue
        head = _head_size(rect)
        if head is None:
            faults.add("people without a rectangle of the head", f"{where}, person {i + 1}")
            continue
        others = np.concatenate([np.zeros((0, 2)), *(p[:, 1:] for j, p in enumerate(points) if j != i)])
        people.append(Person(f"im{number:05d}_{i + 1}", _joints(own), own[:, 1:], head, i + 1 in alone, others))
    return AnnotatedImage(name, people)


def _points(rect) -> np.ndarray:
    """(n, 3) id, x, y of a person's points; those without numbers are left out."""
    points = _field(_first(_field(rect, "annopoints")), "point")
    if not isinstance(points, np.ndarray) or not points.dtype.names:
        return np.zeros((0, 3))
    rows = [[_number(_field(point, key)) for key in ("id", "x", "y")] for point in points.ravel()]
    return np.array([row for row in rows if None not in row and 0 <= row[0] < 16], float).reshape(-1, 3)


def _joints(points: np.ndarray) -> np.ndarray:
    """(14, 3) x, y, flag."""
    joints = np.zeros((len(POINT_OF_JOINT), 3))
    for point, x, y in points:
        if point in POINT_OF_JOINT:
            joints[POINT_OF_JOINT.index(point)] = x, y, 1
    return joints


def _head_size(rect) -> float | None:
    corners = [_number(_field(rect, key)) for key in ("x1", "y1", "x2", "y2")]
    if None in corners:
        return None
    x1, y1, x2, y2 = corners
    return HEAD_PER_DIAGONAL * float(np.hypot(x2 - x1, y2 - y1)) or None


def _struct(value, name: str, path, *fields: str):
    """The single element of a struct with at least these fields. Raises InputError."""
    elements = _struct_array(value, name, path, *fields)
    if len(elements) != 1:
        raise InputError(f"{path}: {name} must be one struct, found {len(elements)}")
    return elements[0]


def _struct_array(value, name: str, path, *fields: str) -> np.ndarray:
    """The elements of a struct array, which may be empty. Raises InputError."""
    value = np.asarray(value)
    if not value.size and not fields:
        return np.zeros(0)
    missing = set(fields) - set(value.dtype.names or ())
    if missing or not value.dtype.names:
        raise InputError(
            f"{path}: {name} must be a struct with {', '.join(fields) or 'fields'}, as in mpii_human_pose_v1_u12_1.mat"
        )
    return value.ravel()


def _first(value):
    """The first element of a struct array, or None."""
    value = np.asarray(value)
    return value.ravel()[0] if value.dtype.names and value.size else None


def _field(struct, name: str):
    return None if struct is None or name not in (struct.dtype.names or ()) else struct[name]


def _number(value) -> float | None:
    """A finite number; ids may be stored as text."""
    values = np.asarray(value).ravel()
    try:
        number = float(values[0])
    except (IndexError, TypeError, ValueError):
        return None
    return number if np.isfinite(number) and abs(number) < 1e6 else None


def _text(value) -> str:
    values = np.asarray(value).ravel()
    return values[0] if values.size == 1 and isinstance(values[0], str) else ""
