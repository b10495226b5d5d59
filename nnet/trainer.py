"""Training steps, and the state that survives a restart."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf

from dataset.model_spec import ModelSpec
from nnet import checkpoint
from nnet.checkpoint_names import GLOBAL_STEP, OPTIMIZER_STEPS, SCORE, is_kernel
from nnet.devices import Devices
from nnet.loss_scale import LossScale
from nnet.losses import compute_losses, count_targets
from nnet.net_factory import pose_net
from nnet.optimizer import Optimizer
from nnet.precision import compute_dtype
from nnet.targets import make_targets
from util.errors import InputError
from util.frozen_weights import require_no_promise
from util.maps import Maps

MAX_STEP = 10**9


def step_of(path: str, state: Mapping[str, np.ndarray]) -> int:
    """The step stored in a snapshot, or else in its name. Raises InputError for an impossible one."""
    step = np.asarray(state.get(GLOBAL_STEP, int(path.rpartition("-")[2])))
    if step.ndim or not 0 <= step <= MAX_STEP:
        raise InputError(f"{path}: global_step is {str(step)[:60]}, which is no step; remove this snapshot")
    return int(step)


class Trainer:
    """A network in training, with its optimizer.

    spec: what it is to become
    devices: to train on; by default one
    Raises InputError for an impossible network, and in a process for trained networks only.
    """

    def __init__(self, cfg, spec: ModelSpec, devices: Devices | None = None):
        require_no_promise("to train")
        self.cfg, self.spec, self.devices = cfg, spec, devices or Devices()
        keras.utils.set_random_seed(cfg.seed)
        dtype = compute_dtype(cfg.precision)
        with self.devices.strategy.scope():
            self.net = pose_net(cfg, spec, dtype)
            self.slim_variables = self.net.slim_variables()
            trained = {name: variable for name, variable in self.slim_variables.items() if variable.trainable}
            self.optimizer = Optimizer(cfg, trained)
            self.loss_scale = LossScale() if dtype == "float16" else None
            # Each device's sums of gradients over the batches of a step.
            self._sums = [_local_zeros(variable.shape) for variable in trained.values() if cfg.accumulate_steps > 1]
        # One graph for all sizes. Tracing again for every size would cost seconds each, and with one side known and
        # the other not, TensorFlow's graph optimizer mixes the sides up in gradients (seen with 2.20).
        image = tf.TensorSpec([None, None, None, 3], tf.uint8)
        people = tf.TensorSpec([None, None, spec.num_joints, 3], tf.float32)
        weight, scale = tf.TensorSpec([None, None, None], tf.float32), tf.TensorSpec([None], tf.float32)
        batch, rate = [image, people, weight, scale], tf.TensorSpec([], tf.float32)
        self._compiled_step = tf.function(self._step, input_signature=[rate, *batch])
        self._compiled_count = tf.function(self._count, input_signature=batch[1:])
        self._compiled_add = tf.function(self._add, input_signature=[*batch, tf.TensorSpec([3], tf.float32)])
        self._compiled_finish = tf.function(self._finish, input_signature=[rate])
        self._compiled_part_prob = tf.function(self._part_prob, input_signature=[image])

    def start(self, prefix: str, init_weights: str) -> int:
        """Continue from the newest good snapshot in the chief's folder, or initialize; returns the step."""
        step = 0
        if self.devices.chief:
            # In this order: a snapshot wins over init_weights, and random weights are the last resort.
            newest = checkpoint.read_newest(".", prefix)
            if newest:
                step = self.restore(*newest)
            elif init_weights:
                checkpoint.initialize(self.slim_variables, init_weights)
            else:
                logging.info("starting from random weights")
        self.devices.broadcast(list(self.state().values()))
        return int(self.devices.gather([step])[0, 0])

    def restore(self, path: str, arrays: Mapping[str, np.ndarray]) -> int:
        """Continue from the arrays of a snapshot; returns its step. Raises InputError if its weights do not fit."""
        checkpoint.load_weights(self.slim_variables, path)
        step = step_of(path, arrays)
        optimizer = self._restore_optimizer(arrays, step)
        if not optimizer:
            logging.info("%s: no state that the %s optimizer can use, which starts anew", path, self.cfg.optimizer)
        for name, variable in self._scaling().items():
            variable.assign(arrays.get(name, variable))
        logging.info("resuming from %s: step %d, weights%s", path, step, " and optimizer" if optimizer else "")
        return step

    def _restore_optimizer(self, arrays, step) -> bool:
        """Take the optimizer's state from a snapshot; False if that lacks it."""
        if self.optimizer.adaptive:
            # Older snapshots lack this count. The momentum in them is not read: it is a sum of changes of weights, not
            # of gradients, and the learning rates between the two are unknown.
            arrays = {OPTIMIZER_STEPS: np.int64(step), **arrays}
        state = self.optimizer.state()
        if checkpoint.misfits(state, {name: array.shape for name, array in arrays.items()}):
            return False
        for name, variable in state.items():
            variable.assign(arrays[name])
        return True

    def save(self, path: str, step: int, score: float | None = None) -> None:
        """Write weights, optimizer state and step, which also gives the position in the data. Raises InputError.

        score: the score of these weights, if known
        """
        extra = {GLOBAL_STEP: np.int64(step)}
        if score is not None:
            extra[SCORE] = np.float64(score)
        state = {name: variable.numpy() for name, variable in self.state().items()}
        checkpoint.write_checkpoint(path, state | extra)

    def state(self) -> dict[str, keras.Variable | tf.Variable]:
        """All variables that a restart needs, by the names they have in snapshots."""
        return self.slim_variables | self.optimizer.state() | self._scaling()

    def _scaling(self) -> dict[str, tf.Variable]:
        return self.loss_scale.variables() if self.loss_scale else {}

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within the block the weights are their moving averages, if the configuration asks for these."""
        weights = {name: self.slim_variables[name].numpy() for name in self.optimizer.averages}
        for name, average in self.optimizer.averages.items():
            self.slim_variables[name].assign(average)
        try:
            yield
        finally:
            for name, weight in weights.items():
                self.slim_variables[name].assign(weight)

    def step(self, batches: Sequence[dict[str, np.ndarray]], rate: float) -> dict[str, float]:
        """One step of descent at a learning rate; returns the losses before it.

        batches: `accumulate_steps` batches of dataset.pipeline; with frozen batch norm the step is that of a single
            batch with all their images
        Raises InputError when the memory does not suffice, or another worker is gone.
        """
        rate = tf.constant(rate, tf.float32)
        pieces = [
            [tf.convert_to_tensor(batch[name]) for name in ("image", "people", "weight", "scale")] for batch in batches
        ]
        try:
            if len(pieces) > 1:
                losses = self.devices.watch(self._accumulated, rate, pieces)
            else:
                losses = self.devices.watch(self._compiled_step, rate, *pieces[0])
        except tf.errors.ResourceExhaustedError as error:
            raise InputError(_no_memory(self.cfg, batches)) from error
        return {name: float(value) for name, value in losses.items()}

    def losses_now(self, batches: Sequence[dict[str, np.ndarray]]) -> dict[str, float]:
        """The losses that the next step on these batches would return; changes nothing. Raises InputError as `step`."""
        before = {name: variable.numpy() for name, variable in self.state().items()}
        losses = self.step(batches, 0.0)
        for name, variable in self.state().items():
            variable.assign(before[name])
        return losses

    def _step(self, rate, *batch):
        gradients, losses = self.devices.run(self._summed_gradients, batch)
        self._descend(gradients, rate)
        return self.devices.first(losses)

    def _accumulated(self, rate, pieces):
        """Like `_step`, but batch by batch, in the memory that one takes."""
        counts = tf.add_n([self._compiled_count(*piece[1:]) for piece in pieces])
        losses = [self._compiled_add(*piece, counts) for piece in pieces]
        self._compiled_finish(rate)
        return tf.nest.map_structure(lambda *terms: tf.add_n(terms), *losses)

    def _count(self, *labels):
        return self.devices.first(self.devices.run(self._summed_counts, labels))

    def _summed_counts(self, people, weight, scale):
        """The counts of the whole batch; each device has a part of it."""
        return self.devices.sum(count_targets(make_targets(people, weight, scale, self.cfg, self.spec)))

    def _add(self, image, people, weight, scale, counts):
        return self.devices.first(self.devices.run(self._add_here, [image, people, weight, scale], counts))

    def _add_here(self, *batch_and_counts):
        gradients, losses = self._gradients(*batch_and_counts)
        for total, gradient in zip(self._sums, gradients, strict=True):
            total.assign_add(gradient)
        return self.devices.sum(losses)

    def _finish(self, rate):
        self._descend(self.devices.run(self._take_sums, []), rate)

    def _take_sums(self):
        gradients = self.devices.sum([tf.identity(total) for total in self._sums])
        for total in self._sums:
            total.assign(tf.zeros_like(total))
        return gradients

    def _summed_gradients(self, image, people, weight, scale):
        """Gradients and losses of the whole batch; each device has a part of it."""
        counts = None
        if self.devices.replicas > 1:
            counts = self._summed_counts(people, weight, scale)
        return self.devices.sum(self._gradients(image, people, weight, scale, counts))

    def _gradients(self, image, people, weight, scale, counts):
        """Gradients and losses of a piece of a batch; summed over its pieces they are those of the batch.

        counts: `losses.count_targets` of the batch, or None if this is all of it
        """
        targets = make_targets(people, weight, scale, self.cfg, self.spec)
        with tf.GradientTape() as tape:
            heads = self.net.apply_heads(self.net.features(image, training=True), targets.cells)
            losses = compute_losses(heads, targets, self.cfg, self.spec, counts)
            objective = losses["total_loss"]
            if self.cfg.regularize:
                kernels = [variable.value for name, variable in self.slim_variables.items() if is_kernel(name)]
                decay = tf.add_n([tf.nn.l2_loss(kernel) for kernel in kernels])
                objective += self.cfg.weight_decay / (self.devices.replicas * self.cfg.accumulate_steps) * decay
            if self.loss_scale:
                objective *= self.loss_scale.scale
        return tape.gradient(objective, list(self.optimizer.variables.values())), losses

    def _descend(self, gradients, rate):
        with self.devices.strategy.scope():
            if self.loss_scale:
                self._descend_if_finite(gradients, rate)
            else:
                self.optimizer.descend(gradients, rate)
            # A skipped step counts too: the steps of optimizer and data stay together.
            self.optimizer.count_step()

    def _descend_if_finite(self, gradients, rate):
        gradients, finite = self.devices.run(self.loss_scale.unscale, [], gradients)
        finite = self.devices.first(finite)
        if finite:
            self.optimizer.descend(gradients, rate)
        self.loss_scale.update(finite)

    def score_maps(self, image: np.ndarray) -> Maps:
        """The score maps of a uint8 (H, W, 3) RGB image, as inference would give them, and nothing else."""
        return Maps(self._compiled_part_prob(image[None]).numpy()[0], self.spec.stride)

    def _part_prob(self, image):
        return tf.sigmoid(self.net.heads["part_pred"](self.net.features(image)["features"]))


def _local_zeros(shape) -> tf.Variable:
    return tf.Variable(
        tf.zeros(shape),
        trainable=False,
        synchronization=tf.VariableSynchronization.ON_READ,
        aggregation=tf.VariableAggregation.SUM,
    )


def _no_memory(cfg, batches: Sequence[dict[str, np.ndarray]]) -> str:
    """What to say, and which key to change, when the largest batch is too large."""
    count, height, width, _ = max((batch["image"].shape for batch in batches), key=np.prod)
    if count > 1:
        remedy = "lower batch_size, and raise accumulate_steps by as much"
    else:
        remedy = "lower crop_size" if cfg.crop_size else "lower max_input_size"
    return f"no memory for a batch of {count} images of {width}x{height} pixels: {remedy}"
