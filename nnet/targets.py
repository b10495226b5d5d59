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
    joints, height, width = people[..., :2], tf.shape(weight)[1], tf.shape(weight)[2]
    positive = _near_joint(joints, present, (height, width), cfg.stride, tf.square(cfg.pos_dist_thresh * scale))
    part = tf.cast(positive, tf.float32)

    # Few cells are positive: what only they have is computed there and scattered.
    where = tf.cast(tf.where(positive), tf.int32)
    person, offset = _nearest_joints(joints, present, where, cfg.stride)
    mask = tf.repeat(part, 2, axis=-1)
    locref = tf.scatter_nd(where, offset / cfg.locref_stdev, tf.concat([tf.shape(part), [2]], axis=0))
    locref = tf.reshape(locref, tf.shape(mask))

    part_weight = tf.broadcast_to(weight[..., None], tf.shape(part))
    if cfg.weigh_only_present_joints:
        part_weight *= tf.cast(tf.reduce_any(present, axis=1), tf.float32)[:, None, None]
    if cfg.weigh_negatives:
        part_weight *= _balance(part, part_weight, cfg.fg_fraction)

    cells = tf.cast(tf.where(tf.reduce_any(positive, axis=-1)), tf.int32)
    pairwise, pairwise_mask = None, None
    if stats is not None:
        persons = tf.scatter_nd(where, person, tf.shape(part))
        here = tf.gather_nd(positive, cells), tf.gather_nd(persons, cells)
        pairwise, pairwise_mask = _pairwise(people, cells, *here, cfg, stats)
    return Targets(part, part_weight, locref, mask, cells, pairwise, pairwise_mask)


def _near_joint(joints, present, size, stride, limit):
    """Whether a joint of any person lies within the squared distance `limit` (B,) of a cell: (B, h, w, J) bool."""
    rows = tf.cast(tf.range(size[0]) * stride, tf.float32) + stride / 2
    cols = tf.cast(tf.range(size[1]) * stride, tf.float32) + stride / 2
    # The squares of the two axes are taken apart, so that only their sum has all of (B, P, h, w, J).
    dx = tf.square(joints[:, :, None, :, 0] - cols[:, None])
    dy = tf.square(joints[:, :, None, :, 1] - rows[:, None]) + tf.where(present, 0.0, np.inf)[:, :, None]
    near = dy[:, :, :, None] + dx[:, :, None] <= limit[:, None, None, None, None]
    return tf.reduce_any(near, axis=1)


def _nearest_joints(joints, present, where, stride):
    """The person (n,) whose joint is nearest, the first of several, and the offset (n, 2) to that joint.

    where: (n, 4) batch, row, col, joint
    """
    candidates = tf.gather_nd(tf.transpose(joints, [0, 2, 1, 3]), tf.gather(where, [0, 3], axis=1))  # (n, P, 2)
    missing = tf.gather_nd(tf.transpose(~present, [0, 2, 1]), tf.gather(where, [0, 3], axis=1))
    offsets = candidates - (tf.cast(where[:, 2:0:-1] * stride, tf.float32) + stride / 2)[:, None]
    squared = tf.reduce_sum(tf.square(offsets), axis=-1) + tf.where(missing, np.inf, 0.0)
    # A batch without people has no axis to look along.
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


def _pairwise(people, cells, positive, person, cfg, stats):
    """Normalised offsets (n, 2J(J-1)) from each cell to all other joints of the person nearest by part, and mask.

    positive, person: (n, J), of `cells`
    """
    joints = people.shape[2] or cfg.num_joints
    batch = tf.broadcast_to(cells[:, :1], tf.shape(person))
    # A batch without people has no person 0.
    padded = tf.pad(people, [[0, 0], [0, 1], [0, 0], [0, 0]])
    others = _off_diagonal(tf.gather_nd(padded, tf.stack([batch, person], axis=-1)), joints)

    center = tf.cast(cells[:, :0:-1] * cfg.stride, tf.float32) + cfg.stride / 2
    scale = float(cfg.global_scale)
    value = (others[..., :2] - center[:, None] - np.float32(stats.means * scale)) / np.float32(stats.std_devs * scale)
    mask = tf.repeat(positive, joints - 1, axis=1) & (others[..., 2] > 0)
    value = tf.where(mask[..., None], value, 0.0)
    shape = [tf.shape(cells)[0], 2 * joints * (joints - 1)]
    return tf.reshape(value, shape), tf.repeat(tf.cast(mask, tf.float32), 2, axis=1)


def _off_diagonal(square, joints):
    """(n, J, J, c) without its diagonal, in the order of the channels: (n, J(J-1), c)."""
    count, channels = tf.shape(square)[0], square.shape[-1]
    # After its first element, each row of J+1 ends in one of the diagonal.
    rest = tf.reshape(square, [count, joints * joints, channels])[:, 1:]
    rows = tf.reshape(rest, [count, joints - 1, (joints + 1) * channels])[:, :, :-channels]
    return tf.reshape(rows, [count, joints * (joints - 1), channels])
