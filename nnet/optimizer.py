"""The optimizers of training: descent with momentum, Adam and AdamW, and the moving average of the weights.

The formulas, and the names of the state, are TensorFlow 1's.
"""

from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from nnet.checkpoint_names import AVERAGE, FIRST_MOMENT, MOMENTUM, OPTIMIZER_STEPS, SECOND_MOMENT, head_of, is_kernel

# The share of the accumulated gradients that momentum keeps at each step.
KEPT = 0.9
# Adam's constants (Kingma and Ba, arXiv 1412.6980): the shares of the moments kept, and the term beside the root.
KEPT_FIRST, KEPT_SECOND, EPSILON = 0.9, 0.999, 1e-7


class Optimizer:
    """Changes variables by gradients. Make it, and use it, in the scope of a tf.distribute strategy.

    cfg: `optimizer`, `weight_decay` (adamw: of kernels), `ema_decay` and `backbone_rate`
    variables: what is trained, by slim name
    """

    def __init__(self, cfg, variables: Mapping[str, keras.Variable]):
        self.adaptive = cfg.optimizer != "sgd"
        self.decay = cfg.weight_decay if cfg.optimizer == "adamw" else 0.0
        self.ema_decay, self.backbone_rate = cfg.ema_decay, cfg.backbone_rate
        self.variables = {name: variable.value for name, variable in variables.items()}
        self.steps = tf.Variable(0, trainable=False, dtype=tf.int64)
        self.slots = {slot: self._zeros() for slot in ((FIRST_MOMENT, SECOND_MOMENT) if self.adaptive else (MOMENTUM,))}
        self.averages = self._zeros() if cfg.ema_decay else {}

    def _zeros(self) -> dict[str, tf.Variable]:
        return {name: tf.Variable(tf.zeros(var.shape), trainable=False) for name, var in self.variables.items()}

    def state(self) -> dict[str, tf.Variable]:
        """All that a restart needs, by the names it has in snapshots."""
        kinds = self.slots | {AVERAGE: self.averages}
        arrays = {f"{name}/{kind}": variable for kind, slots in kinds.items() for name, variable in slots.items()}
        return arrays | {OPTIMIZER_STEPS: self.steps}

    def descend(self, gradients: Sequence[tf.Tensor], rate: tf.Tensor) -> None:
        """Change the variables, on all devices, by a gradient for each, in their order."""
        step = tf.cast(self.steps + 1, tf.float32)
        correction = tf.sqrt(1 - KEPT_SECOND**step) / (1 - KEPT_FIRST**step)
        for (name, variable), gradient in zip(self.variables.items(), gradients, strict=True):
            own_rate = rate if head_of(name) else rate * self.backbone_rate
            slots = [slot[name] for slot in self.slots.values()]
            if self.decay and is_kernel(name):
                _on_each_device(_shrink, variable, own_rate * self.decay)
            if self.adaptive:
                _on_each_device(_adam, variable, gradient, own_rate * correction, *slots)
            else:
                _on_each_device(_momentum, variable, gradient, own_rate, *slots)

    def count_step(self) -> None:
        """End a step, even one without `descend`: count it and move the averages, which begin as the first weights."""
        kept = tf.where(self.steps > 0, tf.cast(self.ema_decay, tf.float32), 0.0)
        for name, average in self.averages.items():
            _on_each_device(_average, average, self.variables[name], kept)
        self.steps.assign_add(1)


def _on_each_device(function, variable, *args) -> None:
    tf.distribute.get_strategy().extended.update(variable, function, args)


def _shrink(variable, share):
    variable.assign_sub(variable * share)


def _momentum(variable, gradient, rate, momentum):
    momentum.assign(KEPT * momentum + gradient)
    variable.assign_sub(rate * momentum)


def _adam(variable, gradient, rate, first, second):
    first.assign_add((gradient - first) * (1 - KEPT_FIRST))
    second.assign_add((tf.square(gradient) - second) * (1 - KEPT_SECOND))
    variable.assign_sub(first * rate / (tf.sqrt(second) + EPSILON))


def _average(average, variable, kept):
    average.assign(kept * average + (1 - kept) * variable)
