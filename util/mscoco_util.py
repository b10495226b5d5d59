"""COCO's keypoint files: reading them with care, results, and AP/AR as pycocotools has them."""

import io
import os
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np

from util.checks import MAX_COORDINATE, NUMBER, numbers_fault, stays_inside
from util.errors import InputError
from util.faults import Faults
from util.files import read_json

# COCO's ten numbers, in the order of pycocotools.
METRICS = ("AP", "AP .50", "AP .75", "AP medium", "AP large", "AR", "AR .50", "AR .75", "AR medium", "AR large")


@dataclass
class Coco:
    """The usable part of an annotation file.

    images: by id; annotations: in the order of the file, each with id, image_id, category_id, keypoints (3J numbers),
    num_keypoints, bbox, area, iscrowd and segmentation; categories: those with keypoints, by id
    """

    images: dict[Any, dict]
    annotations: list[dict]
    categories: dict[Any, dict]

    @property
    def num_joints(self) -> int:
        return len(next(iter(self.categories.values()))["keypoints"])


def read_coco(path: str | os.PathLike, notes: Faults) -> Coco:
    """Read an annotation file record by record; what is wrong with it is added to `notes`.

    Raises InputError when it is no COCO keypoint file, or nothing in it can be used.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected COCO's object of images, annotations and categories, found "
                         f"{type(content).__name__}; AI Challenger files are converted by "
                         "tools/ai2coco_art_neckhead_json.py")  # fmt: skip
    for key in ("images", "annotations", "categories"):
        if not isinstance(content.get(key), list):
            raise InputError(f"{path}: the list '{key}' is missing")
    categories = _read_categories(content["categories"], path)
    images = _read_images(content["images"], notes)
    if not images:
        raise InputError(f"{path}: 'images' holds no usable image")
    coco = Coco(images, [], categories)
    seen = set()
    for number, annotation in enumerate(content["annotations"], start=1):
        _read_annotation(annotation, f"annotation number {number}", coco, seen, notes)
    return coco


def _read_categories(entries: list, path) -> dict[Any, dict]:
    with_keypoints = [entry for entry in entries if isinstance(entry, dict) and entry.get("keypoints")]
    if not with_keypoints:
        raise InputError(f"{path}: no entry of 'categories' has 'keypoints' (a list of joint names)")
    if any(entry["keypoints"] != with_keypoints[0]["keypoints"] for entry in with_keypoints):
        raise InputError(f"{path}: the categories have different keypoints; keep one kind of body in a file")
    names = with_keypoints[0]["keypoints"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f"{path}: 'keypoints' of a category must be a list of joint names")
    if not all(_is_id(entry.get("id")) for entry in with_keypoints):
        raise InputError(f"{path}: a category without id")
    return {entry["id"]: entry for entry in with_keypoints}


def _is_id(value: Any) -> bool:
    return type(value) in (int, str)


def _read_images(entries: list, notes: Faults) -> dict[Any, dict]:
    images = {}
    for number, entry in enumerate(entries, start=1):
        where = f"image number {number}"
        if not isinstance(entry, dict) or not _is_id(entry.get("id")):
            notes.add("images without id", where)
        elif entry["id"] in images:
            notes.add("images with the id of an earlier one", entry["id"])
        elif not isinstance(entry.get("file_name"), str) or not entry["file_name"]:
            notes.add("images without file_name", f"image {entry['id']}")
        elif not stays_inside(entry["file_name"]):
            notes.add("images whose file_name leads out of the image folder", repr(entry["file_name"]))
        else:
            images[entry["id"]] = entry
    return images


def _read_annotation(annotation: Any, where: str, coco: Coco, seen: set, notes: Faults) -> None:
    if not isinstance(annotation, dict):
        notes.add("annotations that are no objects", where)
        return
    number, category, image = (annotation.get(key) for key in ("id", "category_id", "image_id"))
    if _is_id(category) and category not in coco.categories:
        return  # another kind of object
    where = f"annotation {number}" if _is_id(number) else where
    fault = _annotation_fault(annotation, coco, seen)
    if fault:
        notes.add(f"annotations {fault}", where)
        return
    seen.add(number)
    clean = {**annotation, "iscrowd": int(bool(annotation.get("iscrowd"))),
             "keypoints": annotation.get("keypoints") or [0] * (3 * coco.num_joints)}  # fmt: skip
    clean["num_keypoints"] = sum(flag > 0 for flag in clean["keypoints"][2::3])
    if annotation.get("num_keypoints", clean["num_keypoints"]) != clean["num_keypoints"]:
        notes.add("annotations with a wrong num_keypoints, counted anew", where)
    clean["bbox"] = clean["bbox"] if clean.get("bbox") else _extent(clean["keypoints"])
    area = annotation.get("area")
    if type(area) not in NUMBER or not 0 < area < MAX_COORDINATE**2:
        notes.add("annotations without a sane area, that of the box is taken", where)
        clean["area"] = clean["bbox"][2] * clean["bbox"][3]
    clean["segmentation"] = _segmentation(annotation, coco.images[image], where, notes)
    coco.annotations.append(clean)


def _annotation_fault(annotation: dict, coco: Coco, seen: set) -> str | None:
    """Why the annotation cannot be used, None if it can."""
    ids = [annotation.get(key) for key in ("id", "category_id", "image_id")]
    if not all(map(_is_id, ids)):
        return "without id, category_id or image_id"
    if ids[2] not in coco.images:
        return "of images that are not listed"
    if ids[0] in seen:
        return "with the id of an earlier one"
    keypoints, box = annotation.get("keypoints"), annotation.get("bbox")
    if keypoints:
        fault = numbers_fault(keypoints, 3 * coco.num_joints)
        if fault:
            return f"with keypoints {fault}"
        if not set(keypoints[2::3]) <= {0, 1, 2}:
            return "with flags other than 0, 1, 2"
    if box:
        fault = numbers_fault(box, 4)
        if fault:
            return f"with box corners {fault}"
        if box[2] <= 0 or box[3] <= 0:
            return "with a box of no size"
    elif not keypoints:
        return "with neither keypoints nor box"
    return None


def _extent(keypoints: list) -> list[float]:
    """x, y, width, height around the labelled joints."""
    joints = np.reshape(np.array(keypoints, np.float64), (-1, 3))
    joints = joints[joints[:, 2] > 0, :2] if (joints[:, 2] > 0).any() else np.zeros((1, 2))
    return [*joints.min(axis=0).tolist(), *np.ptp(joints, axis=0).tolist()]


def _segmentation(annotation: dict, image: dict, where: str, notes: Faults) -> Any:
    """The polygons that are some, or the run lengths if they fit the image; else an empty list."""
    segmentation = annotation.get("segmentation") or []
    if isinstance(segmentation, dict):
        if segmentation.get("size") == [image.get("height"), image.get("width")]:
            return segmentation
        notes.add("masks that do not fit their image, dropped", where)
        return []
    good = [polygon for polygon in segmentation if _is_polygon(polygon)] if isinstance(segmentation, list) else None
    if good != segmentation:
        notes.add("polygons that are not 3 or more points, dropped", where)
    return good or []


def _is_polygon(polygon: Any) -> bool:
    return isinstance(polygon, list) and len(polygon) >= 6 and len(polygon) % 2 == 0 and not numbers_fault(
        polygon, len(polygon)
    )  # fmt: skip


def read_results(path: str | os.PathLike, coco: Coco, notes: Faults) -> list[dict]:
    """The usable entries of a results file for these annotations. Raises InputError when there is none."""
    entries = read_json(path)
    if not isinstance(entries, list):
        raise InputError(f"{path}: expected a JSON list of results, found {type(entries).__name__}")
    good = []
    for number, entry in enumerate(entries, start=1):
        fault = _result_fault(entry, coco)
        if fault:
            notes.add(f"results {fault}", f"result {number}")
        else:
            good.append(entry)
    if not good:
        reasons = "; ".join(f"{count} {what}" for what, count in notes.counts.items() if what.startswith("results"))
        raise InputError(f"{path}: no usable result" + (f" ({reasons})" if reasons else "; the list is empty"))
    return good


def _result_fault(entry: Any, coco: Coco) -> str | None:
    if not isinstance(entry, dict):
        return "that are no objects"
    image, category, result_score = (entry.get(key) for key in ("image_id", "category_id", "score"))
    if not _is_id(image) or image not in coco.images:
        return "of images that are not listed"
    if not _is_id(category) or category not in coco.categories:
        return "of a category without keypoints"
    if type(result_score) not in NUMBER or not abs(result_score) < float("inf"):
        return "without a finite score"
    fault = numbers_fault(entry.get("keypoints"), 3 * coco.num_joints)
    return fault and f"with keypoints {fault}"


def only_joints(entries: list[dict], joints: Sequence[int]) -> list[dict]:
    """Annotations or results with some of their joints alone; people without any of these count no more."""
    chosen = []
    for entry in entries:
        keypoints = np.reshape(entry["keypoints"], (-1, 3))[list(joints)]
        labelled = int(np.count_nonzero(keypoints[:, 2]))
        chosen.append({**entry, "keypoints": keypoints.ravel().tolist(), "num_keypoints": labelled})
    return chosen


def evaluate(coco: Coco, results: list[dict], sigmas, only_predicted: bool = False) -> dict[str, float]:
    """COCO's AP and AR of `results`, as pycocotools computes them; -1 where there is nobody of that size.

    sigmas: (J,) of the OKS; only_predicted: leave out images without any result
    Images and annotations get ids from 1 on first: pycocotools takes a match with an annotation of id 0 for none,
    and our converted files count from 0.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    image_numbers, category_numbers = _numbered(coco.images), _numbered(coco.categories)

    def renumber(entry):
        return {**entry, "image_id": image_numbers[entry["image_id"]],
                "category_id": category_numbers[entry["category_id"]]}  # fmt: skip

    results = list(map(renumber, results))
    if not all(numbers_fault(entry.get("bbox"), 4) is None for entry in results):
        results = [{key: value for key, value in entry.items() if key != "bbox"} for entry in results]
    with redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "info": {},
            "images": [{"id": number} for number in image_numbers.values()],
            "categories": [{"id": number} for number in category_numbers.values()],
            "annotations": [{**renumber(entry), "id": n} for n, entry in enumerate(coco.annotations, start=1)],
        }
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), "keypoints")
        evaluation.params.kpt_oks_sigmas = np.asarray(sigmas, np.float64)
        if only_predicted:
            evaluation.params.imgIds = sorted({entry["image_id"] for entry in results})
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return dict(zip(METRICS, evaluation.stats.tolist(), strict=True))


def _numbered(ids) -> dict[Any, int]:
    """New ids from 1, in the order of the old ones."""
    return {old: new for new, old in enumerate(sorted(ids, key=lambda i: (isinstance(i, str), i)), start=1)}


def people_to_coco(image_id: Any, keypoints: np.ndarray, scores: np.ndarray, category_id: Any = 1) -> list[dict]:
    """COCO's results entries of the people of one image.

    keypoints: (K, J, 3) x, y in pixels of the image, confidence (0 = missing); scores: (K,)
    The third number of a keypoint is its confidence, which COCO ignores; missing ones are 0, 0, 0. The box goes
    around the others: without it, COCO would count the zeros into the size of the person. People without any joint
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
        entries.append({
            "image_id": image_id,
            "category_id": category_id,
            "keypoints": np.round(rows, 4).ravel().tolist(),
            "score": float(person_score),
            "bbox": np.round([x0, y0, x1 - x0, y1 - y0], 4).tolist(),
        })  # fmt: skip
    return entries
