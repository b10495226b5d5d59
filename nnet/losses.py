"""The losses of DeeperCut: every term is averaged over its non-zero weights, then weighted; the total is their sum."""

import tensorflow as tf

from dataset.model_spec import ModelSpec
from nnet.targets import Targets


def count_targets(targets: Targets) -> tf.Tensor:
    """The number of non-zero weights of parts, offsets and pairwise offsets, (3,) float32: the losses divide by it."""
    parts = tf.math.count_nonzero(targets.part_weight, dtype=tf.float32)
    offsets = tf.size(targets.locref, out_type=tf.int32)
    pairs = 0.0 if targets.pairwise_mask is None else 2 * tf.reduce_sum(targets.pairwise_mask)
    return tf.stack([parts, tf.cast(offsets, tf.float32), pairs])


def weighted_mean(loss, weights, count):
    """sum(loss * weights) / count, and 0 where nothing counts."""
    return tf.math.divide_no_nan(tf.reduce_sum(loss * weights), count)


def huber(error):
    """Squared (halved) up to 1, then linear."""
    size = tf.abs(error)
    return tf.where(size < 1, 0.5 * tf.square(error), size - 0.5)


def compute_losses(
    heads: dict[str, tf.Tensor], targets: Targets, cfg, spec: ModelSpec, counts=None
) -> dict[str, tf.Tensor]:
    """The loss terms by name, and "total_loss" (without weight decay).

    heads: raw outputs (B, h, w, channels) of the network, "pairwise_pred" (n, 2J(J-1)) at `targets.cells` only
    counts: `count_targets` of the larger batch that this is a piece of; the losses of its pieces add up to its losses
    """
    part_count, locref_count, pairwise_count = tf.unstack(count_targets(targets) if counts is None else counts)
    weight = targets.part_weight if cfg.weigh_part_predictions else tf.cast(targets.part_weight != 0, tf.float32)

    def parts(name):
        return weighted_mean(tf.nn.sigmoid_cross_entropy_with_logits(targets.part, heads[name]), weight, part_count)

    losses = {"part_loss": parts("part_pred")}
    if "intermediate_supervision" in spec.heads:
        losses["part_loss_interm"] = parts("intermediate_supervision")
    if "locref_pred" in spec.heads:
        refined = tf.gather_nd(_by_part(heads["locref_pred"], [spec.num_joints, 2]), targets.positive)
        error = (huber if cfg.locref_huber_loss else tf.square)(refined - targets.locref)
        losses["locref_loss"] = cfg.locref_loss_weight * weighted_mean(error, 1.0, locref_count)
    if "pairwise_pred" in spec.heads:
        entries = tf.stack([targets.at, targets.positive[:, 3]], axis=1)
        offsets = tf.gather_nd(_by_part(heads["pairwise_pred"], [spec.num_joints, spec.num_joints - 1, 2]), entries)
        error = (huber if cfg.pairwise_huber_loss else tf.square)(offsets - targets.pairwise)
        mean = weighted_mean(error, targets.pairwise_mask[..., None], pairwise_count)
        losses["pairwise_loss"] = cfg.pairwise_loss_weight * mean
    return losses | {"total_loss": tf.add_n(list(losses.values()))}


def _by_part(head, shape):
    """The channels of a head, its last axis, as several axes."""
    return tf.reshape(head, tf.concat([tf.shape(head)[:-1], shape], axis=0))
