"""One training step, and all that must survive a restart."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf

from dataset.pair_offsets import PairwiseStats
from nnet import checkpoint
from nnet.devices import Devices
from nnet.loss_scale import LossScale
from nnet.losses import compute_losses, count_targets
from nnet.net_factory import pose_net
from nnet.precision import compute_dtype
from nnet.targets import make_targets
from util.errors import InputError

MAX_STEP = 10**9


def step_of(path: str, state: Mapping[str, np.ndarray]) -> int:
    """The step of a snapshot: what it holds, else what its name says. Raises InputError where that is no step."""
    step = np.asarray(state.get(checkpoint.GLOBAL_STEP, int(path.rpartition("-")[2])))
    if step.ndim or not 0 <= step <= MAX_STEP:
        raise InputError(f"{path}: global_step is {str(step)[:60]}, which is no step; remove this snapshot")
    return int(step)


class Trainer:
    """Network and optimizer.

    stats: needed where `cfg.pairwise_predict` is on
    devices: to train on, by default one
    Raises InputError for an impossible network.
    """

    def __init__(self, cfg, stats: PairwiseStats | None = None, devices: Devices | None = None):
        self.cfg, self.stats, self.devices = cfg, stats, devices or Devices()
        keras.utils.set_random_seed(cfg.seed)
        dtype = compute_dtype(cfg.precision)
        with self.devices.strategy.scope():
            self.net = pose_net(cfg, dtype)
            self.optimizer = _optimizer(cfg, self.net)
            self.loss_scale = LossScale() if dtype == "float16" else None
            # Sums of gradients over the pieces of a step, on each device its own.
            self._sums = [
                _local_zeros(variable.shape) for variable in self.net.trainable_variables if cfg.accumulate_steps > 1
            ]
        self.slim_variables = self.net.slim_variables()
        # One graph for all sizes. Tracing again for every size would cost seconds each, and with one side known and
        # the other not, TensorFlow's graph optimizer mixes the sides up in gradients (seen with 2.20).
        image = tf.TensorSpec([None, None, None, 3], tf.uint8)
        people = tf.TensorSpec([None, None, cfg.num_joints, 3], tf.float32)
        weight, scale = tf.TensorSpec([None, None, None], tf.float32), tf.TensorSpec([None], tf.float32)
        batch = [image, people, weight, scale]
        self._compiled_step = tf.function(self._step, input_signature=batch)
        self._compiled_count = tf.function(self._count, input_signature=batch[1:])
        self._compiled_add = tf.function(self._add, input_signature=[*batch, tf.TensorSpec([3], tf.float32)])
        self._compiled_finish = tf.function(self._finish, input_signature=[])
        self._compiled_part_prob = tf.function(self._part_prob, input_signature=[image])

    def start(self, prefix: str, init_weights: str) -> int:
        """Continue from the newest good snapshot or initialize, as the chief finds its files; the step."""
        step = 0
        if self.devices.chief:
            # In this order: weights of an earlier run win over init_weights, random weights are the last resort.
            newest = checkpoint.read_newest(".", prefix)
            if newest:
                step = self.restore(*newest)
            elif init_weights:
                checkpoint.initialize(self.slim_variables, init_weights)
            else:
                logging.info("starting from random weights")
        self.devices.broadcast(list(self._state().values()))
        step, iterations = self.devices.gather([step, self.optimizer.iterations.numpy()])[0].tolist()
        self.optimizer.iterations.assign(iterations)
        return step

    def restore(self, path: str, state: dict[str, np.ndarray]) -> int:
        """Continue from a snapshot and its arrays; its step. Raises InputError if its weights do not fit."""
        checkpoint.load_weights(self.slim_variables, path)
        step = step_of(path, state)
        slots = self._slots()
        misfits = any(checkpoint.misfits(slots, {name: array.shape for name, array in state.items()}))
        if misfits:
            logging.info("%s: holds no state of the %s optimizer; it starts anew", path, self.cfg.optimizer)
        else:
            for name, variable in slots.items():
                variable.assign(state[name])
            self.optimizer.iterations.assign(step)
        for name, variable in self._scaling().items():
            variable.assign(state.get(name, variable))
        logging.info("resuming from %s: step %d, weights%s", path, step, "" if misfits else " and optimizer")
        return step

    def save(self, path: str, step: int, score: float | None = None) -> None:
        """Write weights, optimizer and step, from which the position in the data follows. Raises InputError.

        score: to be kept with them
        """
        extra = {checkpoint.GLOBAL_STEP: np.int64(step)}
        if score is not None:
            extra[checkpoint.SCORE] = np.float64(score)
        state = {name: variable.numpy() for name, variable in self._state().items()}
        checkpoint.write_checkpoint(path, state | extra)

    def _state(self):
        """All variables that a restart needs, by their names in snapshots."""
        return self.slim_variables | self._slots() | self._scaling()

    def _slots(self) -> dict[str, keras.Variable]:
        """The optimizer's variables, named as TensorFlow 1 names them."""
        names = {id(variable): name for name, variable in self.slim_variables.items()}
        owners = [names[id(variable)] for variable in self.net.trainable_variables]
        if self.cfg.optimizer == "sgd":
            slots = {checkpoint.MOMENTUM: self.optimizer.momentums}
        else:
            slots = {
                checkpoint.FIRST_MOMENT: self.optimizer._momentums,
                checkpoint.SECOND_MOMENT: self.optimizer._velocities,
            }
        if self.cfg.ema_decay:
            slots[checkpoint.AVERAGE] = self.optimizer._model_variables_moving_average
        return {
            f"{name}/{slot}": variable
            for slot, variables in slots.items()
            for name, variable in zip(owners, variables, strict=True)
        }

    def _scaling(self) -> dict[str, tf.Variable]:
        return self.loss_scale.variables() if self.loss_scale else {}

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The moving averages in place of the weights while the block lasts, if there are some."""
        if not self.cfg.ema_decay:
            yield
            return
        variables = self.net.trainable_variables
        weights = [variable.numpy() for variable in variables]
        for variable, average in zip(variables, self.optimizer._model_variables_moving_average, strict=True):
            variable.assign(average)
        try:
            yield
        finally:
            for variable, weight in zip(variables, weights, strict=True):
                variable.assign(weight)

    def step(self, batch: dict[str, np.ndarray], rate: float, *more: dict[str, np.ndarray]) -> dict[str, float]:
        """One step of descent on a batch (of dataset.pipeline) at a learning rate; the losses before it.

        more: with `accumulate_steps` the other batches of the step; as far as batch norm is frozen, the step is that
            of one batch with all their images
        Raises InputError when the memory does not suffice, or another worker has gone.
        """
        self.optimizer.learning_rate.assign(rate)
        pieces = [
            [tf.convert_to_tensor(piece[name]) for name in ("image", "people", "weight", "scale")]
            for piece in (batch, *more)
        ]
        try:
            if more:
                losses = self.devices.watch(self._accumulated, pieces)
            else:
                losses = self.devices.watch(self._compiled_step, *pieces[0])
        except tf.errors.ResourceExhaustedError as error:
            raise InputError(_no_memory(self.cfg, [batch, *more])) from error
        return {name: float(value) for name, value in losses.items()}

    def losses_now(self, batch: dict[str, np.ndarray], *more: dict[str, np.ndarray]) -> dict[str, float]:
        """The losses that the next step on these batches would return; nothing changes. Raises InputError as `step`."""
        before = {name: variable.numpy() for name, variable in self._state().items()}
        iterations = self.optimizer.iterations.numpy()
        losses = self.step(batch, 0.0, *more)
        for name, variable in self._state().items():
            variable.assign(before[name])
        self.optimizer.iterations.assign(iterations)
        return losses

    def _step(self, *batch):
        gradients, losses = self.devices.run(self._summed_gradients, batch)
        self._descend(gradients)
        return self.devices.first(losses)

    def _accumulated(self, pieces):
        """The same as `_step` with one piece after the other, which takes the memory of one."""
        counts = tf.add_n([self._compiled_count(*piece[1:]) for piece in pieces])
        losses = [self._compiled_add(*piece, counts) for piece in pieces]
        self._compiled_finish()
        return tf.nest.map_structure(lambda *terms: tf.add_n(terms), *losses)

    def _count(self, *labels):
        return self.devices.first(self.devices.run(lambda *some: self.devices.sum(self._target_counts(*some)), labels))

    def _target_counts(self, people, weight, scale):
        return count_targets(make_targets(people, weight, scale, self.cfg, self.stats))

    def _add(self, image, people, weight, scale, counts):
        return self.devices.first(self.devices.run(self._add_here, [image, people, weight, scale], counts))

    def _add_here(self, *batch_and_counts):
        gradients, losses = self._gradients(*batch_and_counts)
        for total, gradient in zip(self._sums, gradients, strict=True):
            total.assign_add(gradient)
        return self.devices.sum(losses)

    def _finish(self):
        self._descend(self.devices.run(self._take_sums, []))

    def _take_sums(self):
        gradients = self.devices.sum([tf.identity(total) for total in self._sums])
        for total in self._sums:
            total.assign(tf.zeros_like(total))
        return gradients

    def _summed_gradients(self, image, people, weight, scale):
        """Gradients and losses of the whole batch, on one of the devices that have parts of it."""
        counts = None
        if self.devices.replicas > 1:
            counts = self.devices.sum(self._target_counts(people, weight, scale))
        return self.devices.sum(self._gradients(image, people, weight, scale, counts))

    def _gradients(self, image, people, weight, scale, counts):
        """Gradients and losses of a piece of a batch, whose sums are those of the batch.

        counts: of the batch (losses.count_targets), None if this is all of it
        """
        targets = make_targets(people, weight, scale, self.cfg, self.stats)
        with tf.GradientTape() as tape:
            heads = self.net.apply_heads(self.net.features(image, training=True), targets.cells)
            losses = compute_losses(heads, targets, self.cfg, counts)
            objective = losses["total_loss"]
            if self.cfg.regularize:
                decay = tf.add_n([tf.nn.l2_loss(kernel.value) for kernel in self.net.kernels()])
                objective += self.cfg.weight_decay / (self.devices.replicas * self.cfg.accumulate_steps) * decay
            if self.loss_scale:
                objective *= self.loss_scale.scale
        return tape.gradient(objective, self.net.trainable_variables), losses

    def _descend(self, gradients):
        with self.devices.together():
            if self.loss_scale:
                self._descend_if_finite(gradients)
            else:
                self.optimizer.apply(gradients, self.net.trainable_variables)

    def _descend_if_finite(self, gradients):
        gradients, finite = self.devices.run(self.loss_scale.unscale, [], gradients)
        finite = self.devices.first(finite)
        if finite:
            self.optimizer.apply(gradients, self.net.trainable_variables)
        else:
            # A step left out counts: the steps of optimizer and data stay together.
            self.optimizer.iterations.assign_add(1)
        self.loss_scale.update(finite)

    def part_prob(self, batch: dict[str, np.ndarray]) -> np.ndarray:
        """The part probabilities (B, h, w, J) of a batch, as inference would give them."""
        return self._compiled_part_prob(tf.convert_to_tensor(batch["image"])).numpy()

    def _part_prob(self, image):
        return tf.sigmoid(self.net.heads["part_pred"](self.net.features(image)["features"]))


def _local_zeros(shape) -> tf.Variable:
    return tf.Variable(
        tf.zeros(shape),
        trainable=False,
        synchronization=tf.VariableSynchronization.ON_READ,
        aggregation=tf.VariableAggregation.SUM,
    )


def _no_memory(cfg, pieces: Sequence[dict[str, np.ndarray]]) -> str:
    """What to say, and which key to change, when the largest of some batches is too large."""
    count, height, width, _ = max((piece["image"].shape for piece in pieces), key=np.prod)
    if count > 1:
        remedy = "lower batch_size, and raise accumulate_steps by as much"
    else:
        remedy = "lower crop_size" if cfg.crop_size else "lower max_input_size"
    return f"no memory for a batch of {count} images of {width}x{height} pixels: {remedy}"


def _optimizer(cfg, net) -> keras.Optimizer:
    """The optimizer of `cfg`, ready to train `net`; the learning rate is set at each step."""
    average = {"use_ema": cfg.ema_decay > 0, "ema_momentum": cfg.ema_decay}
    if cfg.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(0.0, momentum=0.9, **average)
    elif cfg.optimizer == "adam":
        optimizer = keras.optimizers.Adam(0.0, **average)
    else:
        optimizer = keras.optimizers.AdamW(0.0, weight_decay=cfg.weight_decay, **average)
        kernels = {id(kernel) for kernel in net.kernels()}
        optimizer.exclude_from_weight_decay([var for var in net.trainable_variables if id(var) not in kernels])
    optimizer.build(net.trainable_variables)
    return optimizer
