"""Small annotation files of both formats."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from dataset.skeleton import COCO

# Somebody with all joints visible, AI Challenger's fourteen, and their box.
PERSON = [x for joint in range(14) for x in (10 * joint, 20 * joint, 1)]
BOX = [0, 0, 130, 260]


def aic_record(image_id="a", keypoints=None, boxes=None) -> dict:
    """An image in AI Challenger's format: of one person, or of other keypoints and boxes by name.

    boxes: by name, or one list for everybody
    """
    keypoints = {"human1": PERSON} if keypoints is None else keypoints
    boxes = boxes if isinstance(boxes, dict) else dict.fromkeys(keypoints, boxes or BOX)
    return {"image_id": image_id, "keypoint_annotations": keypoints, "human_annotations": boxes}


def moved(person: list, offset: float) -> list:
    """The keypoints of a person that stands elsewhere, both coordinates larger by the offset."""
    return [value + offset * (i % 3 < 2) for i, value in enumerate(person)]


def coco_document(
    images: Sequence[dict], people: Iterable[dict] = (), keypoints: Sequence[str] = COCO.keypoints
) -> dict:
    """COCO's format, with one category, whose id is 1; ids of images and people count from 0 where they have none."""
    return {
        "images": [{"id": number, **image} for number, image in enumerate(images)],
        "annotations": [{"id": number, "category_id": 1, **person} for number, person in enumerate(people)],
        "categories": [{"id": 1, "name": "person", "keypoints": list(keypoints)}],
    }


def write_coco(folder: Path, phase: str, document: dict) -> None:
    """Write a document where a training looks for it."""
    (folder / "annotations").mkdir(exist_ok=True)
    (folder / f"annotations/person_keypoints_{phase}.json").write_text(json.dumps(document))
