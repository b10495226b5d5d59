"""Test-time augmentation: the maps of an image, its mirror image and other sizes of it are averaged.

`pairwise` of all maps here is a function of cells.
"""

from collections.abc import Callable, Sequence

import numpy as np
from easydict import EasyDict

from dataset.model_spec import ModelSpec
from util.maps import Maps, cell_centers, joint_pairs, map_size, pair_index
from util.view import View, fitting_scale

FLIP = "flip"  # in cfg.tta, beside factors of size
_TO_THE_LEFT = np.array([-1, 1], np.float32)


def average_maps(
    network: Callable[[Sequence[np.ndarray]], list[Maps]], images: Sequence[np.ndarray], cfg: EasyDict, spec: ModelSpec
) -> list[Maps]:
    """The maps of uint8 RGB images of one size, averaged over each itself and the views of it that `cfg.tta` names.

    network: gives the maps of images of one size; spec: what it is
    """
    size = images[0].shape[:2]
    factors = [fitting_scale(size, factor, cfg.max_input_size) for factor in cfg.tta if factor != FLIP]
    views = {view.size: view for view in (View.scaled(size, factor).from_corners() for factor in [1, *factors])}
    seen_in = []
    for view in views.values():
        resized = [view.image(image) for image in images]
        seen = network(resized)
        if FLIP in cfg.tta:
            flipped = network([flip_image(image, spec) for image in resized])
            seen = [
                mean_maps([maps, unflip_maps(other, spec.skeleton.mirror_map)])
                for maps, other in zip(seen, flipped, strict=True)
            ]
        if view.size != size:
            seen = [rescale_maps(maps, view) for maps in seen]
        seen_in.append(seen)
    return [mean_maps(of_image) for of_image in zip(*seen_in, strict=True)]


def flip_image(image: np.ndarray, spec: ModelSpec) -> np.ndarray:
    """The mirror image of (H, W, 3) about the middle of its maps, so that centres of cells map to centres of cells.

    Pixel x moves to stride * cols - x, and the first column drops out; what the image does not cover is filled.
    """
    height, width = image.shape[:2]
    whole = spec.stride * map_size(height, width, spec.stride)[1]
    flipped = np.full((height, whole, 3), spec.fill, np.uint8)
    flipped[:, whole + 1 - width :] = image[:, :0:-1]
    return flipped


def unflip_maps(maps: Maps, mirror_map: np.ndarray) -> Maps:
    """The maps of an image from those of its mirror image, left and right parts swapped."""
    cols, num_joints = maps.part_prob.shape[1:]
    start, end = joint_pairs(num_joints).T
    flipped_pairs = pair_index(mirror_map[start], mirror_map[end], num_joints)

    def pairwise(cells):
        row, col = np.asarray(cells).T
        return maps.pairwise(np.stack([row, cols - 1 - col], axis=1))[:, flipped_pairs] * _TO_THE_LEFT

    return Maps(
        maps.part_prob[:, ::-1, mirror_map],
        maps.stride,
        None if maps.locref is None else maps.locref[:, ::-1, mirror_map] * _TO_THE_LEFT,
        None if maps.pairwise is None else pairwise,
    )


def rescale_maps(maps: Maps, view: View) -> Maps:
    """The maps of an image from those of a view of all of it.

    Probabilities and refined places are interpolated, offsets between joints are those of the nearest cell.
    """
    stride = maps.stride

    def pairwise(cells):
        centers = cell_centers(cells, stride)
        nearest = np.round(view.points(centers) / stride - 0.5).astype(int)
        nearest = np.clip(nearest, 0, np.array(maps.part_prob.shape[1::-1]) - 1)[:, ::-1]
        # The offsets start at the centre of that cell.
        origins = view.back(cell_centers(nearest, stride))
        return maps.pairwise(nearest) / view.factors + (origins - centers)[:, None]

    part_prob, locref = _interpolate(maps.part_prob, view, stride), None
    if maps.locref is not None:
        # The places that offsets lead to, so that they stay right where a cell lies beyond the view's outermost ones.
        joints = _interpolate(maps.locref + _centers(maps.part_prob, stride), view, stride)
        locref = view.back(joints).astype(np.float32) - _centers(part_prob, stride)
    return Maps(part_prob, stride, locref, None if maps.pairwise is None else pairwise)


def _centers(part_prob: np.ndarray, stride: int) -> np.ndarray:
    """The centres (rows, cols, 1, 2) x, y of all cells."""
    cells = np.moveaxis(np.indices(part_prob.shape[:2], np.float32), 0, -1)
    return cell_centers(cells, stride)[:, :, None]


def _interpolate(values: np.ndarray, view: View, stride: int) -> np.ndarray:
    """values (rows, cols, ...) of a view's cells at the cells of the image itself, bilinearly."""
    for axis, count in enumerate(map_size(*view.part, stride)):
        centers = (np.arange(count) + 0.5) * stride
        positions = (centers * view.factors[1 - axis] + view.shift[1 - axis]) / stride - 0.5
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

    return Maps(prob.mean(axis=0), views[0].stride, locref, pairwise)
