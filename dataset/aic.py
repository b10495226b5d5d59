"""The keypoint files of AI Challenger (AIC): reading them, writing submissions, and their official score.

A file is a JSON list with one record per image:

    {"image_id": "<file name without extension>", "url": "...",
     "keypoint_annotations": {"human1": [x, y, flag, ... 14 times], ...},
     "human_annotations": {"human1": [x0, y0, x1, y1], ...}}

Joints are those of `skeleton.AIC`, coordinates pixels. Flags: 1 visible, 2 hidden, 3 not labelled (then x = y = 0).
A submission has `image_id` and `keypoint_annotations` only; its flags count for nothing.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from dataset.flags import AIC_FLAGS, UNLABELLED, VISIBLE
from dataset.pose_dataset import FileLister
from dataset.skeleton import AIC, AIC_SIGMAS, Skeleton
from util.checks import MAX_COORDINATE, NUMBER, numbers_fault, stays_inside
from util.errors import InputError
from util.faults import CORRECTED, Faults
from util.images import IMAGE_SUFFIXES
from util.json_stream import BLOCK, JsonStream

NUM_JOINTS = AIC.num_joints
NUM_VALUES = 3 * NUM_JOINTS
THRESHOLDS = np.linspace(0.5, 0.95, 10)
# Pairs of people compared at once: they stay in the cache, and memory stays bounded in a file of crowds.
CHUNK = 4096

_INTEGER = {int}


class Person(NamedTuple):
    """keypoints: 42 numbers as they stand in the file; box: x0, y0, x1, y1, no part of it left of or above 0."""

    name: str
    keypoints: list
    box: list


class Record(NamedTuple):
    """The annotations of one image."""

    image_id: str
    url: str
    people: list[Person]


class AnnotationFile:
    """Iterates over the usable records of an annotation file; notes in `faults` what it leaves out or corrects.

    A labelled person without a usable box is kept, with the box of the joints.
    Raises InputError for what is no JSON list, and in the end when no record was usable.
    """

    def __init__(self, path: str | os.PathLike, faults: Faults | None = None):
        self.path = path
        self.faults = Faults() if faults is None else faults

    def count(self) -> int:
        """About how many records the file has, without decoding it."""
        with suppress(OSError), open(self.path, "rb") as file:
            return sum(line.count(b'"image_id"') for line in iter(lambda: file.read(BLOCK), b""))
        return 0

    def __iter__(self) -> Iterator[Record]:
        seen = set()
        for number, record in enumerate(_records(self.path), start=1):
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

        Raises InputError in the end when there was none.
        """
        files, suffixes = FileLister(), [".jpg", *sorted(IMAGE_SUFFIXES)]
        found = False
        for record in self:
            base = f"{img_dir}{os.sep}{record.image_id}"
            suffix = next((suffix for suffix in suffixes if base + suffix in files), None)
            if suffix is None:
                self.faults.add("records whose image is not on disk", record.image_id)
            else:
                found = True
                yield record, record.image_id + suffix
        if not found:
            raise InputError(f"{self.path}: no record can be used{self.faults.reasons()}; images: {img_dir}")


def _records(path: str | os.PathLike) -> Iterator[Any]:
    """The items of the list that a file holds. Raises InputError where it holds none, or an empty one."""
    stream = JsonStream(path)
    if stream.peek() != "[":
        raise InputError(f"{path}: expected a JSON list of records, one per image; "
                         "COCO files are an object (tools/coco2aic.py converts them)")  # fmt: skip
    empty = True
    for record in stream.items():
        empty = False
        yield record
    stream.end()
    if empty:
        raise InputError(f"{path}: the list of records is empty")


def check_image_id(record: Any, where: str, faults: Faults) -> str | None:
    """The image_id of a record, or None (and a note) if it has none that may be looked up in a folder."""
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
    people = [_read_person(f"{image_id} {name}", name, values, boxes.get(name), faults)
              for name, values in keypoints.items()]  # fmt: skip
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
    """What is wrong with a person's keypoints, None if nothing."""
    fault = numbers_fault(values, NUM_VALUES)
    return fault and f"keypoints {fault}"


