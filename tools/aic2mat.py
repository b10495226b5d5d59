"""Cut people out of AI Challenger (AIC) data for single-person training, in the layout of MPII's crops.

    python tools/aic2mat.py --keypoint_json annotations.json --img_dir images --out_dir cropped

writes a PNG for each person and cropped/dataset.mat with MPII's 14 joints (dataset_type: mpii): neck as chin, head top
as forehead. AIC has no rectangles of heads: a person's height is estimated from the lengths of its limbs.
"""

try:
    from util.cli import parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

import re
from pathlib import Path

import numpy as np

from dataset.aic import AnnotationFile, people_array
from dataset.crops import Person, write_crops
from dataset.skeleton import AIC, MPII
from util.files import unused_name

# Lengths of segments relative to the body's height (Drillis and Contini, 1966; head and neck: from the shoulders up).
SEGMENTS = {
    ("neck", "head_top"): 0.182,
    ("shoulder", "elbow"): 0.186,
    ("elbow", "wrist"): 0.146,
    ("shoulder", "hip"): 0.288,
    ("hip", "knee"): 0.245,
    ("knee", "ankle"): 0.246,
}
# Foreshortening only shortens segments, but labels err both ways, so the longest one is not the best estimate.
PERCENTILE = 75
HEADS_PER_HEIGHT = 8


def main(argv: list[str] | None = None) -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--keypoint_json", required=True, type=Path, help="AIC annotations")
    arguments.add_argument("--img_dir", required=True, type=Path, help="folder of the images <image_id>.jpg")
    arguments.add_argument("--out_dir", required=True, type=Path, help="folder of the crops and dataset.mat")
    options = arguments.parse_args(argv)

    source, taken = AnnotationFile(options.keypoint_json), set()
    images = [
        (options.img_dir / name, people_of(record, source.faults, taken))
        for record, name in source.with_images(options.img_dir)
    ]
    count = write_crops(images, options.out_dir, source.faults)
    source.faults.warn(options.keypoint_json)
    print(f"{len(images)} images, {count} people written to {options.out_dir / 'dataset.mat'}")


def people_of(record, faults, taken: set[str]) -> list:
    """The people of an AIC record (dataset.crops.Person), under names that are not `taken` yet."""
    people = []
    for person, keypoints in zip(record.people, people_array([p.keypoints for p in record.people]), strict=True):
        keypoints[:, :2] += 0.5  # from the centre of the first pixel to its corner
        height = body_height(keypoints)
        if height is None:
            faults.add("people without two joints of one limb", f"{record.image_id} {person.name}")
            continue
        joints = np.empty((MPII.num_joints, 3))
        joints[list(MPII.to_aic)] = keypoints
        points = keypoints[keypoints[:, 2] > 0, :2]
        name = unused_name(re.sub(r"[^\w.-]", "_", f"{record.image_id}_{person.name}"), taken)
        people.append(Person(name, joints, points, height / HEADS_PER_HEIGHT, alone=len(record.people) == 1))
    return people


def body_height(keypoints: np.ndarray) -> float | None:
    """Height in pixels of a person (14, 3) x, y, flag of AIC's joints; None if no segment is labelled."""
    joint = dict(zip(AIC.keypoints, keypoints, strict=True))
    heights = []
    for (first, second), part in SEGMENTS.items():
        for side in ("left_", "right_") if f"left_{first}" in joint else ("",):
            a, b = joint[side + first], joint[side + second]
            if a[2] and b[2]:
                heights.append(np.hypot(*(a - b)[:2]) / part)
    heights = [height for height in heights if height > 0]
    return float(np.percentile(heights, PERCENTILE)) if heights else None


if __name__ == "__main__":
    run(main)
