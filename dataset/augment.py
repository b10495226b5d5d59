"""One training sample: decode, crop, resize, mirror, and the weights of its cells.

The order and every rounding are the original's: the image is resized, then mirrored; joints are mirrored in the
unscaled image, then scaled. What the original lacks (rotated windows, colours, mosaics) comes last.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from dataset.extent import joint_extent
from dataset.model_spec import ModelSpec
from dataset.pose_dataset import PoseDataset, Sample
from dataset.window import jitter_colors, random_window
from util.errors import InputError
from util.images import read_image
from util.maps import map_size
from util.view import View, fitting_scale


class Prepared(NamedTuple):
    """A sample as the network gets it.

    image: (H, W, 3) uint8; people: (P, J, 3) float32 x, y, flag in pixels of that image
    weight: (rows, cols) float32 of `map_size`, 0 inside ignore regions; scale: image pixels to these
    """

    image: np.ndarray
    people: np.ndarray
    weight: np.ndarray
    scale: float


def prepare(
    dataset: PoseDataset, spec: ModelSpec, sample: Sample, scale: float, mirror: bool, random=None, size=None
) -> Prepared:
    """Read and transform one sample for a model. Raises InputError when its image is unusable.

    random: a numpy Generator for what the original lacks: a window, rotation, colours; None for none of these
    size: (height, width) of the window, by default the square of `cfg.crop_size`, if that is set
    """
    cfg = dataset.cfg
    image, mask = _read(sample)
    window = slice(0, image.shape[0]), slice(0, image.shape[1])
    if cfg.crop and len(sample.people):
        window = crop_window(sample, image.shape[:2], cfg.crop_pad)
        mask = mask if mask is None else mask[window]
    rows, cols = window
    part = rows.stop - rows.start, cols.stop - cols.start
    scale = fitting_scale(part, scale, cfg.max_input_size)
    # As in the original, joints are scaled by the factor itself, although sides are whole pixels.
    view = View.scaled(part, scale, (cols.start, rows.start))._replace(factors=(scale, scale))
    people = sample.people.astype(np.float64)
    scaled = view.image(image)
    if mirror:
        # Pillow takes a quarter of the time that numpy takes for a copy with a negative stride.
        scaled = np.asarray(ImageOps.mirror(Image.fromarray(scaled)))
        view = view._replace(flip=scale * (part[1] - dataset.mirror_offset))
        people = people[:, dataset.skeleton.mirror_map]
        mask = mask if mask is None else mask[:, ::-1]
    people[..., :2] = np.where(people[..., 2:] > 0, view.points(people[..., :2]), 0)
    beside = beside_people(people, scaled.shape[:2]) if cfg.background_weight < 1 and len(people) else None
    if random is not None:
        scaled, mask, beside, people = _augment(cfg, spec.fill, (scaled, mask, beside, people), random, size)
    cells = map_size(*scaled.shape[:2], spec.stride)
    weight = cell_weights(mask, cells)
    if beside is not None:
        weight *= 1 - (1 - cfg.background_weight) * (1 - cell_weights(beside, cells))
    return Prepared(scaled, people.astype(np.float32), weight, scale)


def _read(sample):
    """The image and the mask of its ignore regions, or None without any."""
    image = read_image(sample.image)
    if sample.size not in (None, image.shape[:2]):
        raise InputError(
            f"{sample.image}: {image.shape[1]}x{image.shape[0]} pixels, but the annotations are for "
            f"{sample.size[1]}x{sample.size[0]}"
        )
    try:
        return image, ignore_mask(sample.ignore, image.shape[:2]) if len(sample.ignore) else None
    except InputError as error:
        raise InputError(f"{sample.image}: {error}") from error


def _augment(cfg, fill, view, random, size):
    """Image, mask, background and people of a random view: rotated, cropped, in other colours."""
    image, mask, beside, people = view
    if size is None and cfg.crop_size:
        size = cfg.crop_size, cfg.crop_size
    if size is not None or cfg.rotation:
        window = random_window(people, image.shape[:2], size, cfg.rotation, random)
        # Nobody is beyond the image: it counts as background, like the padding to whole cells at inference.
        if mask is not None:
            mask = window.cut(_resize_mask(mask, image.shape[:2]), 0, Image.Resampling.NEAREST)
        beside = beside if beside is None else window.cut(beside, 1, Image.Resampling.NEAREST)
        image = window.cut(image, fill, Image.Resampling.BILINEAR)
        people = _within(np.concatenate([window.move(people[..., :2]), people[..., 2:]], axis=2), window.size)
    if cfg.color_jitter:
        image = jitter_colors(image, cfg.color_jitter, random)
    return image, mask, beside, people


def _within(people, size):
    """The people, with joints outside a window of `size` unlabelled."""
    inside = ((people[..., :2] >= 0) & (people[..., :2] <= np.array(size[::-1]) - 1)).all(axis=2)
    return np.where(inside[..., None], people, 0)


def mosaic(parts: Sequence[Prepared], size: int, stride: int) -> Prepared:
    """One sample from four that fill the corners of a square: top left, top right, bottom left, bottom right.

    The parts' sides are multiples of 16 pixels, so that their cells are cells of the whole.
    """
    image = np.empty((size, size, 3), np.uint8)
    weight = np.empty(map_size(size, size, stride), np.float32)
    people = []
    for number, part in enumerate(parts):
        height, width = part.image.shape[:2]
        rows, cols = part.weight.shape
        top, left = (size - height) * (number >= 2), (size - width) * (number % 2)
        image[top : top + height, left : left + width] = part.image
        row, col = (weight.shape[0] - rows) * (number >= 2), (weight.shape[1] - cols) * (number % 2)
        weight[row : row + rows, col : col + cols] = part.weight
        moved = part.people + np.array([left, top, 0], np.float32) * (part.people[..., 2:] > 0)
        people.append(moved)
    # The discs of positive cells have one size per sample.
    scale = float(np.mean([part.scale for part in parts]))
    return Prepared(image, np.concatenate(people), weight, scale)


# How far from the box of the labelled joints a person may reach, as a share of its longer side.
PERSON_MARGIN = 0.2


def beside_people(people: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(height, width) uint8, 1 away from all labelled people, where others may be.

    people: (P, J, 3) x, y, flag in pixels of the image; each fills the box of its joints and a margin around it
    """
    low, high = joint_extent(people[(people[..., 2] > 0).any(axis=1)])
    margin = PERSON_MARGIN * (high - low).max(axis=1, keepdims=True)
    first = np.maximum(np.floor(low - margin), 0).astype(int)
    end = np.maximum(np.ceil(high + margin) + 1, 0).astype(int)
    beside = np.ones(size, np.uint8)
    for (x0, y0), (x1, y1) in zip(first, end, strict=True):
        beside[y0:y1, x0:x1] = 0
    return beside


