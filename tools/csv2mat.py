"""Turn joints labelled in a CSV table into a dataset.mat to train on.

    cd models/own
    python ../../tools/csv2mat.py --csv labels.csv --img_dir photos         # writes dataset.mat

The table has a line for each labelled joint: photo,person,joint,x,y, such as a.jpg,0,12,175,61. Photo names are paths
within --img_dir; people and joints count from 0, joints in the order of the skeleton in pose_cfg.yaml; x and y are
pixels from the photo's upper left corner. The first line may hold these five names.
"""

try:
    from util.cli import parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

import csv
import io
import os
from pathlib import Path

from dataset.pose_dataset import save_dataset_mat
from util.checks import MAX_COORDINATE
from util.errors import InputError
from util.faults import SUSPECT, Faults
from util.files import read_text, require_folder
from util.images import read_image_size
from util.report import printable

FIELDS = ["photo", "person", "joint", "x", "y"]
LAST_JOINT = 999

# Places by photo, person and joint id: x and y in pixels of the photo.
Labels = dict[str, dict[int, dict[int, tuple[float, float]]]]


def main(argv: list[str] | None = None) -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--csv", required=True, type=Path, help="table of the labels")
    arguments.add_argument("--img_dir", required=True, type=Path, help="folder of the photos")
    arguments.add_argument("--out", type=Path, default="dataset.mat", help="file to write (default: %(default)s)")
    options = arguments.parse_args(argv)

    labels, faults = read_labels(options.csv), Faults()
    require_folder(options.img_dir)
    records = dataset_records(labels, options.img_dir, options.out.parent, faults)
    faults.warn(options.csv)
    if not records:
        raise InputError(f"{options.csv}: none of its photos can be read{faults.reasons()}")
    save_dataset_mat(options.out, records)
    people = [person for _, _, people in records for person in people]
    print(f"{len(records)} photos, {len(people)} people, {sum(map(len, people))} joints written to {options.out}")


def read_labels(path: Path) -> Labels:
    """The labels of a table. Raises InputError that names the first bad line."""
    labels: Labels = {}
    lines = csv.reader(io.StringIO(read_text(path, "a table"), newline=None))
    try:
        for fields in lines:
            if fields and (lines.line_num > 1 or fields != FIELDS):
                _add_label(labels, fields)
    except (ValueError, csv.Error) as error:
        raise InputError(f"{path}: line {lines.line_num}: {error}") from error
    if not labels:
        raise InputError(f"{path}: no labels; expected a line {','.join(FIELDS)} for each joint")
    return labels


def _add_label(labels: Labels, fields: list[str]) -> None:
    """Add the label of a line. Raises ValueError that says what is wrong with it."""
    try:
        photo, person, joint, x, y = fields
        person, joint, place = int(person), int(joint), (float(x), float(y))
    except ValueError:
        raise ValueError(
            f"expected {','.join(FIELDS)}, such as a.jpg,0,12,175,61; found {printable(','.join(fields))}"
        ) from None
    if not all(abs(coordinate) < MAX_COORDINATE for coordinate in place):
        raise ValueError(f"x and y must be pixels of the photo; found {x},{y}")
    if not (0 <= joint <= LAST_JOINT and person >= 0):
        raise ValueError(f"people count from 0, joints from 0 to {LAST_JOINT}; found person {person}, joint {joint}")
    joints = labels.setdefault(photo, {}).setdefault(person, {})
    if joint in joints:
        raise ValueError(f"joint {joint} of person {person} in {printable(photo)} is labelled twice")
    joints[joint] = place


def dataset_records(labels: Labels, img_dir: Path, folder: Path, faults: Faults) -> list:
    """Records of `save_dataset_mat` for a file in `folder`, photos and people in the order of their names and numbers.

    faults: collects unreadable photos, which are left out, and joints outside their photos, which stay
    """
    records = []
    for photo, people in sorted(labels.items()):
        try:
            height, width = read_image_size(img_dir / photo)
        except InputError as error:
            faults.add("photos that cannot be read", error)
            continue
        for person, joints in people.items():
            for joint, (x, y) in joints.items():
                if not (0 <= x <= width and 0 <= y <= height):
                    faults.add("joints outside their photos", f"{photo} person {person} joint {joint}", effect=SUSPECT)
        rows = [[[joint, *place] for joint, place in sorted(joints.items())] for _, joints in sorted(people.items())]
        records.append((os.path.relpath(img_dir / photo, folder), (height, width), rows))
    return records


if __name__ == "__main__":
    run(main)
