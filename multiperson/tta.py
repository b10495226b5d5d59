"""Test-time augmentation: the maps of an image, its mirror image and other sizes of it are averaged.

`pairwise` of all maps here is a function of cells.
"""

from collections.abc import Callable, Sequence

import numpy as np
from easydict import EasyDict

from util.images import fitting_scale, resize_image, scaled_size
from util.maps import Maps, cell_centers, joint_pairs, map_size, pair_index

FLIP = "flip"  # in cfg.tta, beside factors of size
_TO_THE_LEFT = np.array([-1, 1], np.float32)


def average_maps(
    network: Callable[[Sequence[np.ndarray]], list[Maps]],
    images: Sequence[np.ndarray],
    cfg: EasyDict,
    mirror_map: np.ndarray | None = None,
) -> list[Maps]:
    """The maps of uint8 RGB images of one size, averaged over each itself and the views of it that `cfg.tta` names.

    network: gives the maps of images of one size
    mirror_map: (J,) which joint takes each joint's place in the mirrored image; needed for "flip" only
    """
    size = images[0].shape[:2]
    factors = [fitting_scale(size, factor, cfg.max_input_size) for factor in cfg.tta if factor != FLIP]
    views = []
    for view_size in dict.fromkeys([size, *(scaled_size(size, factor) for factor in factors)]):
        resized = [resize_image(image, view_size) for image in images]
        seen = network(resized)
        if FLIP in cfg.tta:
            mirrored = network([mirror_image(image, np.round(cfg.mean_pixel), cfg.stride) for image in resized])
            seen = [
                mean_maps([maps, unmirror_maps(other, mirror_map)]) for maps, other in zip(seen, mirrored, strict=True)
            ]
        if view_size != size:
            seen = [rescale_maps(maps, view_size, size, cfg.stride) for maps in seen]
        views.append(seen)
    return [mean_maps(of_image) for of_image in zip(*views, strict=True)]


def mirror_image(image: np.ndarray, fill: Sequence[float], stride: int) -> np.ndarray:
    """The mirror image of (H, W, 3) about the middle of its maps, so that centres of cells map to centres of cells.

    Pixel x moves to stride * cols - x, and the first column drops out; what the image does not cover gets `fill`.
    """
    height, width = image.shape[:2]
    whole = stride * map_size(height, width, stride)[1]
    mirrored = np.full((height, whole, 3), fill, np.uint8)
    mirrored[:, whole + 1 - width :] = image[:, :0:-1]
    return mirrored


def unmirror_maps(maps: Maps, mirror_map: np.ndarray) -> Maps:
    """The maps of an image from those of its mirror image, left and right parts swapped."""
    cols, num_joints = maps.part_prob.shape[1:]
    start, end = joint_pairs(num_joints).T
    mirrored_pairs = pair_index(mirror_map[start], mirror_map[end], num_joints)

    def pairwise(cells):
        row, col = np.asarray(cells).T
        return maps.pairwise(np.stack([row, cols - 1 - col], axis=1))[:, mirrored_pairs] * _TO_THE_LEFT

    return Maps(
        maps.part_prob[:, ::-1, mirror_map],
        None if maps.locref is None else maps.locref[:, ::-1, mirror_map] * _TO_THE_LEFT,
        None if maps.pairwise is None else pairwise,
    )


def rescale_maps(maps: Maps, from_size: tuple[int, int], to_size: tuple[int, int], stride: int) -> Maps:
    """The maps of an image of `to_size` (H, W) from those of the same image resized to `from_size`.

    Probabilities and refinements are interpolated, offsets between joints are those of the nearest cell.
    """
    factor = np.divide(from_size, to_size)[::-1]  # x, y

    def pairwise(cells):
        centers = cell_centers(cells, stride)
        nearest = np.round(_cell_positions(centers, factor, stride)).astype(int)
        nearest = np.clip(nearest, 0, np.array(maps.part_prob.shape[1::-1]) - 1)[:, ::-1]
        # The start of the offsets: the centre of the nearest cell, in pixels of the image.
        origins = (cell_centers(nearest, stride) + 0.5) / factor - 0.5
        return maps.pairwise(nearest) / factor + (origins - centers)[:, None]

    part_prob, locref = (
        None if values is None else _interpolate(values, factor, map_size(*to_size, stride), stride)
        for values in (maps.part_prob, maps.locref)
    )
    return Maps(
        part_prob,
        None if locref is None else locref / factor.astype(np.float32),
        None if maps.pairwise is None else pairwise,
    )


def _cell_positions(points, factor, stride):
    """Places (..., 2) x, y in pixels as fractional cells (col, row) of the image resized by `factor` (x, y)."""
    return ((points + 0.5) * factor - 0.5 - stride / 2) / stride


def _interpolate(values, factor, size, stride):
    """values (rows, cols, ...) of a resized image at the cells of the image itself, bilinearly; size: their number."""
    for axis, count in enumerate(size):
        positions = _cell_positions(np.arange(count) * stride + stride / 2, factor[1 - axis], stride)
        positions = np.clip(positions, 0, values.shape[axis] - 1)
        first = np.minimum(positions.astype(int), values.shape[axis] - 2)
        share = (positions - first).astype(np.float32)
        share = share.reshape([-1 if dim == axis else 1 for dim in range(values.ndim)])
        values = values.take(first, axis) * (1 - share) + values.take(first + 1, axis) * share
    return values


def mean_maps(views: Sequence[Maps]) -> Maps:
    """The mean of maps of one image. Refinements are weighted by the probability of the part: a view that does not
    see it there has nothing to say about where exactly it is."""
    if len(views) == 1:
        return views[0]
    prob = np.stack([maps.part_prob for maps in views])
    locref = pairwise = None
    if views[0].locref is not None:
        weight = (prob / np.maximum(prob.sum(axis=0), np.finfo(np.float32).tiny))[..., None]
        locref = sum(share * maps.locref for share, maps in zip(weight, views, strict=True))
    if views[0].pairwise is not None:

        def pairwise(cells):
            return np.mean([maps.pairwise(cells) for maps in views], axis=0)

    return Maps(prob.mean(axis=0), locref, pairwise)
