"""Convert AI Challenger (AIC) keypoint annotations to COCO's format, in the "neckhead" layout.

COCO's 17 slots: the neck in slot 0, the head top in slot 1, slots 2-4 never labelled, shoulders to ankles as in COCO.

    python tools/ai2coco_art_neckhead_json.py --keypoint_json annotations.json --img_dir images

writes coco_art_neckhead_annotations.json beside annotations.json.
"""

import json
import multiprocessing
import os
import signal
import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from dataset.aic import HIDDEN, NUM_VALUES, UNLABELLED, VISIBLE, AnnotationFile, Person, Record, skipped_reasons
from dataset.pose_dataset import FileLister, Skipped
from dataset.skeleton import NECKHEAD
from util.cli import parser, run
from util.errors import InputError
from util.files import atomic_path
from util.images import IMAGE_SUFFIXES, MAX_PIXELS, read_image_size

CHUNK = 256  # images whose sizes are read at a time by one process
# What COCO calls the flags: 2 visible, 1 labelled but hidden, 0 not labelled.
COCO_FLAG = {VISIBLE: 2, HIDDEN: 1, UNLABELLED: 0}
CATEGORY = {
    "id": 1,
    "name": "person",
    "supercategory": "person",
    "keypoints": list(NECKHEAD.keypoints),
    "skeleton": [[a + 1, b + 1] for a, b in NECKHEAD.limbs],
}
# The original writes an empty "neck", too.
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

    "human", the person's AIC name, stands there only where it is not simply the next one.
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


def image_sizes(paths: list[str]) -> list[tuple[int, int] | str]:
    """(height, width) of each image, from its header; where that cannot be read, the reason."""
    return [_jpeg_size(path) or _any_size(path) for path in paths]


def _any_size(path: str) -> tuple[int, int] | str:
    try:
        return read_image_size(path)
    except InputError as error:
        return str(error)


def _jpeg_size(path: str) -> tuple[int, int] | None:
    """(height, width) of a plain JPEG, a tenth of the time that an image library takes; None for all else.

    An EXIF header may rotate the image: also left to the library.
    """
    try:
        with open(path, "rb", buffering=4096) as file:
            return _walk_jpeg(file)
    except OSError:
        return None


def _walk_jpeg(file: BinaryIO) -> tuple[int, int] | None:
    if file.read(2) != b"\xff\xd8":
        return None
    while True:
        segment = file.read(9)
        if len(segment) < 9 or segment[0] != 0xFF:
            return None
        marker, length = segment[1], segment[2] << 8 | segment[3]
        # Start of frame, but not the tables that share its range.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = segment[5] << 8 | segment[6], segment[7] << 8 | segment[8]
            return (height, width) if 0 < height * width <= MAX_PIXELS else None
        exif = marker == 0xE1 and segment[4:8] == b"Exif"
        if exif or length < 7 or marker < 0xC0 or 0xD0 <= marker <= 0xDA:
            return None
        file.seek(length - 7, os.SEEK_CUR)


def _sized(images: Iterator[tuple[Record, str]], img_dir: Path) -> Iterator[tuple[Record, str, Any]]:
    """(record, file name, size or reason) of each (record, file name), in order; sizes are read by several processes.

    Few chunks are under way at a time, so that memory stays bounded.
    """
    chunks = iter(lambda: list(islice(images, CHUNK)), [])
    first = next(chunks, [])
    if len(first) < CHUNK:  # not worth starting processes
        yield from _join(first, image_sizes(_paths(first, img_dir)))
        return
    workers = os.cpu_count() or 1
    # Spawned, since the progress bar is a thread and threads do not survive a fork. Ctrl-C is for this process only.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as pool:
        pending = deque()
        for chunk in chain([first], chunks):
            pending.append((chunk, pool.submit(image_sizes, _paths(chunk, img_dir))))
            if len(pending) > 2 * workers:
                chunk, sizes = pending.popleft()
                yield from _join(chunk, sizes.result())
        for chunk, sizes in pending:
            yield from _join(chunk, sizes.result())


