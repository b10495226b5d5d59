"""Training targets from people, computed in the graph (DeeperCut, arXiv 1605.03170, sections 3 and 4).

A cell is positive for a part when the nearest such joint of any person lies within the distance threshold; its
offset and pairwise targets are those of that person.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from dataset.model_spec import ModelSpec


class Targets(NamedTuple):
    """What the heads should predict. Masks and weights are 0 where a value does not count.

    part, part_weight: (B, h, w, J)
    positive: (m, 4) int32, batch, row, col and part of each 1 in `part`, sorted
    locref: (m, 2), offset to the joint, divided by locref_stdev (if there is a head for it)
    cells: (n, 3) int32, batch, row and col of the cells that are positive for any part
    at: (m,) int32, the row of `cells` in which each of `positive` is
    pairwise: (m, J-1, 2), normalised offsets to the other joints, in their order; None without that head
    pairwise_mask: (m, J-1)
    """

    part: tf.Tensor
    part_weight: tf.Tensor
    positive: tf.Tensor
    locref: tf.Tensor
    cells: tf.Tensor
    at: tf.Tensor
    pairwise: tf.Tensor | None
    pairwise_mask: tf.Tensor | None


def make_targets(people, weight, scale, cfg, spec: ModelSpec) -> Targets:
    """The targets of a batch.

    people: (B, P, J, 3) x, y, flag in pixels of the network's input; flag 0 means absent
    weight: (B, h, w), 0 where there is no part loss
    scale: (B,), factor on `pos_dist_thresh`
    """
    joints, present = people[..., :2], people[..., 2] > 0
    reach = _reach(joints, present, cfg.pos_dist_thresh * scale, cfg.pos_dist_share)
    part = _near_joints(joints, present, tf.shape(weight), spec.stride, reach)
    part_weight = tf.broadcast_to(weight[..., None], tf.shape(part))
    if cfg.ignore_unlabelled:
        unsure = _near_unlabelled(joints, present, tf.shape(weight), spec.stride)
        part_weight *= 1 - unsure * (1 - part)
    if cfg.weigh_only_present_joints:
        part_weight *= tf.cast(tf.reduce_any(present, axis=1), tf.float32)[:, None, None]
    if cfg.weigh_negatives:
        part_weight *= _balance(part, part_weight, cfg.fg_fraction)

    # Few cells are positive: offsets are computed for them alone.
    positive = tf.cast(tf.where(part), tf.int32)
    person, offset = _nearest_joints(joints, present, positive, spec.stride)
    pairwise, pairwise_mask = None, None
    if spec.pairwise is not None:
        pairwise, pairwise_mask = _pairwise(people, positive, person, spec)
    return Targets(
        part, part_weight, positive, offset / (spec.locref_stdev or 1), *_cells(positive), pairwise, pairwise_mask
    )


def _reach(joints, present, least, share):
    """The distance (B, P) up to which cells around joints are positive: `least` (B,), or more for large people."""
    if not share:
        return tf.broadcast_to(least[:, None], tf.shape(present)[:2])
    low, high = _extent(joints, present)
    return tf.maximum(least[:, None], share * tf.reduce_max(high - low, axis=-1))


def _extent(joints, present):
    """The corners (B, P, 2) of the box of each person's labelled joints: inf and -inf for nobody."""
    low = tf.reduce_min(tf.where(present[..., None], joints, np.inf), axis=2)
    high = tf.reduce_max(tf.where(present[..., None], joints, -np.inf), axis=2)
    return low, high


def _near_joints(joints, present, size, stride, limit):
    """1 where a cell lies within the distance `limit` (B, P) of that joint of a person: (B, h, w, J).

    size: B, h, w
    """
    # Only the cells around a joint can lie within it.
    reach = tf.cast(tf.math.ceil(tf.reduce_max(limit) / stride), tf.int32)
    around = tf.range(-reach, reach + 1)
    cells = tf.cast(tf.floor(joints / stride), tf.int32)[..., None] + around  # (B, P, J, 2, k) col, row
    squared = tf.square(joints[..., None] - (tf.cast(cells * stride, tf.float32) + stride / 2))
    counts = present[..., None, None] & (cells >= 0) & (cells < size[:0:-1, None])
    squared = tf.where(counts, squared, np.inf)
    near = squared[..., 0, None, :] + squared[..., 1, :, None] <= tf.square(limit)[:, :, None, None, None]

    batch, person, part, row, col = tf.unstack(tf.cast(tf.where(near), tf.int32), axis=1)
    col, row = (
        tf.gather_nd(cells[..., axis, :], tf.stack([batch, person, part, index], axis=1))
        for axis, index in enumerate((col, row))
    )
    shape = tf.concat([size, tf.shape(joints)[2:3]], axis=0)
    hits = tf.scatter_nd(tf.stack([batch, row, col, part], axis=1), tf.ones_like(row, tf.float32), shape)
    return tf.minimum(hits, 1.0)


