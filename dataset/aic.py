"""The keypoint files of AI Challenger (AIC): read and written, as submissions are (their score: dataset.aic_score).

A file is a JSON list with one record per image:

    {"image_id": "<file name without extension>", "url": "...",
     "keypoint_annotations": {"human1": [x, y, flag, ... 14 times], ...},
     "human_annotations": {"human1": [x0, y0, x1, y1], ...}}

Joints are those of `skeleton.AIC`, coordinates pixels. Flags: 1 visible, 2 hidden, 3 not labelled (then x = y = 0).
A submission has `image_id` and `keypoint_annotations` only; its flags count for nothing.
"""

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from msgspec import DecodeError, Raw
from msgspec.json import decode

from dataset.skeleton import AIC, Skeleton
from util.checks import numbers_fault, stays_inside
from util.errors import InputError
from util.faults import CORRECTED, Faults
from util.files import read_json, require_folder
from util.images import FileLister

VISIBLE, HIDDEN, UNLABELLED = 1, 2, 3
AIC_FLAGS = frozenset({VISIBLE, HIDDEN, UNLABELLED})
COCO_FLAG = {VISIBLE: 2, HIDDEN: 1, UNLABELLED: 0}
# By COCO's flags 0, 1, 2.
AIC_FLAGS_OF_COCO = np.array(sorted(COCO_FLAG, key=COCO_FLAG.get))
NUM_JOINTS = AIC.num_joints
NUM_VALUES = 3 * NUM_JOINTS


class Person(NamedTuple):
    """keypoints: 42 numbers as in the file; box: x0, y0, x1, y1, none of them below 0."""

    name: str
    keypoints: list
    box: list


class Record(NamedTuple):
    """The annotations of one image."""

    image_id: str
    url: str
    people: list[Person]


class AnnotationFile:
    """Iterates over the usable records of an annotation file; `faults` collects what it leaves out or corrects.

    A labelled person without a usable box gets the box of the joints.
    Raises InputError if the file is no JSON list and, at the end, if no record was usable.
    """

    def __init__(self, path: str | os.PathLike, faults: Faults | None = None):
        self.path = path
        self.faults = Faults() if faults is None else faults

    @cached_property
    def _records(self) -> list[Raw]:
        hint = "a list of records is expected, one per image; COCO files are converted by tools/coco2aic.py"
        records = read_json(self.path, list[Raw], hint)
        if not records:
            raise InputError(f"{self.path}: the list of records is empty")
        return records

    def count(self) -> int:
        """How many records the file has, usable or not."""
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        seen = set()
        for number, raw in enumerate(self._records, start=1):
            try:
                record = decode(raw)
            except DecodeError as error:
                self.faults.add("malformed records", f"record {number}", error)
                continue
            image_id = check_image_id(record, f"record {number}", self.faults)
            if image_id is None:
                continue
            if image_id in seen:
                self.faults.add("records with the image_id of an earlier one", image_id)
                continue
            people = _read_people(record, image_id, self.faults)
            if people is not None:
                seen.add(image_id)
                url = record.get("url")
                yield Record(image_id, url if isinstance(url, str) else "", people)
        if not seen:
            raise InputError(f"{self.path}: no usable record{self.faults.reasons()}")

    def with_images(self, img_dir: str | os.PathLike) -> Iterator[tuple[Record, str]]:
        """The records whose image is in the folder, with its name: <image_id>.jpg, or another suffix.

        Raises InputError if there is no such folder and, at the end, if there was no such record.
        """
        require_folder(img_dir)
        files, found = FileLister(), False
        for record in self:
            path = files.find_image(record.image_id, img_dir)
            if path is None:
                self.faults.add("records whose image is not on disk", record.image_id)
            else:
                found = True
                yield record, path.removeprefix(f"{img_dir}{os.sep}")
        if not found:
            raise InputError(f"{self.path}: no record can be used{self.faults.reasons()}; images: {img_dir}")


def check_image_id(record: Any, where: str, faults: Faults) -> str | None:
    """The image_id of a record, or None (and a fault) if it is not safe to look up in a folder."""
    if not isinstance(record, dict):
        faults.add("records that are no objects", where)
        return None
    image_id = record.get("image_id")
    if not isinstance(image_id, str) or not image_id:
        faults.add("records without image_id", where)
        return None
    if not (image_id.isalnum() or stays_inside(image_id)):
        faults.add("records whose image_id leads out of the image folder", repr(image_id))
        return None
    return image_id


def _read_people(record: dict, image_id: str, faults: Faults) -> list[Person] | None:
    keypoints, boxes = record.get("keypoint_annotations"), record.get("human_annotations")
    if not isinstance(keypoints, dict):
        faults.add("records without keypoint_annotations", image_id)
        return None
    boxes = boxes if isinstance(boxes, dict) else {}
    for name in boxes.keys() - keypoints.keys():
        faults.add("boxes without keypoints", f"{image_id} {name}")
    people = [
        _read_person(f"{image_id} {name}", name, values, boxes.get(name), faults) for name, values in keypoints.items()
    ]
    return [person for person in people if person]


