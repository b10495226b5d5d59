"""Generated AI Challenger data: people of random size and pose, as many per image as in the real data."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from dataset.aic import annotation_record

DIFFERENT_PHOTOS = 32


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


def write_data_set(num_images: int, annotations: Path, images: Path) -> int:
    """Write annotations to a file and photos into a folder; returns the number of people."""
    records = made_up_annotations(num_images)
    annotations.write_text(json.dumps(records))
    write_photos(images, [record["image_id"] for record in records])
    return sum(len(record["keypoint_annotations"]) for record in records)


def write_photos(folder: Path, image_ids: Sequence[str]) -> None:
    """A JPEG file for each image: a few different ones, as cameras and editors write them, and links to these."""
    exif = Image.Exif()
    exif[0x010F] = "camera"
    headers = [{}, {}, {"comment": b"edited " * 20}, {"progressive": True}, {}, {"icc_profile": bytes(3000)}, {},
               {"exif": exif}]  # fmt: skip
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for number, image_id in enumerate(image_ids):
        path = folder / f"{image_id}.jpg"
        if number < DIFFERENT_PHOTOS:
            height, width = rng.integers(300, 900, 2)
            photo = Image.fromarray(rng.integers(0, 255, (height, width, 3), np.uint8))
            photo.save(path, **headers[number % len(headers)])
        else:
            os.link(folder / f"{image_ids[number % DIFFERENT_PHOTOS]}.jpg", path)
