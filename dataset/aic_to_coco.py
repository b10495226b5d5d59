"""AI Challenger annotations in COCO's format, in the "neckhead" layout.

COCO's 17 slots: the neck in slot 0, the head top in slot 1, slots 2-4 never labelled, shoulders to ankles as in COCO.
"""

import json
import os
from collections import Counter
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

from tqdm import tqdm

from dataset.aic import COCO_FLAG, HIDDEN, NUM_VALUES, UNLABELLED, VISIBLE, AnnotationFile, Person, Record
from dataset.skeleton import NECKHEAD
from util.errors import InputError
from util.faults import Faults
from util.files import atomic_path, no_garbage_collection
from util.images import read_image_size

CATEGORY = {
    "id": 1,
    "name": "person",
    "supercategory": "person",
    "keypoints": list(NECKHEAD.keypoints),
    "skeleton": [[a + 1, b + 1] for a, b in NECKHEAD.limbs],
}
# The original also writes an empty "neck".
HEAD = {"info": {"description": "AI challenger keypoint in mscoco format"}, "neck": [], "categories": [CATEGORY]}
_encode = json.JSONEncoder(separators=(",", ":")).encode


def _slot_picker() -> itemgetter:
    """Picks the 51 numbers of the slots from a person's 42 numbers followed by a 0 and UNLABELLED."""
    joint = dict(zip(NECKHEAD.to_aic, range(NECKHEAD.num_joints), strict=False))
    picks = []
    for slot in range(NECKHEAD.num_joints):
        first = 3 * joint[slot] if slot in joint else None
        picks += [NUM_VALUES, NUM_VALUES, NUM_VALUES + 1] if first is None else range(first, first + 3)
    return itemgetter(*picks)


_pick_slots = _slot_picker()


def coco_annotations(record: Record, image_number: int, first_number: int) -> list[dict]:
    """The COCO annotations of the people of one image, with the ids first_number, first_number + 1, ...

    "human", the person's AIC name, is written only if it is not simply the next one.
    """
    annotations = []
    for i, person in enumerate(record.people):
        annotation = coco_annotation(person, image_number, first_number + i)
        if person.name != f"human{i + 1}":
            annotation["human"] = person.name
        annotations.append(annotation)
    return annotations


def coco_annotation(person: Person, image_number: int, number: int) -> dict:
    """The COCO annotation of one person; its segmentation is the box."""
    keypoints = list(_pick_slots([*person.keypoints, 0, UNLABELLED]))
    flags = [COCO_FLAG[flag] for flag in keypoints[2::3]]
    keypoints[2::3] = flags
    for slot, flag in enumerate(flags):
        if not flag:
            keypoints[3 * slot] = keypoints[3 * slot + 1] = 0
    x0, y0, x1, y1 = person.box
    return {
        "num_keypoints": NECKHEAD.num_joints - flags.count(0),
        "image_id": image_number,
        "id": number,
        "category_id": CATEGORY["id"],
        "keypoints": keypoints,
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "area": (x1 - x0) * (y1 - y0),
        "iscrowd": 0,
        "segmentation": [[x0, y0, x1, y0, x1, y1, x0, y1]],
    }


def coco_image(record: Record, file_name: str, size: tuple[int, int], number: int) -> dict:
    """The COCO entry of one image; size = (height, width)."""
    return {"license": 0, "file_name": file_name, "width": size[1], "height": size[0], "data_captured": 0,
            "coco_url": record.url, "flickr_url": record.url, "id": number}  # fmt: skip


class Summary(NamedTuple):
    """What was written, and what was left out."""

    images: int
    people: int
    flags: Counter
    faults: Faults


def print_summary(summary: Summary, source: str | os.PathLike, out: str | os.PathLike) -> None:
    """Print what a user wants to know about a converted file."""
    print(f"images     {summary.images}")
    print(f"people     {summary.people}")
    print(
        f"keypoints  {summary.flags[VISIBLE]} visible, {summary.flags[HIDDEN]} hidden, "
        f"{summary.flags[UNLABELLED]} not labelled"
    )
    summary.faults.warn(source)
    print(f"written    {out}")


def convert(keypoint_json: str | os.PathLike, img_dir: str | os.PathLike, out: str | os.PathLike) -> Summary:
    """Write the COCO form of an AIC file, whole or not at all. Raises InputError when nothing is usable.

    The annotations are written as they come and the images, which need less room, after them.
    """
    source = AnnotationFile(keypoint_json)
    faults, flags, images, num_people = source.faults, Counter(), [], 0
    found = tqdm(source.with_images(img_dir), total=source.count(), unit=" images", disable=None, delay=2)
    with no_garbage_collection(), atomic_path(out) as temporary, open(temporary, "w", encoding="ascii") as file:
        file.write(_encode(HEAD)[:-1] + ',"annotations":[')
        for record, name in found:
            try:
                size = read_image_size(os.path.join(img_dir, name))
            except InputError as error:
                faults.add("records whose image cannot be read", str(error))
                continue
            if record.people:
                people = coco_annotations(record, len(images), num_people)
                file.write("," * bool(num_people) + _encode(people)[1:-1])
            images.append(_encode(coco_image(record, name, size, len(images))))
            num_people += len(record.people)
            flags.update(chain.from_iterable(person.keypoints[2::3] for person in record.people))
        if not images:
            raise InputError(f"{keypoint_json}: no record can be used{faults.reasons()}; images: {img_dir}")
        file.write('],"images":[' + images[0])
        file.writelines("," + part for part in images[1:])
        file.write("]}\n")
    return Summary(len(images), num_people, flags, faults)
