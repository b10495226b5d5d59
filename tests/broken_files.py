"""Broken and unusual files, made here or in the test data, and the outcome expected of each."""

import functools
import io
import json
import operator
import re
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from dataset.skeleton import COCO

ERROR, SKIP, ACCEPT = "error", "skip with warning", "accept"
IMAGE_SIZE = 64, 48  # width, height
KEYPOINTS, BOXES = "keypoint_annotations", "human_annotations"

Edit = Callable[[Any], None]


class BrokenFile(NamedTuple):
    """A file, the outcome expected if it is the only input, and how much of it is usable.

    images: the folder of the images that it names; records, people: how many are usable, crowds not counted;
        size: (height, width) of an image
    """

    path: Path
    expected: str
    images: Path | None = None
    records: int | None = None
    people: int | None = None
    size: tuple[int, int] | None = None


class BrokenFiles(NamedTuple):
    """The files by kind, and good ones beside them."""

    aic: list[BrokenFile]
    coco: list[BrokenFile]
    images: list[BrokenFile]
    good_aic: Path
    good_coco: Path
    good_image: Path


class Case(NamedTuple):
    """A fault in a JSON file: the outcome expected, the edits that make it, and the usable records and people."""

    expected: str
    edits: Sequence[Edit] = ()
    records: int | None = None
    people: int | None = None


def put(value: Any, *place: str | int) -> Edit:
    """An edit that sets a value; `place`: the keys and indices that lead to it."""
    *way, last = place
    return lambda document: operator.setitem(_at(document, way), last, value)


def remove(*place: str | int) -> Edit:
    """An edit that removes the value in this place."""
    *way, last = place
    return lambda document: operator.delitem(_at(document, way), last)


def append(value: Any, *place: str | int) -> Edit:
    """An edit that appends to the list in this place."""
    return lambda document: _at(document, place).append(value)


def _at(document, way):
    return functools.reduce(operator.getitem, way, document)


def labelled_joint(joint: int, person: int = 0) -> tuple[int, int, int]:
    """x, y, flag, which differ from person to person.

    Consecutive joints are far apart, so that crops, which are scaled by the head, stay small.
    """
    return 5 + 29 * joint % 50 + person, 4 + 17 * joint % 36, 1 + joint % 2


def aic_record(image_id: str) -> dict:
    """Three people with all joints."""
    humans = [f"human{number}" for number in (1, 2, 3)]
    person = [x for joint in range(14) for x in labelled_joint(joint)]
    points, boxes = {human: list(person) for human in humans}, {human: [2, 2, 50, 40] for human in humans}
    return {"image_id": image_id, "url": "", KEYPOINTS: points, BOXES: boxes}


def aic_document() -> list[dict]:
    return [aic_record(image_id) for image_id in "abc"]


AIC_CASES = {
    "record_not_object": Case(SKIP, [put("text", 0), append(7), append(None)], 2, 6),
    "missing_keypoint_annotations": Case(SKIP, [remove(1, KEYPOINTS)], 2, 6),
    "missing_image_id": Case(SKIP, [remove(0, "image_id")], 2, 6),
    "wrong_keypoint_length": Case(
        SKIP, [put([1] * length, row, KEYPOINTS, "human1") for row, length in enumerate((41, 45, 0))], 3, 6),
    "nan_infinity": Case(
        SKIP, [put(float(x), row, KEYPOINTS, "human2", 3) for row, x in enumerate(("nan", "inf", "-inf"))], 3, 6),
    "box_negative_corner": Case(ACCEPT, [put([-40, -25, 50, 40], 0, BOXES, "human1")], 3, 9),
    # Labelled people are kept, with the box of their joints.
    "box_negative_size": Case(
        SKIP, [put([50, 40, 2, 2], 0, BOXES, "human1"), put([-9, -9, -5, -5], 1, BOXES, "human1")], 3, 9),
    "box_zero_area": Case(SKIP, [put([5, 5, 5, 5], 0, BOXES, "human1")], 3, 9),
    "box_wrong_length": Case(SKIP, [put([1, 2, 3], 0, BOXES, "human1")], 3, 9),
    "human_without_box": Case(SKIP, [remove(0, BOXES, "human1")], 3, 9),
    "box_without_human": Case(SKIP, [put([1, 2, 3, 4], 0, BOXES, "human4")], 3, 9),
    "duplicate_image_id": Case(SKIP, [append(aic_record("a"))], 3, 9),
    # Only the joint is left out.
    "visibility_7": Case(SKIP, [put(7, 0, KEYPOINTS, "human1", 2)], 3, 9),
    "huge_numbers": Case(
        SKIP, [put(1e308, 0, KEYPOINTS, "human1", 0), put(10**400, 1, KEYPOINTS, "human1", 0)], 3, 7),
    "wrong_number_types": Case(
        SKIP, [put("x", 0, KEYPOINTS, "human1", 0), put(None, 1, KEYPOINTS, "human1", 0)], 3, 7),
    "empty_list": Case(ERROR, [list.clear]),
    "images_missing_on_disk": Case(SKIP, [append(aic_record("d")), append(aic_record("e"))], 3, 9),
    "all_images_missing_on_disk": Case(ERROR, [put(f"d{row}", row, "image_id") for row in range(3)]),
    "image_id_path": Case(SKIP, [append(aic_record("../../a"))], 3, 9),
    "person_no_labelled_joint": Case(ACCEPT, [put([0, 0, 3] * 14, 0, KEYPOINTS, "human1")], 3, 9),
    "record_without_people": Case(ACCEPT, [put({}, 0, KEYPOINTS), put({}, 0, BOXES)], 3, 6),
}  # fmt: skip


def coco_person(number: int, image: int, labelled: int = 17) -> dict:
    """A person with `labelled` joints of 17."""
    keypoints = [x for joint in range(labelled) for x in labelled_joint(joint, number)]
    return {"id": number, "image_id": image, "category_id": 1, "keypoints": keypoints + [0] * 3 * (17 - labelled),
            "num_keypoints": labelled, "bbox": [2, 2, 55, 44], "area": 1200, "iscrowd": 0,
            "segmentation": [[2, 2, 57, 2, 57, 46, 2, 46]]}  # fmt: skip


def coco_document() -> dict:
    """Two images with two people each, of whom one has no labelled joint."""
    width, height = IMAGE_SIZE
    images = [{"id": id_, "file_name": f"{id_}.jpg", "width": width, "height": height} for id_ in (1, 2)]
    people = coco_person(1, 1), coco_person(2, 1, labelled=9), coco_person(3, 2), coco_person(4, 2, labelled=0)
    category = {"id": 1, "name": "person", "keypoints": list(COCO.keypoints), "skeleton": [[16, 14], [14, 12]]}
    return {"images": images, "annotations": list(people), "categories": [category]}


COCO_CASES = {
    "no_categories": Case(ERROR, [remove("categories")]),
    "annotation_missing_image": Case(SKIP, [put(9, "annotations", 1, "image_id")], people=3),
    "wrong_keypoint_count": Case(
        SKIP, [put([1, 1, 2] * (16 + 2 * row), "annotations", row, "keypoints") for row in (0, 1)], people=2
    ),
    "crowd_rle": Case(
        ACCEPT,
        [append({"id": 5, "image_id": 1, "category_id": 1, "iscrowd": 1, "keypoints": [0] * 51, "num_keypoints": 0,
                 "bbox": [0, 0, 64, 10], "area": 640,
                 "segmentation": {"size": [48, 64], "counts": [0, *[10, 38] * 64]}}, "annotations")],
        people=4,
    ),
    "polygon_2_points": Case(SKIP, [put([[1, 2, 3, 4]], "annotations", 0, "segmentation")], people=4),
    "zero_area": Case(SKIP, [put([5, 5, 0, 0], "annotations", 0, "bbox"), put(0, "annotations", 0, "area")], people=4),
    "duplicate_annotation_id": Case(SKIP, [put(1, "annotations", 1, "id")], people=3),
    "empty_lists": Case(ERROR, [put([], "images"), put([], "annotations")]),
    "empty_object": Case(ERROR, [dict.clear]),
    "image_missing_on_disk": Case(
        SKIP, [append({"id": 3, "file_name": "3.jpg", "width": 64, "height": 48}, "images"),
               append(coco_person(5, 3), "annotations")], people=4
    ),
}  # fmt: skip


# How files that are no annotations are made from a good one.
TEXT_CASES = {
    "top_level_text": lambda good: b'"text"',
    "truncated": lambda good: good[: 2 * len(good) // 3],
    "zero_byte": lambda good: b"",
    "non_utf8": lambda good: good.replace(b'"', b'"\xc4\xe3\xff\xfe', 1),
}


IMAGE_SIZES = {"one_pixel.png": (1, 1), "wide_6000x8.png": (8, 6000)}


def image_files() -> dict[str, tuple[str, bytes]]:
    """Broken and unusual images: expected outcome and content."""
    width, height = IMAGE_SIZE
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 4), np.uint8)
    color, gray = Image.fromarray(pixels[..., :3]), Image.fromarray(pixels[..., 0])
    turned = Image.Exif()
    turned[0x0112] = 6
    return {
        "truncated.jpg": (ERROR, _saved(color, "JPEG")[:-1000]),
        "zero_byte.jpg": (ERROR, b""),
        "text_file.jpg": (ERROR, b"no image"),
        "gray16.png": (ACCEPT, _saved(Image.fromarray(pixels[..., 0].astype(np.uint16) << 8), "PNG")),
        "cmyk.jpg": (ACCEPT, _saved(color.convert("CMYK"), "JPEG")),
        "gray8.jpg": (ACCEPT, _saved(gray, "JPEG")),
        "rgba.png": (ACCEPT, _saved(Image.fromarray(pixels), "PNG")),
        "animated.gif": (ACCEPT, _saved(color, "GIF", save_all=True, append_images=[gray.convert("RGB")])),
        "exif_rotated6.jpg": (ACCEPT, _saved(color.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=turned)),
        "one_pixel.png": (ACCEPT, _saved(Image.new("RGB", (1, 1)), "PNG")),
        "wide_6000x8.png": (ACCEPT, _saved(Image.new("L", (6000, 8), 99), "PNG")),
        "bomb_20000x20000.png": (ERROR, _saved(Image.new("1", (20_000, 20_000)), "PNG")),
        "bomb_header_only.png": (ERROR, _png_header(20_000, 20_000)),
    }


def _saved(image: Image.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _png_header(width: int, height: int) -> bytes:
    """A PNG of a single pixel whose header says that it has this size."""
    small = _saved(Image.new("RGB", (1, 1)), "PNG")
    chunk = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + small[24:29]
    return small[:12] + chunk + zlib.crc32(chunk).to_bytes(4, "big") + small[33:]


def make_broken_files(folder: Path) -> BrokenFiles:
    """Write all of them, and good ones, into an empty folder."""
    good_aic, good_coco = folder / "aic.json", folder / "coco.json"
    good_aic.write_text(json.dumps(aic_document()))
    good_coco.write_text(json.dumps(coco_document()))
    photos, pictures = folder / "photos", folder / "images"
    photos.mkdir()
    photo = Image.fromarray(np.random.default_rng(1).integers(0, 256, (*IMAGE_SIZE[::-1], 3), np.uint8))
    for name in "abc12":
        photo.save(photos / f"{name}.jpg")
    pictures.mkdir()
    images = []
    for name, (expected, content) in image_files().items():
        (pictures / name).write_bytes(content)
        size = IMAGE_SIZE[::-1] if expected == ACCEPT and name not in IMAGE_SIZES else IMAGE_SIZES.get(name)
        images.append(BrokenFile(pictures / name, expected, size=size))
    return BrokenFiles(
        _write_json_cases(folder / "broken_aic", aic_document, AIC_CASES, photos),
        _write_json_cases(folder / "broken_coco", coco_document, COCO_CASES, photos),
        images,
        good_aic,
        good_coco,
        pictures / "rgba.png",
    )


def _write_json_cases(folder, document, cases, images) -> list[BrokenFile]:
    folder.mkdir()
    files = []
    for name, case in cases.items():
        broken = document()
        for edit in case.edits:
            edit(broken)
        path = folder / f"{name}.json"
        path.write_text(json.dumps(broken))
        files.append(BrokenFile(path, case.expected, images, case.records, case.people))
    for name, damage in TEXT_CASES.items():
        path = folder / f"{name}.json"
        path.write_bytes(damage(json.dumps(document()).encode()))
        files.append(BrokenFile(path, ERROR, images))
    return files


def read_broken_files(data: Path) -> BrokenFiles:
    """The files of the test data, as their manifest describes them."""
    manifest = json.loads((data / "bad/manifest.json").read_text())["files"]
    kinds: dict[str, list[BrokenFile]] = {"aic_json": [], "coco_json": [], "image": []}
    for name, entry in manifest.items():
        # Where the manifest allows either, labelled people are kept.
        choice = re.search(r"joints?\b.*: (\d+)", str(entry.get("also_right")))
        people = int(choice[1]) if choice else entry.get("usable_people", entry.get("usable_annotations"))
        images = data / entry["images_dir"] if "images_dir" in entry else None
        size = (entry["height"], entry["width"]) if "width" in entry else None
        file = BrokenFile(data / "bad" / name, entry["expected"], images, entry.get("usable_records"), people, size)
        kinds[entry["kind"]].append(file)
    return BrokenFiles(
        *kinds.values(),
        data / "aic_sample/annotations.json",
        data / "coco_sample/annotations/person_keypoints_val2017.json",
        data / "bad/images/rgba.png",
    )