def _paths(chunk: list[tuple[Record, str]], img_dir: Path) -> list[str]:
    return [os.path.join(img_dir, name) for _, name in chunk]


def _join(chunk: list[tuple[Record, str]], sizes: list) -> Iterator[tuple[Record, str, Any]]:
    return ((record, name, size) for (record, name), size in zip(chunk, sizes, strict=True))


def _find_images(records: Iterable[Record], img_dir: Path, skipped: Skipped) -> Iterator[tuple[Record, str]]:
    """The records whose image is in the folder, with its file name: image_id.jpg, or another suffix."""
    files, suffixes = FileLister(), [".jpg", *sorted(IMAGE_SUFFIXES)]
    for record in records:
        base = os.path.join(img_dir, record.image_id)
        suffix = next((suffix for suffix in suffixes if base + suffix in files), None)
        if suffix is None:
            skipped.add("records whose image is not on disk", record.image_id)
        else:
            yield record, record.image_id + suffix


class Summary(NamedTuple):
    """What has been written, and what has not."""

    images: int
    people: int
    flags: Counter
    skipped: Skipped


def convert(keypoint_json: str | os.PathLike, img_dir: str | os.PathLike, out: str | os.PathLike) -> Summary:
    """Write the COCO form of an AIC file, whole or not at all. Raises InputError when nothing is usable.

    The annotations are written as they come and the images, which need less room, after them.
    """
    from tqdm import tqdm

    img_dir = Path(img_dir)
    if not img_dir.is_dir():
        raise InputError(f"{img_dir}: no such folder (--img_dir)")
    annotations = AnnotationFile(keypoint_json)
    skipped, flags, images, people = annotations.skipped, Counter(), [], 0
    records = tqdm(annotations, total=annotations.size_hint, unit=" images", disable=None, delay=2)
    with atomic_path(out) as temporary, open(temporary, "w", encoding="ascii") as file:
        file.write(_encode(HEAD)[:-1] + ',"annotations":[')
        for record, name, size in _sized(_find_images(records, img_dir, skipped), img_dir):
            if isinstance(size, str):
                skipped.add("records whose image cannot be read", size)
                continue
            entries = coco_annotations(record, len(images), people)
            images.append(_encode(coco_image(record, name, size, len(images))))
            if entries:
                file.write("," * bool(people) + _encode(entries)[1:-1])
            people += len(entries)
            flags.update(chain.from_iterable(person.keypoints[2::3] for person in record.people))
        if not images:
            raise InputError(f"{keypoint_json}: no record can be used{skipped_reasons(skipped)}; images: {img_dir}")
        file.write('],"images":[' + ",".join(images) + "]}\n")
    return Summary(len(images), people, flags, skipped)


def main(argv=None):
    args_parser = parser(__doc__)
    args_parser.add_argument("--keypoint_json", required=True, type=Path, help="AIC annotations")
    args_parser.add_argument("--img_dir", required=True, type=Path, help="folder of the images <image_id>.jpg")
    args_parser.add_argument("--out", type=Path, help="COCO file to write (coco_art_neckhead_<name> beside the input)")
    args = args_parser.parse_args(argv)
    out = args.out or args.keypoint_json.with_name(f"coco_art_neckhead_{args.keypoint_json.name}")
    if out.resolve() == args.keypoint_json.resolve():
        raise InputError(f"{out}: --out must not be the file that is converted")
    summary = convert(args.keypoint_json, args.img_dir, out)
    print(f"images     {summary.images}")
    print(f"people     {summary.people}")
    print(f"keypoints  {summary.flags[VISIBLE]} visible, {summary.flags[HIDDEN]} hidden, "
          f"{summary.flags[UNLABELLED]} not labelled")  # fmt: skip
    for what, count in summary.skipped.counts.items():
        print(f"skipped    {count} {what} (first: {str(summary.skipped.examples[what])[:200]})", file=sys.stderr)
    print(f"written    {out}")


if __name__ == "__main__":
    run(main)