# How far from the box of a person's labelled joints the others may be, as a share of its longer side.
PERSON_MARGIN = 0.2


def _near_unlabelled(joints, present, size, stride):
    """1 where a cell lies in the box of a person who lacks a label for that part: (B, h, w, J).

    size: B, h, w
    """
    low, high = _extent(joints, present)
    margin = PERSON_MARGIN * tf.reduce_max(high - low, axis=-1, keepdims=True)
    inside = []
    for axis, count in ((1, size[1]), (0, size[2])):
        centers = tf.cast(tf.range(count), tf.float32) * stride + stride / 2
        near = (centers >= (low - margin)[..., axis, None]) & (centers <= (high + margin)[..., axis, None])
        inside.append(tf.cast(near, tf.float32))
    missing = tf.cast(~present, tf.float32)
    return tf.minimum(tf.einsum("bph,bpw,bpj->bhwj", *inside, missing), 1.0)


def _nearest_joints(joints, present, positive, stride):
    """The person (m,) whose joint is nearest, the first of several, and the offset (m, 2) to that joint."""
    batch_and_part = tf.gather(positive, [0, 3], axis=1)
    candidates = tf.gather_nd(tf.transpose(joints, [0, 2, 1, 3]), batch_and_part)  # (m, P, 2)
    missing = tf.gather_nd(tf.transpose(~present, [0, 2, 1]), batch_and_part)
    offsets = candidates - (tf.cast(positive[:, 2:0:-1] * stride, tf.float32) + stride / 2)[:, None]
    squared = tf.reduce_sum(tf.square(offsets), axis=-1) + tf.where(missing, np.inf, 0.0)
    # A batch without people has nothing to take the minimum of.
    person = tf.argmin(tf.pad(squared, [[0, 0], [0, 1]], constant_values=np.inf), axis=1, output_type=tf.int32)
    return person, tf.gather(offsets, person, batch_dims=1)


def _balance(part, weight, fg_fraction):
    """Factors that give the positive cells `fg_fraction` of an image's total weight and the others the rest."""
    axes = [1, 2, 3]
    total = tf.reduce_sum(weight, axes, keepdims=True)
    foreground = tf.reduce_sum(weight * part, axes, keepdims=True)
    on = tf.math.divide_no_nan(fg_fraction * total, foreground)
    off = tf.math.divide_no_nan((1 - fg_fraction) * total, total - foreground)
    return part * on + (1 - part) * off


def _cells(positive):
    """The cells (n, 3) of (m, 4) cells and parts in order, each once, and which of them each is in, (m,)."""
    cells = positive[:, :3]
    first = tf.reduce_any(cells[1:] != cells[:-1], axis=1)
    first = tf.concat([tf.ones_like(cells[:1, 0], tf.bool), first], axis=0)
    return tf.boolean_mask(cells, first), tf.cumsum(tf.cast(first, tf.int32)) - 1


def _pairwise(people, positive, person, spec):
    """Normalised offsets (m, J-1, 2) from cells to the other joints of a person (m,), and mask (m, J-1)."""
    count = spec.num_joints
    index, part = tf.range(count - 1), positive[:, 3]
    other = index + tf.cast(index >= part[:, None], tf.int32)
    # A batch without people has no person 0.
    padded = tf.pad(people, [[0, 0], [0, 1], [0, 0], [0, 0]])
    poses = tf.gather_nd(padded, tf.stack([positive[:, 0], person], axis=1))
    others = tf.gather(poses, other, batch_dims=1)

    center = tf.cast(positive[:, 2:0:-1] * spec.stride, tf.float32) + spec.stride / 2
    means, deviations = (
        tf.gather(np.float32(moment).reshape(count, count - 1, 2), part) for moment in spec.pairwise_moments()
    )
    present = others[..., 2] > 0
    value = tf.where(present[..., None], (others[..., :2] - center[:, None] - means) / deviations, 0.0)
    return value, tf.cast(present, tf.float32)
