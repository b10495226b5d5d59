"""Training steps, and the state that survives a restart."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

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
        # One graph for all sizes. Tracing again for every size would cost seconds each, and with one side known and
        # the other not, TensorFlow's graph optimizer mixes the sides up in gradients (seen with 2.20).
        image = tf.TensorSpec([None, None, None, 3], tf.uint8)
        people = tf.TensorSpec([None, None, spec.num_joints, 3], tf.float32)
        weight, scale = tf.TensorSpec([None, None, None], tf.float32), tf.TensorSpec([None], tf.float32)
        batch, counts, rate = [image, people, weight, scale], tf.TensorSpec([3]), tf.TensorSpec([])
        self._count = self._summed(self._count_here, batch)
        self._losses = self._summed(self._losses_here, batch, counts)
        self._gradients = self._summed(self._gradients_here, batch, counts)
        gradients = [tf.TensorSpec(variable.shape) for variable in trained.values()]
        self._descend = tf.function(self._descend_by, input_signature=[gradients, rate])
        self._compiled_part_prob = tf.function(self._part_prob, input_signature=[image])

    def _summed(self, function: Callable, batch: list[tf.TensorSpec], *shared: tf.TensorSpec) -> Callable:
        """A graph that sums function(*batch, *shared) over all devices, each of which gets its part of the batch."""

        def graph(*args):
            parts, rest = args[: len(batch)], args[len(batch) :]
            return self.devices.first(self.devices.run(lambda *own: self.devices.sum(function(*own)), parts, *rest))

        return tf.function(graph, input_signature=[*batch, *shared])

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
        gradients, losses = self._over(self._gradients, batches)
        self.devices.watch(self._descend, gradients, tf.constant(rate, tf.float32))
        return {name: float(value) for name, value in losses.items()}

    def losses_now(self, batches: Sequence[dict[str, np.ndarray]]) -> dict[str, float]:
        """The losses that the next step on these batches would return; changes nothing. Raises InputError as `step`."""
        moments = {name: variable.numpy() for name, variable in self.slim_variables.items() if "/moving_" in name}
        losses = self._over(self._losses, batches)
        for name, value in moments.items():
            self.slim_variables[name].assign(value)
        return {name: float(value) for name, value in losses.items()}

    def _over(self, function: Callable, batches: Sequence[dict[str, np.ndarray]]) -> Any:
        """The sum of a function of each batch and of the number of targets in all of them."""
        batches = [
            [tf.convert_to_tensor(batch[name]) for name in ("image", "people", "weight", "scale")] for batch in batches
        ]
        try:
            counts = tf.add_n([self.devices.watch(self._count, *batch) for batch in batches])
            results = [self.devices.watch(function, *batch, counts) for batch in batches]
        except tf.errors.ResourceExhaustedError as error:
            raise InputError(_no_memory(self.cfg, batches)) from error
        return tf.nest.map_structure(lambda *terms: tf.add_n(terms), *results)

    def _count_here(self, _image, *labels):
        return count_targets(make_targets(*labels, self.cfg, self.spec))

    def _losses_here(self, image, people, weight, scale, counts):
        """The losses of a piece of a batch; over all its pieces they sum up to those of the batch.

        counts: `losses.count_targets` of the batch
        """
        targets = make_targets(people, weight, scale, self.cfg, self.spec)
        heads = self.net.apply_heads(self.net.features(image, training=True), targets.cells)
        return compute_losses(heads, targets, self.cfg, self.spec, counts)

    def _gradients_here(self, *batch_and_counts):
        """The gradients of a piece, which sum up as its losses do, and these."""
        with tf.GradientTape() as tape:
            losses = self._losses_here(*batch_and_counts)
            objective = losses["total_loss"]
            if self.cfg.regularize:
                kernels = [variable.value for name, variable in self.slim_variables.items() if is_kernel(name)]
                decay = tf.add_n([tf.nn.l2_loss(kernel) for kernel in kernels])
                objective += self.cfg.weight_decay / (self.devices.replicas * self.cfg.accumulate_steps) * decay
            if self.loss_scale:
                objective *= self.loss_scale.scale
        return tape.gradient(objective, list(self.optimizer.variables.values())), losses

    def _descend_by(self, gradients, rate):
        with self.devices.strategy.scope():
            gradients, finite = self.loss_scale.unscale(gradients) if self.loss_scale else (gradients, True)
            if finite:
                self.optimizer.descend(gradients, rate)
            if self.loss_scale:
                self.loss_scale.update(finite)
            # A skipped step counts too: the steps of optimizer and data stay together.
            self.optimizer.count_step()

    def score_maps(self, image: np.ndarray) -> Maps:
        """The score maps of a uint8 (H, W, 3) RGB image, as inference would give them, and nothing else."""
        return Maps(self._compiled_part_prob(image[None]).numpy()[0], self.spec.stride)

    def _part_prob(self, image):
        return tf.sigmoid(self.net.heads["part_pred"](self.net.features(image)["features"]))


def _no_memory(cfg, batches: Sequence[Sequence[tf.Tensor]]) -> str:
    """What to say, and which key to change, when the largest batch is too large."""
    count, height, width, _ = max((batch[0].shape for batch in batches), key=np.prod)
    if count > 1:
        remedy = "lower batch_size, and raise accumulate_steps by as much"
    else:
        remedy = "lower crop_size" if cfg.crop_size else "lower max_input_size"
    return f"no memory for a batch of {count} images of {width}x{height} pixels: {remedy}"
