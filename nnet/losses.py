"""The losses of DeeperCut: every term is averaged over its non-zero weights, then weighted; the total is their sum."""

import tensorflow as tf

from nnet.targets import Targets


def weighted_mean(loss, weights):
    """sum(loss * weights) / count(weights != 0), and 0 where nothing counts."""
    return tf.math.divide_no_nan(tf.reduce_sum(loss * weights), tf.math.count_nonzero(weights, dtype=tf.float32))


def huber(error):
    """Squared (halved) up to 1, then linear."""
    size = tf.abs(error)
    return tf.where(size < 1, 0.5 * tf.square(error), size - 0.5)


def compute_losses(heads: dict[str, tf.Tensor], targets: Targets, cfg) -> dict[str, tf.Tensor]:
    """The loss terms by name, and "total_loss" (without weight decay).

    heads: raw outputs (B, h, w, channels) of the network, "pairwise_pred" (n, 2J(J-1)) at `targets.cells` only
    """

    weight = targets.part_weight if cfg.weigh_part_predictions else tf.cast(targets.part_weight != 0, tf.float32)

    def parts(name):
        return weighted_mean(tf.nn.sigmoid_cross_entropy_with_logits(targets.part, heads[name]), weight)

    def offsets(prediction, target, mask, use_huber, factor):
        error = prediction - target
        return factor * weighted_mean(huber(error) if use_huber else tf.square(error), mask)

    losses = {"part_loss": parts("part_pred")}
    if cfg.intermediate_supervision:
        losses["part_loss_interm"] = parts("intermediate_supervision")
    if cfg.location_refinement:
        losses["locref_loss"] = offsets(heads["locref_pred"], targets.locref, targets.locref_mask,
                                        cfg.locref_huber_loss, cfg.locref_loss_weight)  # fmt: skip
    if cfg.pairwise_predict:
        losses["pairwise_loss"] = offsets(heads["pairwise_pred"], targets.pairwise, targets.pairwise_mask,
                                          cfg.pairwise_huber_loss, cfg.pairwise_loss_weight)  # fmt: skip
    return losses | {"total_loss": tf.add_n(list(losses.values()))}
