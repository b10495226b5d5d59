"""COCO annotations in AI Challenger's format.

What dataset.aic_to_coco converted is restored exactly: whole numbers, flags, boxes, names of the people. Joints are
matched by name; AIC joints that the skeleton lacks (COCO: neck and head top) are not labelled. Crowds are left out.
"""

import os
from collections import Counter
from collections.abc import Sequence

import numpy as np

from dataset.aic import AIC_FLAGS_OF_COCO, UNLABELLED
from dataset.aic_to_coco import Summary
from dataset.coco import CocoFile, read_coco
from dataset.skeleton import AIC, Skeleton
from util.errors import InputError
from util.faults import Faults
from util.files import write_json
from util.images import IMAGE_SUFFIXES


def aic_joints(skeleton: Skeleton) -> list[int | None]:
    """Which joint of the skeleton each AIC joint is, None = missing."""
    return list(skeleton.to_aic) if skeleton.has_aic_joints else [skeleton.joint(name) for name in AIC.keypoints]


def aic_records(coco: CocoFile, image_ids: Sequence[str], joints: Sequence[int | None]) -> list[dict]:
    """A record for each image, with image_ids (I,); joints: which joint of the file each AIC joint is."""
    annotations = coco.annotations
    keypoints = _aic_keypoints(annotations.keypoints, joints)
    records = []
    for image_id, url, rows in zip(image_ids, coco.images.urls, coco.by_image(), strict=True):
        people, boxes = {}, {}
        for row in rows[~annotations.crowd[rows]].tolist():
            human = _free_name(annotations.names[row], people)
            people[human] = _plain_numbers(keypoints[row].ravel())
            boxes[human] = _plain_numbers(annotations.boxes[row])
        records.append(
            {
                "url": url,
                "keypoint_annotations": people,
                "human_annotations": boxes,
                "image_id": image_id,
            }
        )
    return records


def _aic_keypoints(keypoints: np.ndarray, joints: Sequence[int | None]) -> np.ndarray:
    """(N, 14, 3) with AIC's flags, of (N, J, 3) with COCO's."""
    result = np.zeros((len(keypoints), len(joints), 3))
    known = [joint is not None for joint in joints]
    result[:, known] = keypoints[:, [joint for joint in joints if joint is not None]]
    result[..., 2] = AIC_FLAGS_OF_COCO[result[..., 2].astype(int)]
    result[result[..., 2] == UNLABELLED, :2] = 0
    return result


def _plain_numbers(values: np.ndarray) -> list:
    """Plain Python numbers, whole ones as int."""
    numbers = values.astype(np.float64).tolist()
    return [int(number) if number.is_integer() else number for number in numbers]


def _free_name(wanted: str | None, taken: dict) -> str:
    """The name that the annotation has, or else the first free humanN from the next number on."""
    if wanted is not None and wanted not in taken:
        return wanted
    number = len(taken) + 1
    while f"human{number}" in taken:
        number += 1
    return f"human{number}"


def convert(coco_json: str | os.PathLike, out: str | os.PathLike) -> tuple[Summary, list[str]]:
    """Write a COCO file in AIC's format, whole or not at all; also returns which AIC joints are missing.

    Raises InputError if nothing is usable.
    """
    faults = Faults()
    coco = read_coco(coco_json, faults)
    coco.require_people()
    joints = aic_joints(coco.skeleton)
    missing = [name for name, joint in zip(AIC.keypoints, joints, strict=True) if joint is None]
    if len(missing) == len(joints):
        raise InputError(f"{coco_json}: none of its joints is one of AIC's ({', '.join(AIC.keypoints)})")
    crowds = np.flatnonzero(coco.annotations.crowd)
    faults.add_many("crowds", len(crowds), map(coco.annotations.place, crowds.tolist()))
    coco, image_ids = _with_own_ids(coco, faults)
    records = aic_records(coco, image_ids, joints)
    write_json(out, records)
    everybody = [person for record in records for person in record["keypoint_annotations"].values()]
    flags = Counter(flag for person in everybody for flag in person[2::3])
    return Summary(len(records), len(everybody), flags, faults), missing


def _with_own_ids(coco: CocoFile, faults: Faults) -> tuple[CocoFile, list[str]]:
    """The images that have an image_id of their own, and their image_ids: file names without suffix."""
    kept, taken = [], {}
    for image_id, name in zip(coco.images.ids, coco.images.names, strict=True):
        base, suffix = os.path.splitext(name)
        base = base if suffix.lower() in IMAGE_SUFFIXES else name
        if base in taken:
            faults.add("images whose name without suffix is that of another one", name, taken[base])
        else:
            kept.append(image_id)
            taken[base] = name
    return coco.only_images(kept), list(taken)
