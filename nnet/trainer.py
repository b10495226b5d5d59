"""One training step, and all that must survive a restart."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf

from nnet import checkpoint
from nnet.losses import compute_losses
from nnet.net_factory import pose_net
from nnet.targets import make_targets
from util.errors import InputError
from util.pairwise_stats import PairwiseStats


class Trainer:
    """Network and optimizer.

    stats: needed where `cfg.pairwise_predict` is on
    Raises InputError for an impossible network.
    """

    def __init__(self, cfg, stats: PairwiseStats | None = None):
        self.cfg, self.stats = cfg, stats
        keras.utils.set_random_seed(cfg.seed)
        self.net = pose_net(cfg, compute_dtype(cfg.precision))
        self.optimizer = _optimizer(cfg, self.net)
        self.slim_variables = self.net.slim_variables()
        # One graph for all sizes. Tracing again for every size would cost seconds each, and with one side known and
        # the other not, TensorFlow's graph optimizer mixes the sides up in gradients (seen with 2.20).
        image = tf.TensorSpec([None, None, None, 3], tf.uint8)
        people = tf.TensorSpec([None, None, cfg.num_joints, 3], tf.float32)
        weight, scale = tf.TensorSpec([None, None, None], tf.float32), tf.TensorSpec([None], tf.float32)
        self._compiled_step = tf.function(self._step, input_signature=[image, people, weight, scale])
        self._compiled_part_prob = tf.function(self._part_prob, input_signature=[image])

    def initialize(self, init_weights: str) -> int:
        """Start at step 0, from the checkpoint named (all of it, or the backbone) or from random weights."""
        if init_weights:
            checkpoint.initialize(self.slim_variables, init_weights)
        else:
            logging.info("starting from random weights")
        return 0

    def restore_newest(self, prefix: str) -> int | None:
        """Continue from the newest snapshot in the current directory; its step, or None without one."""
        newest = checkpoint.latest_snapshot(".", prefix)
        if newest is None:
            return None
        state = checkpoint.read_checkpoint(newest)
        checkpoint.load_weights(self.slim_variables, newest)
        step = int(state.get(checkpoint.GLOBAL_STEP, newest.rpartition("-")[2]))
        slots = self._slots()
        missing = [name for name in slots if name not in state]
        if missing:
            logging.info("%s: holds no state of the %s optimizer; it starts anew", newest, self.cfg.optimizer)
        else:
            for name, variable in slots.items():
                variable.assign(state[name])
            self.optimizer.iterations.assign(step)
        logging.info("resuming from %s: step %d, weights%s", newest, step, "" if missing else " and optimizer")
        return step

    def save(self, path: str, step: int, score: float | None = None) -> None:
        """Write weights, optimizer and step, from which the position in the data follows. Raises InputError.

        score: to be kept with them
        """
        extra = {checkpoint.GLOBAL_STEP: np.int64(step)}
        if score is not None:
            extra[checkpoint.SCORE] = np.float64(score)
        state = {name: variable.numpy() for name, variable in (self.slim_variables | self._slots()).items()}
        checkpoint.write_checkpoint(path, state | extra)

    def _slots(self) -> dict[str, keras.Variable]:
        """The optimizer's variables, named as TensorFlow 1 names them."""
        names = {id(variable): name for name, variable in self.slim_variables.items()}
        owners = [names[id(variable)] for variable in self.net.trainable_variables]
        if self.cfg.optimizer == "sgd":
            slots = {"Momentum": self.optimizer.momentums}
        else:
            slots = {"Adam": self.optimizer._momentums, "Adam_1": self.optimizer._velocities}
        if self.cfg.ema_decay:
            slots[checkpoint.AVERAGE] = self.optimizer._model_variables_moving_average
        return {f"{name}/{slot}": variable for slot, variables in slots.items()
                for name, variable in zip(owners, variables, strict=True)}  # fmt: skip

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

    def step(self, batch: dict[str, np.ndarray], rate: float) -> dict[str, float]:
        """One step of descent on a batch (of dataset.pipeline) at a learning rate; the losses before it.

        Raises InputError when the memory does not suffice.
        """
        tensors = [tf.convert_to_tensor(batch[name]) for name in ("image", "people", "weight", "scale")]
        self.optimizer.learning_rate.assign(rate)
        try:
            losses = self._compiled_step(*tensors)
        except tf.errors.ResourceExhaustedError as error:
            size = "x".join(map(str, batch["image"].shape[:3]))
            raise InputError(f"no memory for a batch of {size} pixels: lower batch_size or max_input_size") from error
        return {name: float(value) for name, value in losses.items()}

    def _step(self, image, people, weight, scale):
        targets = make_targets(people, weight, scale, self.cfg, self.stats)
        with tf.GradientTape() as tape:
            heads = self.net.apply_heads(self.net.features(image, training=True), targets.cells)
            losses = compute_losses(heads, targets, self.cfg)
            objective = losses["total_loss"]
            if self.cfg.regularize:
                decay = tf.add_n([tf.nn.l2_loss(kernel.value) for kernel in self.net.kernels()])
                objective += self.cfg.weight_decay * decay
        gradients = tape.gradient(objective, self.net.trainable_variables)
        self.optimizer.apply(gradients, self.net.trainable_variables)
        return losses

    def part_prob(self, batch: dict[str, np.ndarray]) -> np.ndarray:
        """The part probabilities (B, h, w, J) of a batch, as inference would give them."""
        return self._compiled_part_prob(tf.convert_to_tensor(batch["image"])).numpy()

    def _part_prob(self, image):
        return tf.sigmoid(self.net.heads["part_pred"](self.net.features(image)["features"]))


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


def compute_dtype(precision: str) -> str:
    """The type of the convolutions' arithmetic: for "auto", bfloat16 where the hardware computes in it."""
    if precision != "auto":
        return precision
    return "bfloat16" if tf.config.list_physical_devices("GPU") or _processor_has_bfloat16() else "float32"


def _processor_has_bfloat16():
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="ignore") as file:
            return any(flag in file.read() for flag in ("avx512_bf16", "amx_bf16"))
    except OSError:
        return False


class SummaryWriter:
    """Scalars and score maps for TensorBoard."""

    def __init__(self, folder: str | os.PathLike):
        self._writer = tf.summary.create_file_writer(os.fspath(folder))

    def scalars(self, step: int, values: dict[str, float]) -> None:
        with self._writer.as_default(step):
            for name, value in values.items():
                tf.summary.scalar(name, value)
        self._writer.flush()

    def score_maps(self, step: int, name: str, image: np.ndarray, part_prob: np.ndarray) -> None:
        """An image (H, W, 3) beside the strongest probability of any part, and each part (h, w, J) by itself."""
        small = tf.image.resize(image, part_prob.shape[:2]) / 255
        strongest = tf.repeat(part_prob.max(axis=-1, keepdims=True), 3, axis=-1)
        with self._writer.as_default(step):
            tf.summary.image(f"{name}/parts", tf.concat([small, strongest], axis=1)[None])
            tf.summary.image(f"{name}/part", np.moveaxis(part_prob, -1, 0)[..., None], max_outputs=part_prob.shape[-1])
        self._writer.flush()