def _read_person(where: str, name: str, keypoints: Any, box: Any, faults: Faults) -> Person | None:
    fault = keypoints_fault(keypoints)
    if fault:
        faults.add(f"people with {fault}", where)
        return None
    if not set(keypoints[2::3]) <= AIC_FLAGS:
        faults.add("people with joints with a flag other than 1, 2, 3, not labelled", where, effect=CORRECTED)
        keypoints = _without_odd_flags(keypoints)
    fault = box_fault(box)
    if fault:
        box = _joint_box(keypoints)
        if box is None:
            faults.add(f"people with {fault}", where)
            return None
        faults.add(f"people with {fault}, that of the joints is taken", where, effect=CORRECTED)
    return Person(name, keypoints, box if min(box) >= 0 else [max(0, value) for value in box])


def _joint_box(keypoints: list) -> list | None:
    """The box around the labelled joints, at least one pixel wide and high and in the image; None without any."""
    joints = [joint for joint in zip(*[iter(keypoints)] * 3, strict=True) if joint[2] != UNLABELLED]
    if not joints:
        return None
    xs, ys, _ = zip(*joints, strict=True)
    x0, y0 = max(0, min(xs)), max(0, min(ys))
    return [x0, y0, max(x0 + 1, *xs), max(y0 + 1, *ys)]


def keypoints_fault(values: Any) -> str | None:
    """The fault of a person's keypoints, or None."""
    fault = numbers_fault(values, NUM_VALUES)
    return fault and f"keypoints {fault}"


def box_fault(box: Any) -> str | None:
    """The fault that makes a person's box useless, or None."""
    if box is None:
        return "no box"
    fault = numbers_fault(box, 4)
    if fault:
        return f"box corners {fault}"
    x0, y0, x1, y1 = box
    if x1 <= x0 or y1 <= y0:
        return "a box of no size (x1 <= x0 or y1 <= y0)"
    if x1 <= 0 or y1 <= 0:
        return "a box outside the image"
    return None


def _without_odd_flags(values: list) -> list:
    return list(
        chain.from_iterable(
            joint if joint[2] in AIC_FLAGS else (0, 0, UNLABELLED) for joint in zip(*[iter(values)] * 3, strict=True)
        )
    )


def people_array(keypoints: Sequence[Sequence[float]]) -> np.ndarray:
    """(N, 14, 3) float64 x, y and 1, or 0 if not labelled, of N people with 42 numbers each."""
    people = np.array(keypoints, np.float64).reshape(-1, NUM_JOINTS, 3)
    people[..., 2] = people[..., 2] != UNLABELLED
    return people


def annotation_record(image_id: str, keypoints: np.ndarray, boxes: np.ndarray) -> dict:
    """The record of an annotation file for the people of one image, who are called human1, human2, ...

    keypoints: (P, 14, 3) int x, y, flag; boxes: (P, 4) int
    """
    keypoints = np.where(keypoints[..., 2:] == UNLABELLED, [0, 0, UNLABELLED], keypoints)
    names = [f"human{number}" for number in range(1, len(keypoints) + 1)]
    return {
        "url": "",
        "image_id": image_id,
        "keypoint_annotations": dict(zip(names, keypoints.reshape(-1, NUM_VALUES).tolist(), strict=True)),
        "human_annotations": dict(zip(names, boxes.tolist(), strict=True)),
    }


def people_to_aic(image_id: str, keypoints: np.ndarray, scores: np.ndarray, skeleton: Skeleton) -> dict:
    """The record of a submission for the people of one image, by score.

    keypoints: (K, J, 3) x, y in pixels of the image, confidence (0 = missing); scores: (K,)
    Coordinates are written as decimals: the official evaluator rounds the distances of integers to the
    submission's disadvantage (see dataset.aic_score), on top of the rounding of the coordinates. Missing joints are
    0, 0, 3. People without any AIC joint are left out. `scores` does not count officially; precision-recall plots use
    it.
    """
    joints = np.asarray(keypoints, np.float64).reshape(-1, skeleton.num_joints, 3)[:, list(skeleton.to_aic)]
    scores = np.asarray(scores, np.float64)
    found = joints[..., 2] > 0
    people, confidence = {}, {}
    for person in np.argsort(-scores, kind="stable"):
        if not found[person].any():
            continue
        name = f"human{len(people) + 1}"
        xy = np.where(found[person, :, None], np.round(joints[person, :, :2], 2), 0.0).tolist()
        flags = np.where(found[person], VISIBLE, UNLABELLED).tolist()
        people[name] = [value for (x, y), flag in zip(xy, flags, strict=True) for value in (x, y, flag)]
        confidence[name] = round(float(scores[person]), 6)
    return {"image_id": image_id, "keypoint_annotations": people, "scores": confidence}
