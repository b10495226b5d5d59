"""The official score of AI Challenger's submissions, digit for digit."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from dataset.aic import AIC_FLAGS, NUM_JOINTS, NUM_VALUES, VISIBLE, box_fault, check_image_id, keypoints_fault
from dataset.skeleton import AIC
from util.checks import MAX_COORDINATE, NUMBER, numbers_fault
from util.errors import InputError
from util.faults import Faults
from util.files import read_json

THRESHOLDS = np.linspace(0.5, 0.95, 10)
# Pairs of people compared at once: few enough for the cache, and for bounded memory with files of crowds.
CHUNK = 4096

_INTEGER = {int}


class People(NamedTuple):
    """N people of I images, those of image i at first[i]:first[i + 1].

    keypoints: (N, 14, 3); whole: (N,) bool, all 42 numbers are integers; area: (N,) of the box, 0 without one
    scores: (N,) confidence, NaN where the file has none
    """

    first: np.ndarray
    names: list[str]
    keypoints: np.ndarray
    whole: np.ndarray
    area: np.ndarray
    scores: np.ndarray

    def only(self, good: np.ndarray) -> "People":
        """Those of the mask `good` (N,)."""
        num_images = len(self.first) - 1
        image = np.repeat(np.arange(num_images), np.diff(self.first))[good]
        first = np.concatenate([[0], np.cumsum(np.bincount(image, minlength=num_images))])
        names = [self.names[i] for i in np.flatnonzero(good)]
        return People(first, names, *(values[good] for values in self[2:]))


@dataclass
class Score:
    """The official score and what it is made of: I images with N true and M predicted people.

    score: mean of `precision` (10,), the share of people found at each of THRESHOLDS
    warnings: those of the official evaluator; faults: what it ignores, misjudges or fails at
    image_ids: I; counted: (I,) people counted, the larger of true and predicted number
    true, predicted: the people; best: (N,) highest OKS of each true person
    similarity: (N, 14) terms of that OKS, NaN where a joint does not count
    pairs: (Q, 2) true and predicted person of each pair in one image, oks: (Q,) theirs
    """

    score: float
    precision: np.ndarray
    warnings: list[str]
    faults: Faults
    image_ids: list[str]
    counted: np.ndarray
    true: People
    predicted: People
    best: np.ndarray
    similarity: np.ndarray
    pairs: np.ndarray
    oks: np.ndarray


def read_records(path: str | os.PathLike) -> list:
    """The records of a submission or reference. Raises InputError unless the file is a list of at least one."""
    records = read_json(path)
    if not isinstance(records, list):
        raise InputError(f"{path}: expected a JSON list of records, one per image, found {type(records).__name__}")
    if not records:
        raise InputError(f"{path}: the list of records is empty")
    return records


def score(predictions: Sequence, reference: Sequence) -> Score:
    """The official score of a submission: both are lists of records as JSON gives them.

    As the official evaluator under Python 2, for which submissions were tuned, oddities included:
    - Where all 42 numbers of both people are integers, -d^2 / 2 is rounded down to an integer: up to half a squared
      pixel is lost on every joint.
    - A prediction may serve several true people. max(true, predicted) people are counted per image.
    - OKS is the mean over joints with flag 1; a true person without one scores 0 and is counted. The area has single
      precision and 1 is added to it. Flags of predictions count for nothing; a missing joint is one at (0, 0).
    - The image_id of a prediction ends at its first dot, the reference's does not. Of two records with one image_id
      the last counts, here and there.
    - An image without prediction counts as many people as it has boxes.
    - A true person whose prediction holds a NaN is not found; a box with one side negative makes any OKS huge.
    People or records of wrong shape or type, at which the official evaluator fails, are left out and noted in `faults`.
    Raises InputError if there is nobody to count, or no prediction is for an image of the reference.
    """
    warnings, faults = [], Faults()
    truth = _reference_records(reference, faults)
    found = _prediction_records(predictions, warnings, faults)
    strangers = found.keys() - truth.keys()
    faults.add_many("predictions of images that are not in the reference", len(strangers), sorted(strangers))
    if len(strangers) == len(found):
        raise InputError(
            f"none of the {len(predictions)} predictions can be used: each needs the image_id of a "
            "reference record (up to a dot) and keypoint_annotations (COCO's results are scored by "
            f"tools/eval_mscoco.py){faults.reasons()}"
        )
    true, boxes = _reference_people(truth, faults)
    answers = [found.get(image_id) for image_id in truth]
    predicted = _prediction_people(answers, list(truth), faults)
    num_true, num_predicted = np.diff(true.first), np.diff(predicted.first)
    absent = np.array([answer is None for answer in answers], bool)
    warnings += [f"{image_id} is not in the predictions" for image_id, gone in zip(truth, absent, strict=True) if gone]
    counted = np.where(absent, boxes, np.maximum(num_true, num_predicted))
    if not counted.sum():
        raise InputError("nobody to score: neither reference nor predictions hold a usable person")
    pairs, oks = _all_oks(true, predicted)
    best, partner = _best(pairs, oks, len(true.names))
    precision = (best > THRESHOLDS[:, None]).sum(axis=1) / np.float64(np.float32(counted.sum()))
    return Score(
        score=float(np.mean(precision)),
        precision=precision,
        warnings=warnings,
        faults=faults,
        image_ids=list(truth),
        counted=counted,
        true=true,
        predicted=predicted,
        best=best,
        similarity=_partner_similarity(true, predicted, partner),
        pairs=pairs,
        oks=oks,
    )


def _reference_records(records: Sequence, faults: Faults) -> dict[str, dict]:
    truth = {}
    for number, record in enumerate(records, start=1):
        image_id = check_image_id(record, f"reference record {number}", faults)
        if image_id is None:
            continue
        if not all(isinstance(record.get(key), dict) for key in ("keypoint_annotations", "human_annotations")):
            faults.add("reference records without keypoint_annotations or human_annotations", image_id)
            continue
        if image_id in truth:
            faults.add("reference records with the image_id of a later one", image_id)
        truth[image_id] = record
    if not truth:
        raise InputError(f"the reference holds no usable record{faults.reasons()}")
    return truth


def _prediction_records(records: Sequence, warnings: list[str], faults: Faults) -> dict[str, dict]:
    """Records by the part of their image_id before the first dot."""
    found, exact = {}, set()
    for number, record in enumerate(records, start=1):
        if not isinstance(record, dict):
            faults.add("predictions that are no objects", f"prediction {number}")
            continue
        if "image_id" not in record:
            warnings.append(f"prediction {number} has no image_id")
            continue
        full_id = record["image_id"]
        if "keypoint_annotations" not in record:
            warnings.append(f"{full_id!r:.100} has no keypoint_annotations")
            continue
        if not isinstance(full_id, str) or not isinstance(record["keypoint_annotations"], dict):
            faults.add("predictions whose image_id or keypoint_annotations has a wrong type", f"prediction {number}")
            continue
        image_id = full_id.split(".")[0]
        if image_id in found:
            warnings.append(f"{image_id!r:.100} is predicted more than once")
        # "a" wins over "a.jpg", wherever they stand.
        if full_id == image_id or image_id not in exact:
            found[image_id] = record
        if full_id == image_id:
            exact.add(image_id)
    return found


def _reference_people(truth: dict[str, dict], faults: Faults) -> tuple[People, np.ndarray]:
    """The true people, and for each image how many it counts when there is no prediction for it."""
    ids, records = list(truth), truth.values()
    first, names, values = _flatten([record["keypoint_annotations"] for record in records])
    boxes = [record["human_annotations"].get(name) for record in records for name in record["keypoint_annotations"]]
    image = np.repeat(np.arange(len(ids)), np.diff(first))
    keypoints, good_keypoints, whole = _table(values, NUM_VALUES)
    corners, good_box, _ = _table(boxes, 4)
    x0, y0, x1, y1 = corners.T
    odd_flag = ~np.isin(keypoints[:, 2::3], tuple(AIC_FLAGS)).all(axis=1)
    odd_box = ~((x1 > x0) & (y1 > y0) & (x1 > 0) & (y1 > 0))
    good = good_keypoints & good_box
    for i in np.flatnonzero(~good | odd_box | odd_flag):
        fault = keypoints_fault(values[i]) or box_fault(boxes[i])
        what = f"people with {fault}" if fault else "joints with a flag other than 1, 2, 3"
        still = ", scored nevertheless" if fault and good[i] else ""
        faults.add(what + still, f"{ids[image[i]]} {names[i]}")

    num_boxes = np.fromiter((len(record["human_annotations"]) for record in records), int, count=len(ids))
    for i in np.flatnonzero(num_boxes > np.diff(first)):
        faults.add("records with boxes without keypoints", ids[i])
    left_out = [image[i] for i in np.flatnonzero(~good) if boxes[i] is not None]
    num_boxes -= np.bincount(left_out, minlength=len(ids)).astype(int)
    # Single precision, as the official evaluator has it.
    area = ((y1 - y0) * (x1 - x0)).astype(np.float32).astype(np.float64)
    unknown = np.full(len(good), np.nan)
    keypoints = keypoints.reshape(-1, NUM_JOINTS, 3)
    return People(first, names, keypoints, whole, area, scores=unknown).only(good), num_boxes


def _prediction_people(answers: Sequence[dict | None], image_ids: Sequence[str], faults: Faults) -> People:
    answers = [answer or {"keypoint_annotations": {}} for answer in answers]
    first, names, values = _flatten([answer["keypoint_annotations"] for answer in answers])
    image = np.repeat(np.arange(len(answers)), np.diff(first)).tolist()
    keypoints, good, whole = _table(values, NUM_VALUES)
    for i in np.flatnonzero(~good):
        faults.add(f"predicted people with {keypoints_fault(values[i])}", f"{image_ids[image[i]]} {names[i]}")
        if _is_computable(values[i]):
            keypoints[i], good[i], whole[i] = values[i], True, set(map(type, values[i])) == _INTEGER
    scores = [answer.get("scores") for answer in answers]
    scores = [scores[i].get(name) if type(scores[i]) is dict else None for i, name in zip(image, names, strict=True)]
    scores = np.array([s if type(s) in NUMBER and abs(s) < MAX_COORDINATE else np.nan for s in scores], np.float64)
    unknown = np.full(len(good), np.nan)
    keypoints = keypoints.reshape(-1, NUM_JOINTS, 3)
    return People(first, names, keypoints, whole, area=unknown, scores=scores).only(good)


def _is_computable(values: Any) -> bool:
    """Whether the official evaluator can compute with these keypoints, even if they are far off."""
    return (
        isinstance(values, list)
        and len(values) == NUM_VALUES
        and all(isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**31) for value in values)
    )


def _flatten(people: Sequence[dict]) -> tuple[np.ndarray, list[str], list]:
    """Offsets (I + 1,) of the images, names and values of all people."""
    first = np.cumsum([0, *map(len, people)])
    return first, list(chain.from_iterable(people)), list(chain.from_iterable(map(dict.values, people)))


def _table(rows: list, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, width) float64 of N lists; which (N,) are `width` numbers within bounds; which have integers only.

    Rows that are out of bounds are NaN.
    """
    table = _plain_array(rows, width)
    if table is None:
        missing = [np.nan] * width
        table = np.array([missing if numbers_fault(row, width) else row for row in rows])
    good = (np.abs(table) < MAX_COORDINATE).all(axis=1)
    whole = (table == np.floor(table)).all(axis=1)
    if table.dtype.kind != "i":
        for i in np.flatnonzero(whole):
            whole[i] = set(map(type, rows[i])) == _INTEGER
    table = table.astype(np.float64)
    table[~good] = np.nan
    return table, good, whole