def box_fault(box: Any) -> str | None:
    """What makes a person's box useless, None if nothing."""
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
    return list(chain.from_iterable(
        joint if joint[2] in AIC_FLAGS else (0, 0, UNLABELLED) for joint in zip(*[iter(values)] * 3, strict=True)
    ))  # fmt: skip


def people_to_aic(image_id: str, keypoints: np.ndarray, scores: np.ndarray, skeleton: Skeleton) -> dict:
    """A submission's record of the people of one image, by score.

    keypoints: (K, J, 3) x, y in pixels of the image, confidence (0 = missing); scores: (K,)
    Coordinates are written as decimals: the official evaluator rounds the distances of integers to their
    disadvantage (see `score`), on top of what their own rounding costs. Missing joints are 0, 0, 3. People without
    any AIC joint are left out. `scores` is ignored officially; precision-recall plots use it.
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


class Score(NamedTuple):
    """The official score and what it is made of: I images with N true and M predicted people.

    score: mean of `precision` (10,), the share of people found at each of THRESHOLDS
    warnings: those of the official evaluator; faults: what it ignores, misjudges or would fail at
    image_ids: I; counted: (I,) people counted, the larger of true and predicted number
    true, predicted: the people; best: (N,) highest OKS of each true person, partner: (N,) the prediction that has it,
    -1 = none; similarity: (N, 14) terms of that OKS, NaN where a joint does not count
    pairs: (Q, 2) true and predicted person of each pair in one image, oks: (Q,) theirs
    """

    score: float
    precision: np.ndarray
    warnings: list[str]
    faults: Faults
    image_ids: list[str]
    counted: np.ndarray
    true: "_People"
    predicted: "_People"
    best: np.ndarray
    partner: np.ndarray
    similarity: np.ndarray
    pairs: np.ndarray
    oks: np.ndarray

    def best_by_person(self) -> dict[str, dict[str, float]]:
        """image_id -> name -> highest OKS, for every true person."""
        first = self.true.first
        return {image_id: dict(zip(self.true.names[a:b], self.best[a:b].tolist(), strict=True))
                for image_id, a, b in zip(self.image_ids, first[:-1], first[1:], strict=True)}  # fmt: skip


class _People(NamedTuple):
    """N people of I images, those of image i at first[i]:first[i + 1].

    keypoints: (N, 14, 3); whole: (N,) bool, all 42 numbers are integers; area: (N,) of the box, 0 without
    scores: (N,) confidence, NaN where the file does not tell
    """

    first: np.ndarray
    names: list[str]
    keypoints: np.ndarray
    whole: np.ndarray
    area: np.ndarray
    scores: np.ndarray


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
    What makes the official evaluator fail (people or records of wrong shape or type) is left out and noted in
    `faults`. Raises InputError when there is nobody to count.
    """
    warnings, faults = [], Faults()
    truth = _reference_records(reference, faults)
    found = _prediction_records(predictions, warnings, faults)
    for image_id in found.keys() - truth.keys():
        faults.add("predictions of images that are not in the reference", image_id)
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
    best, partner = _best(pairs, oks, len(true.names), num_predicted, num_true)
    precision = (best > THRESHOLDS[:, None]).sum(axis=1) / np.float64(np.float32(counted.sum()))
    similarity = _partner_similarity(true, predicted, partner)
    return Score(float(np.mean(precision)), precision, warnings, faults, list(truth), counted, true, predicted,
                 best, partner, similarity, pairs, oks)  # fmt: skip


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


