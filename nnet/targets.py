"""Training targets from people, computed in the graph (DeeperCut, arXiv 1605.03170, sections 3 and 4).

A cell is positive for a part when the nearest such joint of any person lies within the distance threshold; its
offset and pairwise targets are those of that person.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from util.pairwise_stats import PairwiseStats


class Targets(NamedTuple):
    """What the heads should say. Masks and weights are 0 where a value does not count.

    part, part_weight: (B, h, w, J)
    locref, locref_mask: (B, h, w, 2J), divided by locref_stdev
    cells: (n, 3) int32, batch, row and col of the cells that are positive for any part
    pairwise, pairwise_mask: (n, 2J(J-1)), normalised; None without statistics
    """

    part: tf.Tensor
    part_weight: tf.Tensor
    locref: tf.Tensor
    locref_mask: tf.Tensor
    cells: tf.Tensor
    pairwise: tf.Tensor | None
    pairwise_mask: tf.Tensor | None


def make_targets(people, weight, scale, cfg, stats: PairwiseStats | None = None) -> Targets:
    """The targets of a batch.

    people: (B, P, J, 3) x, y, flag in pixels of the network's input; flag 0 means absent
    weight: (B, h, w), 0 where the part loss must not look
    scale: (B,), factor on `pos_dist_thresh`
    """
    present = people[..., 2] > 0
    offset, nearest, squared = _nearest_joints(people[..., :2], present, tf.shape(weight)[1:3], cfg.stride)
    positive = squared <= tf.square(cfg.pos_dist_thresh * scale)[:, None, None, None]
    part = tf.cast(positive, tf.float32)

    mask = tf.repeat(part, 2, axis=-1)
    locref = tf.where(positive[..., None], offset / cfg.locref_stdev, 0.0)
    locref = tf.reshape(locref, tf.shape(mask))

    part_weight = tf.broadcast_to(weight[..., None], tf.shape(part))
    if cfg.weigh_only_present_joints:
        part_weight *= tf.cast(tf.reduce_any(present, axis=1), tf.float32)[:, None, None]
    if cfg.weigh_negatives:
        part_weight *= _balance(part, part_weight, cfg.fg_fraction)

    cells = tf.cast(tf.where(tf.reduce_any(positive, axis=-1)), tf.int32)
    pairwise, pairwise_mask = None, None
    if stats is not None:
        here = tf.gather_nd(positive, cells), tf.gather_nd(nearest, cells)
        pairwise, pairwise_mask = _pairwise(people, present, cells, *here, cfg, stats)
    return Targets(part, part_weight, locref, mask, cells, pairwise, pairwise_mask)


def _nearest_joints(joints, present, size, stride):
    """For each cell and part the nearest joint: its offset (B, h, w, J, 2), its person (B, h, w, J) and the squared
    distance (infinite without such a joint). Of equally near people the first counts."""
    rows = tf.cast(tf.range(size[0]) * stride, tf.float32) + stride / 2
    cols = tf.cast(tf.range(size[1]) * stride, tf.float32) + stride / 2
    # The squares of the two axes are taken apart, so that only their sum has all of (B, P, h, w, J).
    dx = joints[:, :, None, :, 0] - cols[:, None]
    dy = joints[:, :, None, :, 1] - rows[:, None]
    far = tf.where(present, 0.0, np.inf)[:, :, None, None]
    squared = tf.square(dy)[:, :, :, None] + tf.square(dx)[:, :, None] + far
    # A batch without people has no axis to look along.
    squared = tf.pad(squared, [[0, 0], [0, 1], [0, 0], [0, 0], [0, 0]], constant_values=np.inf)
    nearest = tf.argmin(squared, axis=1, output_type=tf.int32)
    smallest = tf.reduce_min(squared, axis=1)

    padded = tf.pad(joints, [[0, 0], [0, 1], [0, 0], [0, 0]])
    by_part = tf.transpose(padded, [0, 2, 1, 3])  # (B, J, P+1, 2)
    chosen = tf.gather(by_part, tf.transpose(nearest, [0, 3, 1, 2]), batch_dims=2)  # (B, J, h, w, 2)
    chosen = tf.transpose(chosen, [0, 2, 3, 1, 4])
    centers = tf.stack(tf.meshgrid(cols, rows), axis=-1)[:, :, None]
    return chosen - centers, nearest, smallest


def _balance(part, weight, fg_fraction):
    """Factors that give the positive cells `fg_fraction` of an image's total weight and the others the rest."""
    axes = [1, 2, 3]
    total = tf.reduce_sum(weight, axes, keepdims=True)
    foreground = tf.reduce_sum(weight * part, axes, keepdims=True)
    on = tf.math.divide_no_nan(fg_fraction * total, foreground)
    off = tf.math.divide_no_nan((1 - fg_fraction) * total, total - foreground)
    return part * on + (1 - part) * off


def _pairwise(people, present, cells, positive, nearest, cfg, stats):
    """Normalised offsets (n, 2J(J-1)) from each cell to all other joints of the person nearest by part, and mask.

    positive, nearest: (n, J), of `cells`
    """
    joints = people.shape[2] or cfg.num_joints
    start, end = np.nonzero(~np.eye(joints, dtype=bool))  # in the order of the channels
    batch = tf.broadcast_to(cells[:, :1], tf.shape(nearest))
    # Unset cells may point one past the last person.
    whose = tf.stack([batch, tf.minimum(nearest, tf.maximum(tf.shape(people)[1] - 1, 0))], axis=-1)
    of_start = tf.gather(whose, start, axis=1)
    ends = tf.broadcast_to(tf.constant(end, tf.int32)[:, None], tf.concat([tf.shape(of_start)[:2], [1]], 0))
    index = tf.concat([of_start, ends], axis=-1)  # (n, pairs, 3) batch, person, joint

    center = tf.cast(cells[:, :0:-1] * cfg.stride, tf.float32) + cfg.stride / 2
    offset = tf.gather_nd(people[..., :2], index) - center[:, None]
    scale = float(cfg.global_scale)
    value = (offset - np.float32(stats.means * scale)) / np.float32(stats.std_devs * scale)
    mask = tf.gather(positive, start, axis=1) & tf.gather_nd(present, index)
    value = tf.where(mask[..., None], value, 0.0)
    shape = [tf.shape(cells)[0], 2 * len(start)]
    return tf.reshape(value, shape), tf.repeat(tf.cast(mask, tf.float32), 2, axis=1)