def crop_window(sample: Sample, size: tuple[int, int], pad: int) -> tuple[slice, slice]:
    """Rows and columns of the image around all labelled joints and boxes, `pad` pixels wider on each side."""
    points = [sample.people[sample.people[..., 2] > 0][:, :2]]
    if sample.boxes is not None:
        points.append(sample.boxes.reshape(-1, 2))
    points = np.concatenate(points)
    height, width = size
    x0, y0 = np.maximum(np.floor(points.min(axis=0)).astype(int) - pad, 0)
    x1, y1 = np.ceil(points.max(axis=0)).astype(int) + pad + 1
    # At least one pixel, even if everything lies outside the image.
    x0, y0 = min(x0, width - 1), min(y0, height - 1)
    return slice(y0, min(max(y1, y0 + 1), height)), slice(x0, min(max(x1, x0 + 1), width))


def ignore_mask(regions, size: tuple[int, int]) -> np.ndarray:
    """(height, width) uint8, 1 inside any of `regions` (COCO segmentations). Raises InputError for a broken one."""
    from pycocotools import mask as coco_mask

    reach = 2 * max(size)  # pycocotools follows every edge, however far outside it leads
    result = np.zeros(size, np.uint8)
    for region in regions:
        if isinstance(region, dict):
            result |= _decode_rle(region["counts"], size)
        else:
            codes = coco_mask.frPyObjects([np.clip(polygon, -reach, reach) for polygon in region], *size)
            result |= coco_mask.decode(coco_mask.merge(codes))
    return result


def _decode_rle(counts: list[int] | str, size: tuple[int, int]) -> np.ndarray:
    """(height, width) uint8 from alternating runs of 0 and 1, down the columns; a text holds them compressed."""
    from pycocotools import mask as coco_mask

    region = {"counts": counts, "size": size}
    try:
        if not isinstance(counts, str):
            if sum(counts) != size[0] * size[1]:  # pycocotools would leave the rest undefined
                raise ValueError(f"its runs add up to {sum(counts)}")
            region = coco_mask.frPyObjects(region, *size)
        return coco_mask.decode(region)
    except (ValueError, OverflowError) as error:
        raise InputError(f"an ignore region's RLE does not fit the image: {error}") from error


def cell_weights(mask: np.ndarray | None, cells: tuple[int, int]) -> np.ndarray:
    """(rows, cols) float32: 1, but 0 where the 0/1 mask, resized to the cells and rounded, is 1."""
    if mask is None:
        return np.ones(cells, np.float32)
    resized = Image.fromarray(np.ascontiguousarray(mask)).resize(cells[::-1], Image.Resampling.BILINEAR)
    return 1 - np.asarray(resized, np.float32)


def _resize_mask(mask, size):
    return np.asarray(Image.fromarray(np.ascontiguousarray(mask)).resize(size[::-1], Image.Resampling.NEAREST))
