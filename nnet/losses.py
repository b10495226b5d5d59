"""The losses of DeeperCut: every term is averaged over its non-zero weights, then weighted; the total is their sum."""

import tensorflow as tf

from nnet.targets import Targets


def count_targets(targets: Targets) -> tf.Tensor:
    """How many weights of parts, offsets and pairwise offsets are not zero, (3,) float32: what the losses divide by."""
    weights = targets.part_weight, targets.locref_mask, targets.pairwise_mask
    return tf.stack([0.0 if some is None else tf.math.count_nonzero(some, dtype=tf.float32) for some in weights])


def weighted_mean(loss, weights, count):
    """sum(loss * weights) / count, and 0 where nothing counts."""
    return tf.math.divide_no_nan(tf.reduce_sum(loss * weights), count)


def huber(error):
    """Squared (halved) up to 1, then linear."""
    size = tf.abs(error)
    return tf.where(size < 1, 0.5 * tf.square(error), size - 0.5)


def compute_losses(heads: dict[str, tf.Tensor], targets: Targets, cfg, counts=None) -> dict[str, tf.Tensor]:
    """The loss terms by name, and "total_loss" (without weight decay).

    heads: raw outputs (B, h, w, channels) of the network, "pairwise_pred" (n, 2J(J-1)) at `targets.cells` only
    counts: `count_targets` of a larger batch of which this is a piece: the sums over its pieces are its losses
    """
    part_count, locref_count, pairwise_count = tf.unstack(count_targets(targets) if counts is None else counts)
    weight = targets.part_weight if cfg.weigh_part_predictions else tf.cast(targets.part_weight != 0, tf.float32)

    def parts(name):
        return weighted_mean(tf.nn.sigmoid_cross_entropy_with_logits(targets.part, heads[name]), weight, part_count)

    def offsets(prediction, target, mask, count, use_huber, factor):
        error = prediction - target
        return factor * weighted_mean(huber(error) if use_huber else tf.square(error), mask, count)

    losses = {"part_loss": parts("part_pred")}
    if cfg.intermediate_supervision:
        losses["part_loss_interm"] = parts("intermediate_supervision")
    if cfg.location_refinement:
        losses["locref_loss"] = offsets(heads["locref_pred"], targets.locref, targets.locref_mask, locref_count,
                                        cfg.locref_huber_loss, cfg.locref_loss_weight)  # fmt: skip
    if cfg.pairwise_predict:
        losses["pairwise_loss"] = offsets(heads["pairwise_pred"], targets.pairwise, targets.pairwise_mask,
                                          pairwise_count, cfg.pairwise_huber_loss, cfg.pairwise_loss_weight)
    return losses | {"total_loss": tf.add_n(list(losses.values()))}