def _reference_people(truth: dict[str, dict], faults: Faults) -> tuple[_People, np.ndarray]:
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
        still = ", scored all the same" if fault and good[i] else ""
        faults.add(what + still, f"{ids[image[i]]} {names[i]}")

    num_boxes = np.fromiter((len(record["human_annotations"]) for record in records), int, count=len(ids))
    for i in np.flatnonzero(num_boxes > np.diff(first)):
        faults.add("records with boxes without keypoints", ids[i])
    left_out = [image[i] for i in np.flatnonzero(~good) if boxes[i] is not None]
    num_boxes -= np.bincount(left_out, minlength=len(ids)).astype(int)
    # Single precision, as the official evaluator has it.
    area = ((y1 - y0) * (x1 - x0)).astype(np.float32).astype(np.float64)
    return _select(good, first, names, keypoints, whole, area, np.full(len(good), np.nan)), num_boxes


def _prediction_people(answers: Sequence[dict | None], image_ids: Sequence[str], faults: Faults) -> _People:
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
    return _select(good, first, names, keypoints, whole, np.full(len(good), np.nan), scores)


def _is_computable(values: Any) -> bool:
    """Whether the official evaluator can compute with these keypoints, if only to find them far off."""
    return isinstance(values, list) and len(values) == NUM_VALUES and all(
        isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**31) for value in values
    )  # fmt: skip


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
        # Adding up is the quickest way to see that all are numbers; an array of texts could take any memory.
        if set(map(type, rows)) <= {list} and set(map(len, rows)) <= {width} and np.isfinite(sum(map(sum, rows))):
            array = np.array(rows).reshape(-1, width)
            return array if array.dtype.kind in "if" else None
    except (TypeError, OverflowError):
        pass
    return None


def _select(good, first, names, keypoints, whole, area, scores) -> _People:
    """The people of the rows that are good."""
    kept = np.flatnonzero(good)
    image = np.repeat(np.arange(len(first) - 1), np.diff(first))[kept]
    first = np.concatenate([[0], np.cumsum(np.bincount(image, minlength=len(first) - 1))])
    names = [names[i] for i in kept]
    return _People(first, names, keypoints[kept].reshape(-1, NUM_JOINTS, 3), whole[kept], area[kept], scores[kept])


def _all_oks(true: _People, predicted: _People) -> tuple[np.ndarray, np.ndarray]:
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
        some = slice(begin, begin + CHUNK)
        seen = visible[pairs[some, 0]]
        terms = np.where(seen, _similarity(true, predicted, pairs[some]), 0)
        oks[some] = terms.sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    return pairs, oks


def _similarity(true: _People, predicted: _People, pairs: np.ndarray) -> np.ndarray:
    """(Q, 14) OKS terms of all joints, whatever their flags."""
    a, b = pairs.T
    with np.errstate(all="ignore"):
        dx, dy = np.moveaxis(true.keypoints[a, :, :2] - predicted.keypoints[b, :, :2], -1, 0)
        exponent = (dx * dx + dy * dy) / -2
        whole = true.whole[a] & predicted.whole[b]
        exponent[whole] = np.floor(exponent[whole])
        return np.exp(exponent / (2 * np.array(AIC_SIGMAS)) ** 2 / (true.area[a, None] + 1))


def _best(pairs, oks, num_people, num_predicted, num_true) -> tuple[np.ndarray, np.ndarray]:
    """Highest OKS of each true person (0 without predictions; NaN wins), and the predicted person that has it."""
    best, partner = np.zeros(num_people), np.full(num_people, -1)
    has_partners = np.repeat(num_predicted, num_true) > 0
    if len(pairs):
        starts = np.flatnonzero(np.diff(pairs[:, 0], prepend=-1))
        best[has_partners] = np.maximum.reduceat(oks, starts)
        is_best = oks == best[pairs[:, 0]]
        # Written in reverse order, the first of several equal ones stays.
        partner[pairs[is_best, 0][::-1]] = pairs[is_best, 1][::-1]
    return best, partner


def _partner_similarity(true: _People, predicted: _People, partner: np.ndarray) -> np.ndarray:
    similarity = np.where(true.keypoints[..., 2] == VISIBLE, 0.0, np.nan)
    found = np.flatnonzero(partner >= 0)
    terms = _similarity(true, predicted, np.stack([found, partner[found]], axis=1))
    similarity[found] = np.where(np.isnan(similarity[found]), np.nan, terms)
    return similarity
