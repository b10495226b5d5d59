"""Dynamic loss scaling for float16, whose small gradients would vanish (Micikevicius et al., arXiv 1710.03740)."""

import tensorflow as tf

from nnet.checkpoint_names import LOSS_SCALE, LOSS_SCALE_GOOD_STEPS

START, LARGEST = 2.0**15, 2.0**24
# The scale doubles after this many steps without an overflow.
PATIENCE = 2000


class LossScale:
    """The factor on the loss: halved when gradients overflow (that step is skipped), doubled after many good steps."""

    def __init__(self):
        self.scale = tf.Variable(START, trainable=False)
        self.good_steps = tf.Variable(0.0, trainable=False)

    def variables(self) -> dict[str, tf.Variable]:
        """Its state, by the names it has in snapshots."""
        return {LOSS_SCALE: self.scale, LOSS_SCALE_GOOD_STEPS: self.good_steps}

    def unscale(self, gradients: list[tf.Tensor]) -> tuple[list[tf.Tensor], tf.Tensor]:
        """The gradients of the loss itself, and whether all are finite."""
        gradients = [gradient / self.scale for gradient in gradients]
        return gradients, tf.reduce_all([tf.reduce_all(tf.math.is_finite(gradient)) for gradient in gradients])

    def update(self, finite: tf.Tensor) -> None:
        """Adapt the scale after a step, in a graph."""
        good_steps = tf.where(finite, self.good_steps + 1, 0.0)
        grows = good_steps >= PATIENCE
        factor = tf.where(finite, tf.where(grows, 2.0, 1.0), 0.5)
        self.scale.assign(tf.clip_by_value(self.scale * factor, 1.0, LARGEST))
        self.good_steps.assign(tf.where(grows, 0.0, good_steps))
