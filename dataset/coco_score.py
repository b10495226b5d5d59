"""COCO's AP and AR of keypoint results, as pycocotools computes them."""

import io
import math
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any, NamedTuple

import numpy as np

from dataset.coco import CocoFile
from util.checks import numbers_fault
from util.errors import InputError

# COCO's ten numbers, in the order of pycocotools.
METRICS = ("AP", "AP .50", "AP .75", "AP medium", "AP large", "AR", "AR .50", "AR .75", "AR medium", "AR large")


class Score(NamedTuple):
    """metrics: METRICS and their values, -1 if there is nobody of that size
    by_category: AP and AR of each category (id), where the results tell categories apart, else empty; `metrics` are
    means over them then
    """

    metrics: dict[str, float]
    by_category: dict[Any, tuple[float, float]]


def score(
    results: Sequence[dict], truth: CocoFile, joints: Sequence[int] | None = None, only_predicted: bool = False
) -> Score:
    """The score of results (dataset.coco_results), with the sigmas of the annotations' skeleton.

    joints: those that count, all by default; people without any of them do not count
    only_predicted: leave out images without any result
    Results that all name one category, as from a network that does not tell categories apart, are compared with the
    people of all categories. Raises InputError for annotations without people, and results that do not belong to them.
    """
    truth.require_people()
    images = _numbers(truth.images.ids)
    together = len({entry["category_id"] for entry in results}) < 2
    categories = dict.fromkeys(truth.categories, 1) if together else _numbers(truth.categories)
    joints = list(range(truth.skeleton.num_joints) if joints is None else joints)
    found = _results(results, images, categories, joints, truth)
    sigmas = np.array(truth.skeleton.sigmas)[joints]
    evaluation = _evaluate(
        _annotations(truth, images, categories, joints), found, images, categories, sigmas, only_predicted
    )
    metrics = dict(zip(METRICS, evaluation.stats.tolist(), strict=True))
    if together:
        return Score(metrics, {})
    precision, recall = (evaluation.eval[key][..., 0, 0] for key in ("precision", "recall"))
    return Score(
        metrics,
        {
            category: (_mean(precision[..., number - 1]), _mean(recall[..., number - 1]))
            for category, number in categories.items()
        },
    )


def known(metric: float) -> float:
    """A metric, with NaN in place of COCO's -1 for nobody to measure."""
    return metric if metric >= 0 else math.nan


def _mean(values: np.ndarray) -> float:
    """Mean of the values other than pycocotools' -1 for nobody."""
    return float(values[values > -1].mean()) if (values > -1).any() else -1.0


def _numbers(ids) -> dict[Any, int]:
    """Numbers from 1 for ids, in their order: pycocotools mistakes a match with annotation 0 for no match."""
    return {old: new for new, old in enumerate(sorted(ids, key=lambda i: (isinstance(i, str), i)), start=1)}


def _annotations(truth: CocoFile, images: dict, categories: dict, joints: list[int]) -> list[dict]:
    annotations = truth.annotations
    image_ids = [images[image_id] for image_id in truth.images.ids]
    keypoints = annotations.keypoints[:, joints].astype(np.float64)
    boxes = annotations.boxes.astype(np.float64)
    boxes[:, 2:] -= boxes[:, :2]
    area = np.where(np.isnan(annotations.area), boxes[:, 2] * boxes[:, 3], annotations.area)
    # The only category may lack an id, and annotations need not name it.
    only = next(iter(categories.values()), 1)
    return [
        {
            "id": row + 1,
            "image_id": image_ids[annotations.image[row]],
            "category_id": categories.get(annotations.category[row], only),
            "keypoints": keypoints[row].ravel().tolist(),
            "num_keypoints": int(np.count_nonzero(keypoints[row, :, 2])),
            "bbox": boxes[row].tolist(),
            "area": float(area[row]),
            "iscrowd": int(annotations.crowd[row]),
        }
        for row in range(len(annotations))
    ]


def _results(results: Sequence[dict], images: dict, categories: dict, joints: list[int], truth: CocoFile) -> list[dict]:
    """Results by number, with the joints that count; their boxes stay if all have one."""
    strange = [entry for entry in results if entry["image_id"] not in images or entry["category_id"] not in categories]
    if strange:
        raise InputError(
            f"{truth.path}: has no image {strange[0]['image_id']!r} or no category "
            f"{strange[0]['category_id']!r}, which {len(strange)} results are of"
        )
    boxes = all(numbers_fault(entry.get("bbox"), 4) is None for entry in results)
    found = []
    for entry in results:
        keypoints = np.reshape(entry["keypoints"], (-1, 3))[joints].ravel().tolist()
        found.append(
            {
                "image_id": images[entry["image_id"]],
                "category_id": categories[entry["category_id"]],
                "keypoints": keypoints,
                "score": entry["score"],
                **({"bbox": entry["bbox"]} if boxes else {}),
            }
        )
    return found


def _evaluate(
    annotations: list[dict],
    results: list[dict],
    images: dict,
    categories: dict,
    sigmas: np.ndarray,
    only_predicted: bool,
):
    """pycocotools' evaluation, done."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def index(annotations):
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": number} for number in images.values()],
            "categories": [{"id": number} for number in set(categories.values())],
            "annotations": annotations,
        }
        coco.createIndex()
        return coco

    with redirect_stdout(io.StringIO()):
        truth = index(annotations)
        # loadRes infers the kind of results from the first one.
        evaluation = COCOeval(truth, truth.loadRes(results) if results else index([]), "keypoints")
        evaluation.params.kpt_oks_sigmas = sigmas
        if only_predicted:
            evaluation.params.imgIds = sorted({entry["image_id"] for entry in results})
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation
