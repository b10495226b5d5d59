"""One training sample: decode, crop, resize, mirror, and the weights of its cells.

The order and every rounding are the original's: the image is resized first and mirrored after, joints are
mirrored in the unscaled image and scaled after.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from dataset.pose_dataset import PoseDataset, Sample
from util.errors import InputError
from util.images import read_image, scale_image
from util.maps import map_size


class Prepared(NamedTuple):
    """A sample as the network gets it.

    image: (H, W, 3) uint8; people: (P, J, 3) float32 x, y, flag in pixels of that image
    weight: (rows, cols) float32 of `map_size`, 0 inside ignore regions; scale: image pixels to these
    """

    image: np.ndarray
    people: np.ndarray
    weight: np.ndarray
    scale: float


def fitting_scale(size: tuple[int, int], scale: float, max_input_size: int) -> float:
    """`scale`, reduced so far that height x width stays within the square of `max_input_size`."""
    height, width = size
    return min(scale, max_input_size / (height * width) ** 0.5)


def prepare(dataset: PoseDataset, sample: Sample, scale: float, mirror: bool) -> Prepared:
    """Read and transform one sample. Raises InputError when its image is unusable."""
    cfg = dataset.cfg
    image = read_image(sample.image)
    if sample.size not in (None, image.shape[:2]):
        raise InputError(f"{sample.image}: {image.shape[1]}x{image.shape[0]} pixels, but the annotations are for "
                         f"{sample.size[1]}x{sample.size[0]}")  # fmt: skip
    try:
        mask = ignore_mask(sample.ignore, image.shape[:2]) if len(sample.ignore) else None
    except InputError as error:
        raise InputError(f"{sample.image}: {error}") from error
    people = sample.people.astype(np.float64)
    if cfg.crop and len(people):
        window = crop_window(sample, image.shape[:2], cfg.crop_pad)
        image, mask = image[window], mask if mask is None else mask[window]
        people[..., :2] -= window[1].start, window[0].start
    scale = fitting_scale(image.shape[:2], scale, cfg.max_input_size)
    scaled = scale_image(image, scale)
    if mirror:
        # Pillow does this in a quarter of the time numpy takes for a copy with a negative stride.
        scaled = np.asarray(ImageOps.mirror(Image.fromarray(scaled)))
        people = dataset.mirror_people(people, image.shape[1])
        mask = mask if mask is None else mask[:, ::-1]
    people[..., :2] *= scale
    weight = cell_weights(mask, map_size(*scaled.shape[:2], cfg.stride))
    return Prepared(scaled, people.astype(np.float32), weight, scale)


def crop_window(sample: Sample, size: tuple[int, int], pad: int) -> tuple[slice, slice]:
    """Rows and columns of the image around all labelled joints and boxes, `pad` pixels wider on each side."""
    points = [sample.people[sample.people[..., 2] > 0][:, :2]]
    if sample.boxes is not None:
        points.append(sample.boxes.reshape(-1, 2))
    points = np.concatenate(points)
    height, width = size
    x0, y0 = np.maximum(np.floor(points.min(axis=0)).astype(int) - pad, 0)
    x1, y1 = np.ceil(points.max(axis=0)).astype(int) + pad + 1
    # At least one pixel, also when everything lies outside of the image.
    x0, y0 = min(x0, width - 1), min(y0, height - 1)
    return slice(y0, min(max(y1, y0 + 1), height)), slice(x0, min(max(x1, x0 + 1), width))


def ignore_mask(regions, size: tuple[int, int]) -> np.ndarray:
    """(height, width) uint8, 1 inside any of `regions` (COCO segmentations). Raises InputError for a broken one."""
    from pycocotools import mask as coco_mask

    reach = 2 * max(size)  # pycocotools walks along every edge, however far outside it leads
    result = np.zeros(size, np.uint8)
    for region in regions:
        if isinstance(region, dict):
            result |= _decode_rle(region["counts"], size)
        else:
            codes = coco_mask.frPyObjects([np.clip(polygon, -reach, reach) for polygon in region], *size)
            result |= coco_mask.decode(coco_mask.merge(codes))
    return result


def _decode_rle(counts: list[int] | str, size: tuple[int, int]) -> np.ndarray:
    """(height, width) uint8 from runs of 0 and 1 by turns, down the columns; a text is compressed.

    Here and not by pycocotools, which writes beyond its memory when the runs are broken.
    """
    runs = np.asarray(_uncompress(counts) if isinstance(counts, str) else counts, np.int64)
    if (runs < 0).any() or runs.sum() != size[0] * size[1]:
        raise InputError("an ignore region's RLE does not fit the image")
    values = np.arange(len(runs), dtype=np.uint8) % 2
    return np.repeat(values, runs).reshape(size[::-1]).T


def _uncompress(text: str) -> list[int]:
    """The runs in COCO's compressed form: 5 bits a character, a sixth if more follow, lowest bits first.

    From the fourth run on, the difference to the run two before is stored.
    """
    runs, value, shift = [], 0, 0
    for character in text:
        bits = ord(character) - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if shift > 40 or not 0 <= bits < 64:
            raise InputError("an ignore region's RLE is broken")
        if not bits & 0x20:
            if bits & 0x10:
                value -= 1 << shift
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value, shift = 0, 0
    return runs


def cell_weights(mask: np.ndarray | None, cells: tuple[int, int]) -> np.ndarray:
    """(rows, cols) float32: 1, but 0 where the 0/1 mask, resized to the cells and rounded, is 1."""
    if mask is None:
        return np.ones(cells, np.float32)
    resized = Image.fromarray(np.ascontiguousarray(mask)).resize(cells[::-1], Image.Resampling.BILINEAR)
    return 1 - np.asarray(resized, np.float32)
