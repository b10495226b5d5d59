"""Report what is wrong with an annotation file, COCO's or AI Challenger's (AIC), record by record.

    python tools/check_dataset.py annotations.json
    python tools/check_dataset.py annotations.json --img_dir images --decode

"unusable" is what the other tools leave out or correct, with a warning; "suspect" is used as it is, but worth a look.
Exit status: 0 nothing unusable, 1 something unusable, 2 the file as a whole cannot be used.
"""

from util.cli import parser, run

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dataset.aic import NUM_JOINTS, AnnotationFile
from dataset.flags import UNLABELLED
from dataset.pose_dataset import FileLister
from dataset.skeleton import from_category
from util.errors import InputError
from util.faults import Faults
from util.images import IMAGE_SUFFIXES, read_image, read_image_size
from util.mscoco_util import read_coco
from util.report import printable, table

# Joints and boxes may end a pixel beyond the last one: some tools count the pixels' outer edges.
MARGIN = 1.0


class Listed(Faults):
    """Prints each fault as it is found."""

    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind

    def add(self, kind: str, place: object, *rest) -> None:
        super().add(kind, place, *rest)
        print(f"{self.kind}: {printable(place)}: {kind}")


class Image(NamedTuple):
    """What both formats know of one image.

    name: file name, perhaps without suffix; size: (height, width) by the annotations, None if they do not tell;
    people: (name, keypoints (J, 3) with flag > 0 where labelled, box x0, y0, x1, y1) of each person
    """

    name: str
    size: tuple[int, int] | None
    people: list[tuple[str, np.ndarray, np.ndarray]]


def aic_images(path: Path, unusable: Faults, suspect: Faults) -> Iterator[Image]:
    """The usable records of an AIC file."""
    for record in AnnotationFile(path, unusable):
        people = []
        for person in record.people:
            joints = np.array(person.keypoints, np.float64).reshape(NUM_JOINTS, 3)
            off = joints[:, 2] == UNLABELLED
            if joints[off, :2].any():
                suspect.add("people with a place for a joint that is not labelled", f"{record.image_id} {person.name}")
            joints[:, 2] = ~off
            people.append((person.name, joints, np.array(person.box, np.float64)))
        yield Image(record.image_id, None, people)


def coco_images(path: Path, unusable: Faults) -> Iterator[Image]:
    """The usable images of a COCO file."""
    coco = read_coco(path, unusable)
    from_category(next(iter(coco.categories.values())), str(path))  # says what is wrong with the joints
    people = {image_id: [] for image_id in coco.images}
    for annotation in coco.annotations:
        if not annotation["iscrowd"]:
            x, y, width, height = annotation["bbox"]
            joints = np.array(annotation["keypoints"], np.float64).reshape(-1, 3)
            people[annotation["image_id"]].append(
                (f"annotation {annotation['id']}", joints, np.array([x, y, x + width, y + height]))
            )
    for image_id, entry in coco.images.items():
        size = entry.get("height"), entry.get("width")
        if not all(type(side) in (int, float) and side >= 1 for side in size):
            unusable.add("images without height and width", f"image {image_id}")
            size = None
        yield Image(entry["file_name"], size, people[image_id])


class ImageFolder:
    """Looks images up and reads their size, or all of them."""

    def __init__(self, folder: Path, decode: bool):
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder (--img_dir)")
        self.folder, self.decode, self.files = folder, decode, FileLister()

    def size(self, image: Image, unusable: Faults) -> tuple[int, int] | None:
        """(height, width) of the image file; None, and a note, if it is missing, broken or of another size."""
        base = os.path.join(self.folder, image.name)
        names = [base] if base.lower().endswith(tuple(IMAGE_SUFFIXES)) else []
        names += [base + suffix for suffix in (".jpg", *sorted(IMAGE_SUFFIXES))]
        path = next((name for name in names if name in self.files), None)
        if path is None:
            unusable.add("images that are not on disk", image.name)
            return None
        try:
            size = read_image(path).shape[:2] if self.decode else read_image_size(path)
        except InputError as error:
            unusable.add("images that cannot be read", error)
            return None
        if image.size and tuple(image.size) != size:
            unusable.add("images of another size than the annotations say", image.name)
        return size


def check_people(image: Image, size: tuple[int, int] | None, suspect: Faults) -> list[int]:
    """Note what looks odd about the people of one image; returns how many labelled joints each has."""
    labelled, seen = [], set()
    edge = (np.inf, np.inf) if size is None else (size[1] + MARGIN, size[0] + MARGIN)
    for name, joints, box in image.people:
        where = f"{image.name} {name}"
        joints = joints[joints[:, 2] > 0, :2]
        labelled.append(len(joints))
        if not ((joints >= -MARGIN) & (joints <= edge)).all():
            suspect.add("people with a joint outside the image", where)
        if len(joints) and not ((joints >= box[:2]) & (joints <= box[2:])).all(axis=1).any():
            suspect.add("people with no joint in their box", where)
        if (box < -MARGIN).any() or (box[2:] > edge).any():
            suspect.add("people whose box leaves the image", where)
        if len(np.unique(joints, axis=0)) < len(joints):
            suspect.add("people with two joints in one place", where)
        key = joints.tobytes()
        if len(joints) and key in seen:
            suspect.add("people with the joints of another one", where)
        seen.add(key)
    return labelled


def check(path: Path, folder: ImageFolder | None, unusable: Faults, suspect: Faults) -> list[list]:
    """Check a whole file; returns what it holds as rows for a table. Raises InputError when it is unusable."""
    from tqdm import tqdm

    images = aic_images(path, unusable, suspect) if is_aic(path) else coco_images(path, unusable)
    counts = {"images": 0, "people": 0, "people without a labelled joint": 0, "labelled joints": 0}
    for image in tqdm(images, unit=" images", disable=None, delay=2):
        size = folder.size(image, unusable) if folder else image.size
        if folder and size is None:
            continue
        labelled = check_people(image, size, suspect)
        counts["images"] += 1
        counts["people"] += len(labelled)
        counts["people without a labelled joint"] += labelled.count(0)
        counts["labelled joints"] += sum(labelled)
    if not counts["images"]:
        raise InputError(f"{path}: none of its images can be used")
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
    args = args_parser.parse_args(argv)
    if args.decode and not args.img_dir:
        raise InputError("--decode needs --img_dir, the folder of the images")
    unusable, suspect = Listed("unusable"), Listed("suspect")
    rows = check(args.annotations, args.img_dir and ImageFolder(args.img_dir, args.decode), unusable, suspect)
    rows = [["usable", *row] for row in rows]
    for notes in (unusable, suspect):
        rows += [[notes.kind, what, count] for what, count in notes.counts.items()]
    print(table(["", "what", "count"], rows))
    return 1 if unusable.counts else 0


if __name__ == "__main__":
    run(main)
