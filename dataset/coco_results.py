"""COCO's results: the people found, as a list of entries with image_id, category_id, keypoints and score."""

import os
from typing import Any

import numpy as np

from dataset.coco import CocoFile
from dataset.skeleton import Skeleton
from util.checks import NUMBER, numbers_fault
from util.errors import InputError
from util.faults import Faults
from util.files import read_json


def people_to_coco(image_id: Any, keypoints: np.ndarray, scores: np.ndarray, category_id: Any = 1) -> list[dict]:
    """The entries of the people of one image.

    keypoints: (K, J, 3) x, y in pixels of the image, confidence (0 = missing); scores: (K,)
    category_id: that of the annotations, if there are any
    The third number of a keypoint is its confidence, which COCO ignores; missing ones are 0, 0, 0. The box surrounds
    the others: without it, COCO would count the zeros towards the size of the person. People without any joint
    are left out.
    """
    entries = []
    for joints, person_score in zip(np.asarray(keypoints, np.float64), np.asarray(scores, np.float64), strict=True):
        found = joints[:, 2] > 0
        if not found.any():
            continue
        rows = np.where(found[:, None], joints, 0)
        x0, y0 = joints[found, :2].min(axis=0)
        x1, y1 = joints[found, :2].max(axis=0)
        entries.append(
            {
                "image_id": image_id,
                "category_id": category_id,
                "keypoints": np.round(rows, 4).ravel().tolist(),
                "score": float(person_score),
                "bbox": np.round([x0, y0, x1 - x0, y1 - y0], 4).tolist(),
            }
        )
    return entries


def read_results(
    path: str | os.PathLike, truth: CocoFile, faults: Faults, skeleton: Skeleton | None = None
) -> list[dict]:
    """The usable entries of a results file for these annotations; the faults of the others are noted.

    skeleton: of the results, if not that of the annotations; joints are matched by name
    An empty list is valid: nobody was found. Raises InputError if there are entries and none can be used.
    """
    entries = read_json(path)
    if not isinstance(entries, list):
        raise InputError(f"{path}: expected a JSON list of results, found {type(entries).__name__}")
    images, skeleton = set(truth.images.ids), skeleton or truth.skeleton
    good = []
    for number, entry in enumerate(entries, start=1):
        fault = _fault(entry, truth, images, skeleton.num_joints)
        if fault:
            faults.add(f"results {fault}", f"result {number}")
        elif skeleton is truth.skeleton:
            good.append(entry)
        else:
            keypoints = np.reshape(entry["keypoints"], (1, -1, 3))
            good.append(entry | {"keypoints": skeleton.convert(keypoints, truth.skeleton).ravel().tolist()})
    if entries and not good:
        raise InputError(f"{path}: no usable result for {truth.path}{faults.reasons()}")
    return good


def _fault(entry: Any, truth: CocoFile, images: set, num_joints: int) -> str | None:
    """The reason why an entry cannot be used, or None."""
    if not isinstance(entry, dict):
        return "that are no objects"
    image, category, score = (entry.get(key) for key in ("image_id", "category_id", "score"))
    if type(image) not in (int, str) or image not in images:
        return "of images that are not listed"
    if type(category) not in (int, str) or category not in truth.categories:
        return "of categories without keypoints"
    if type(score) not in NUMBER or not abs(score) < float("inf"):
        return "without a finite score"
    fault = numbers_fault(entry.get("keypoints"), 3 * num_joints)
    return fault and f"with keypoints {fault}"
