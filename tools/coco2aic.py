"""Convert COCO keypoint annotations to AI Challenger's (AIC) format.

    python tools/coco2aic.py --coco_json coco_art_neckhead_annotations.json --out annotations.json

What tools/ai2coco_art_neckhead_json.py made comes back as it was: integers, flags, boxes, names of the people. Joints
are found by their names, so that any skeleton can be converted; what AIC has and the skeleton lacks (COCO: neck and
head top) is not labelled. Crowds are no people and are left out.
"""

from util.cli import parser, run

import os
from collections import Counter
from pathlib import Path

from dataset.aic_to_coco import Summary, print_summary
from dataset.flags import AIC_FLAG, UNLABELLED
from dataset.skeleton import AIC
from util.errors import InputError
from util.faults import Faults
from util.files import write_json
from util.images import IMAGE_SUFFIXES
from util.mscoco_util import read_coco


def aic_keypoints(keypoints: list, joints: list[int | None]) -> list:
    """A person's 42 numbers from COCO's 3J; joints: which of the J each AIC joint is, None = missing."""
    values = []
    for joint in joints:
        x, y, flag = (0, 0, 0) if joint is None else keypoints[3 * joint : 3 * joint + 3]
        values += [x, y, AIC_FLAG[flag]] if flag else [0, 0, UNLABELLED]
    return values


def aic_record(image: dict, annotations: list[dict], joints: list[int | None]) -> dict:
    """The AIC record of one image and its people."""
    name, suffix = os.path.splitext(image["file_name"])
    url = image.get("coco_url")
    record = {"url": url if _is_text(url) else "", "keypoint_annotations": {}, "human_annotations": {},
              "image_id": name if suffix.lower() in IMAGE_SUFFIXES else image["file_name"]}  # fmt: skip
    for annotation in annotations:
        human = _free_name(annotation.get("human"), record["keypoint_annotations"])
        x, y, width, height = annotation["bbox"]
        record["keypoint_annotations"][human] = aic_keypoints(annotation["keypoints"], joints)
        record["human_annotations"][human] = [x, y, x + width, y + height]
    return record


def _free_name(wanted, taken: dict) -> str:
    """The name that the annotation brought along, else the first humanN from the next number on that is free."""
    if _is_text(wanted) and wanted not in taken:
        return wanted
    number = len(taken) + 1
    while f"human{number}" in taken:
        number += 1
    return f"human{number}"


def _is_text(value) -> bool:
    """A text that can be written: half a surrogate pair, as JSON may hold, is not printable."""
    return isinstance(value, str) and value.isprintable()


def convert(coco_json: str | os.PathLike, out: str | os.PathLike) -> tuple[Summary, list[str]]:
    """Write the AIC form of a COCO file, whole or not at all; returns which AIC joints it lacks, too.

    Raises InputError when nothing is usable.
    """
    faults = Faults()
    coco = read_coco(coco_json, faults)
    names = next(iter(coco.categories.values()))["keypoints"]
    joints = [names.index(name) if name in names else None for name in AIC.keypoints]
    missing = [name for name, joint in zip(AIC.keypoints, joints, strict=True) if joint is None]
    if len(missing) == len(joints):
        raise InputError(f"{coco_json}: none of its joints is one of AIC's ({', '.join(AIC.keypoints)})")
    people = {image_id: [] for image_id in coco.images}
    for annotation in coco.annotations:
        if annotation["iscrowd"]:
            faults.add("crowds", f"annotation {annotation['id']}")
        else:
            people[annotation["image_id"]].append(annotation)
    records = [aic_record(coco.images[image_id], some, joints) for image_id, some in people.items()]
    write_json(out, records)
    everybody = [person for record in records for person in record["keypoint_annotations"].values()]
    flags = Counter(flag for person in everybody for flag in person[2::3])
    return Summary(len(records), len(everybody), flags, faults), missing


def main(argv=None):
    args_parser = parser(__doc__)
    args_parser.add_argument("--coco_json", required=True, type=Path, help="COCO annotations")
    args_parser.add_argument("--out", required=True, type=Path, help="AIC file to write")
    args = args_parser.parse_args(argv)
    if args.out.resolve() == args.coco_json.resolve():
        raise InputError(f"{args.out}: --out must not be the file that is converted")
    summary, missing = convert(args.coco_json, args.out)
    if missing:
        print(f"missing    {', '.join(missing)}: not in the skeleton, never labelled")
    print_summary(summary, args.coco_json, args.out)


if __name__ == "__main__":
    run(main)
