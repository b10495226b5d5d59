"""Generated AI Challenger data: people of random size and pose, as many per image as in the real data."""

from collections.abc import Sequence

import numpy as np

from dataset.aic import annotation_record


def made_up_annotations(num_images: int, seed: int = 0) -> list[dict]:
    """AIC records with 1.8 people an image, about a third of their joints hidden or not labelled."""
    rng = np.random.default_rng(seed)
    records = []
    for number, count in enumerate(1 + rng.poisson(0.8, num_images)):
        people, boxes = [], []
        for _ in range(count):
            x, y, width, height = rng.integers([0, 0, 40, 80], [400, 300, 300, 500])
            places = rng.integers(x, x + width, 14), rng.integers(y, y + height, 14)
            people.append(np.stack([*places, rng.choice([1, 2, 3], 14, p=[0.63, 0.22, 0.15])], axis=1))
            boxes.append([x, y, x + width, y + height])
        record = annotation_record(f"{number:040x}", np.array(people), np.array(boxes))
        records.append(record | {"url": f"http://example.org/{number}.jpg"})
    return records


def made_up_submission(annotations: Sequence[dict], seed: int = 0) -> list[dict]:
    """The annotated people, with every joint a few pixels off, as decimals."""
    rng = np.random.default_rng(seed)
    submission = []
    for record in annotations:
        people = {}
        for name, values in record["keypoint_annotations"].items():
            joints = np.array(values, float).reshape(14, 3)
            joints[:, :2] = np.round(joints[:, :2] + rng.normal(scale=4, size=(14, 2)), 2)
            people[name] = joints.ravel().tolist()
        submission.append({"image_id": record["image_id"], "keypoint_annotations": people})
    return submission
