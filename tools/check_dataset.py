"""Report what is wrong with an annotation file, COCO's or AI Challenger's (AIC).

    python tools/check_dataset.py annotations.json
    python tools/check_dataset.py annotations.json --img_dir images --decode
    python tools/check_dataset.py annotations.json --all

Training and all tools leave out what is "left out", and correct what is "corrected", with a warning; what is "suspect"
is used as it is, but worth a look. It shows three examples of each kind, or all with --all.
Exit status: 0 if nothing is left out or corrected, 1 if anything is, 2 if the file as a whole cannot be used.
"""

try:
    from util.cli import parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from dataset.aic import AnnotationFile, people_array
from dataset.coco import read_coco
from util.errors import InputError
from util.faults import CORRECTED, EXAMPLES, LEFT_OUT, SUSPECT, Faults
from util.files import require_folder
from util.images import FileLister, read_image, read_image_size
from util.report import table

# Joints and boxes may end a pixel beyond the last one: some tools count the pixels' outer edges.
MARGIN = 1.0


class Image(NamedTuple):
    """An image, as both formats describe it.

    name: file name, perhaps without suffix; size: (height, width) in the annotations, or None;
    people: (name in messages, keypoints (J, 3) with flag > 0 where labelled, box x0, y0, x1, y1) of each person
    """

    name: str
    size: tuple[int, int] | None
    people: list[tuple[str, np.ndarray, np.ndarray]]


def aic_images(path: Path, faults: Faults) -> Iterator[Image]:
    """The usable records of an AIC file."""
    for record in AnnotationFile(path, faults):
        people = []
        for person, joints in zip(record.people, people_array([p.keypoints for p in record.people]), strict=True):
            where = f"{record.image_id} {person.name}"
            if joints[joints[:, 2] == 0, :2].any():
                faults.add("people with a place for a joint that is not labelled", where, effect=SUSPECT)
            people.append((where, joints, np.array(person.box, np.float64)))
        yield Image(record.image_id, None, people)


def coco_images(path: Path, faults: Faults) -> Iterator[Image]:
    """The usable images of a COCO file."""
    coco = read_coco(path, faults)
    annotations = coco.annotations
    without = np.flatnonzero(np.isnan(annotations.area))
    faults.add_many(
        "annotations without area, that of the box is taken",
        len(without),
        map(annotations.place, without.tolist()),
        SUSPECT,
    )
    for name, size, rows in zip(coco.images.names, coco.images.sizes.tolist(), coco.by_image(), strict=True):
        if not size[0]:
            faults.add("images without height and width", name, effect=SUSPECT)
        people = [
            (f"{name} {annotations.place(row)}", annotations.keypoints[row], annotations.boxes[row])
            for row in rows[~annotations.crowd[rows]].tolist()
        ]
        yield Image(name, tuple(size) if size[0] else None, people)


class ImageFolder:
    """Looks up images and reads their size, or all their pixels."""

    def __init__(self, folder: Path, decode: bool):
        require_folder(folder)
        self.folder, self.decode, self.files = folder, decode, FileLister()

    def size(self, image: Image, faults: Faults) -> tuple[int, int] | None:
        """(height, width) of the image file; None, with a fault, if it is missing, broken or of another size."""
        path = self.files.find_image(image.name, self.folder)
        if path is None:
            faults.add("images that are not on disk", image.name)
            return None
        try:
            size = read_image(path).shape[:2] if self.decode else read_image_size(path)
        except InputError as error:
            faults.add("images that cannot be read", error)
            return None
        if image.size and tuple(image.size) != size:
            faults.add("images of another size than the annotations say", image.name, effect=SUSPECT)
        return size


def check_people(image: Image, size: tuple[int, int] | None, faults: Faults) -> list[int]:
    """Note faults of the people in one image; returns how many labelled joints each has."""
    labelled, seen = [], set()
    edge = (np.inf, np.inf) if size is None else (size[1] + MARGIN, size[0] + MARGIN)
    for where, joints, box in image.people:
        joints = joints[joints[:, 2] > 0, :2]
        labelled.append(len(joints))
        if not ((joints >= -MARGIN) & (joints <= edge)).all():
            faults.add("people with a joint outside the image", where, effect=SUSPECT)
        if len(joints) and not ((joints >= box[:2]) & (joints <= box[2:])).all(axis=1).any():
            faults.add("people with no joint in their box", where, effect=SUSPECT)
        if (box < -MARGIN).any() or (box[2:] > edge).any():
            faults.add("people whose box leaves the image", where, effect=SUSPECT)
        if len(np.unique(joints, axis=0)) < len(joints):
            faults.add("people with two joints in one place", where, effect=SUSPECT)
        key = joints.tobytes()
        if len(joints) and key in seen:
            faults.add("people with the joints of another one", where, effect=SUSPECT)
        seen.add(key)
    return labelled


def check(path: Path, folder: ImageFolder | None, faults: Faults) -> list[list]:
    """Check a whole file; returns its contents as rows for a table. Raises InputError if it is unusable."""
    images = aic_images(path, faults) if is_aic(path) else coco_images(path, faults)
    counts = {"images": 0, "people": 0, "people without a labelled joint": 0, "labelled joints": 0}
    for image in tqdm(images, unit=" images", disable=None, delay=2):
        size = folder.size(image, faults) if folder else image.size
        if folder and size is None:
            continue
        labelled = check_people(image, size, faults)
        counts["images"] += 1
        counts["people"] += len(labelled)
        counts["people without a labelled joint"] += labelled.count(0)
        counts["labelled joints"] += sum(labelled)
    if not counts["images"]:
        raise InputError(f"{path}: none of its images can be used{faults.reasons()}")
    return [list(row) for row in counts.items()]


def is_aic(path: Path) -> bool:
    """AIC files are a JSON list, COCO files an object."""
    try:
        with open(path, "rb") as file:
            return file.read(1000).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def main(argv=None):
    args_parser = parser(__doc__)
    args_parser.add_argument("annotations", type=Path, help="annotation file")
    args_parser.add_argument("--img_dir", type=Path, help="also look for the images in this folder, and at their size")
    args_parser.add_argument("--decode", action="store_true", help="also decode the images, to find damaged ones")
    args_parser.add_argument("--all", action="store_true", help="show every fault, not only three of each kind")
    args = args_parser.parse_args(argv)
    if args.decode and not args.img_dir:
        raise InputError("--decode needs --img_dir, the folder of the images")
    faults = Faults(keep=None if args.all else EXAMPLES)
    try:
        rows = check(args.annotations, args.img_dir and ImageFolder(args.img_dir, args.decode), faults)
    finally:
        print_faults(faults)
    print(table(["usable", "count"], rows))
    return 1 if {LEFT_OUT, CORRECTED} & set(faults.effects.values()) else 0


def print_faults(faults: Faults) -> None:
    """Every fault where all have been kept, and a line for each kind."""
    if faults.keep is None:
        for kind, effect in faults.effects.items():
            for fault in faults.examples(kind):
                print(f"{effect}: {kind}: {fault}")
    for line in faults.lines():
        print(line)


if __name__ == "__main__":
    run(main)