def _plain_array(rows: list, width: int) -> np.ndarray | None:
    """All rows at once, None if one of them is no list of `width` numbers."""
    try:
        # A sum is the fastest check that all are numbers; an array of texts could take any amount of memory.
        if set(map(type, rows)) <= {list} and set(map(len, rows)) <= {width} and np.isfinite(sum(map(sum, rows))):
            array = np.array(rows).reshape(-1, width)
            return array if array.dtype.kind in "if" else None
    except (TypeError, OverflowError):
        pass
    return None


def _all_oks(true: People, predicted: People) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (Q, 2) of true and predicted people in one image, in the order of the true, and their OKS (Q,)."""
    num_predicted = np.diff(predicted.first)
    # Row of each true person: how many partners, and the first of them.
    image = np.repeat(np.arange(len(num_predicted)), np.diff(true.first))
    partners = num_predicted[image]
    pairs = np.empty((partners.sum(), 2), np.int64)
    pairs[:, 0] = np.repeat(np.arange(len(image)), partners)
    starts = np.cumsum(partners) - partners
    pairs[:, 1] = np.arange(len(pairs)) - np.repeat(starts - predicted.first[image], partners)
    visible = true.keypoints[..., 2] == VISIBLE
    oks = np.empty(len(pairs))
    for begin in range(0, len(pairs), CHUNK):
        chunk = slice(begin, begin + CHUNK)
        seen = visible[pairs[chunk, 0]]
        terms = np.where(seen, _similarity(true, predicted, pairs[chunk]), 0)
        oks[chunk] = terms.sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    return pairs, oks


def _similarity(true: People, predicted: People, pairs: np.ndarray) -> np.ndarray:
    """(Q, 14) OKS terms of all joints, whatever their flags."""
    a, b = pairs.T
    with np.errstate(all="ignore"):
        dx, dy = np.moveaxis(true.keypoints[a, :, :2] - predicted.keypoints[b, :, :2], -1, 0)
        exponent = (dx * dx + dy * dy) / -2
        whole = true.whole[a] & predicted.whole[b]
        exponent[whole] = np.floor(exponent[whole])
        return np.exp(exponent / (2 * np.array(AIC.sigmas)) ** 2 / (true.area[a, None] + 1))


def _best(pairs, oks, num_people) -> tuple[np.ndarray, np.ndarray]:
    """Highest OKS of each true person (0 without predictions; NaN wins), and who of the predicted has it (-1)."""
    best, partner = np.zeros(num_people), np.full(num_people, -1)
    if len(pairs):
        starts = np.flatnonzero(np.diff(pairs[:, 0], prepend=-1))
        best[pairs[starts, 0]] = np.maximum.reduceat(oks, starts)
        is_best = oks == best[pairs[:, 0]]
        # Assigned in reverse order, so that the first of several equal ones stays.
        partner[pairs[is_best, 0][::-1]] = pairs[is_best, 1][::-1]
    return best, partner


def _partner_similarity(true: People, predicted: People, partner: np.ndarray) -> np.ndarray:
    similarity = np.where(true.keypoints[..., 2] == VISIBLE, 0.0, np.nan)
    found = np.flatnonzero(partner >= 0)
    terms = _similarity(true, predicted, np.stack([found, partner[found]], axis=1))
    similarity[found] = np.where(np.isnan(similarity[found]), np.nan, terms)
    return similarity
