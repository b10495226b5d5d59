"""The devices that a training runs on: one, the GPUs of a machine, or those of several machines.

Several machines learn of each other through the environment variable TF_CONFIG of tf.distribute, which must be set on
each. Every device computes its part of a batch; summed over all devices, steps and losses are those of one device with
the whole batch.

One process, a worker, drives the devices of a machine. The first worker is the chief: it alone reads and writes
snapshots, logs and summaries, and gives the others their state.
"""

import logging
import os
import signal
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nnet.cluster import read_cluster
from nnet.errors import reason
from util.errors import InputError

# What TensorFlow raises in the remaining workers, or on one of their devices, when a worker is gone.
_GONE = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.InternalError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
)
_UNEVEN = "batch_size {batch_size} cannot be shared among {devices} devices: make it a multiple of {devices}"


class Devices:
    """One device, or those of a tf.distribute strategy.

    strategy: None for one device
    workers, worker: how many processes take part, and which one this is
    """

    def __init__(self, strategy: tf.distribute.Strategy | None = None, workers: int = 1, worker: int = 0):
        self.strategy = strategy or tf.distribute.get_strategy()
        self.workers, self.worker = workers, worker
        self.replicas = self.strategy.num_replicas_in_sync
        self._gather = tf.function(self._gather_rows, input_signature=[tf.TensorSpec([workers, None], tf.int64)])

    @property
    def chief(self) -> bool:
        return self.worker == 0

    def share(self, batch_size: int) -> slice:
        """Which images of a batch this worker loads. Raises InputError if they cannot be shared out evenly."""
        if batch_size % self.replicas:
            raise InputError(_UNEVEN.format(batch_size=batch_size, devices=self.replicas))
        size = batch_size // self.workers
        return slice(self.worker * size, (self.worker + 1) * size)

    def run(self, function: Callable, parts: Sequence[tf.Tensor], *shared: Any) -> Any:
        """The results of function(*parts, *shared) on each device; for use in a graph.

        parts: of this worker; their rows are divided equally among its devices
        shared: goes whole to each device
        """
        if self.replicas == 1:
            return function(*parts, *shared)
        return self.strategy.run(lambda *args: function(*map(self._own_rows, parts), *args), shared)

    def _own_rows(self, tensor):
        here = self.replicas // self.workers
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group % here
        with tf.device("CPU:0"):
            count = tf.shape(tensor)[0] // here
            return tensor[replica * count : (replica + 1) * count]

    def sum(self, tensors: Any) -> Any:
        """The sum over all devices; for use inside `run`."""
        if self.replicas == 1:
            return tensors
        # The identities are placed on the device where the sums are wanted.
        tensors = tf.nest.map_structure(tf.identity, tensors)
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, tensors)

    def first(self, values: Any) -> Any:
        """The values of one device from what `run` returned, where all devices agree."""
        return tf.nest.map_structure(lambda value: self.strategy.experimental_local_results(value)[0], values)

    def gather(self, values: Sequence[int]) -> np.ndarray:
        """Integers of each worker, (workers, n) int64. All workers have to call this together."""
        rows = np.zeros((self.workers, len(values)), np.int64)
        rows[self.worker] = values
        if self.workers == 1:
            return rows
        return self.watch(self._gather, tf.constant(rows)).numpy()

    def _gather_rows(self, rows):
        return self.first(self.run(self.sum, [], rows)) // (self.replicas // self.workers)

    def broadcast(self, variables: Sequence[tf.Variable]) -> None:
        """Give the chief's values to all workers, who have to call this together."""
        if self.workers == 1:
            return
        values = self.watch(tf.function(self._chiefs_values), [tf.constant(variable.numpy()) for variable in variables])
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def _chiefs_values(self, values):
        def of_chief(*values):
            first = tf.distribute.get_replica_context().replica_id_in_sync_group == 0
            # One by one: together they would need a common type.
            return [self.sum(tf.where(first, value, tf.zeros_like(value))) for value in values]

        return self.first(self.strategy.run(of_chief, values))

    def watch(self, function: Callable, *args: Any) -> Any:
        """The result of function(*args), in which all workers take part. Raises InputError when another one is gone."""
        try:
            return function(*args)
        except _GONE as error:
            if self.workers == 1:
                raise
            raise InputError(
                "another worker has stopped or cannot be reached (its own messages say why); start all "
                "of them again: training goes on from the newest snapshot"
            ) from error


def connect(batch_size: int) -> Devices:
    """The devices to train on with batches of this size. With TF_CONFIG it waits for all workers.

    It uses as many of a machine's GPUs as can share the batches evenly. Raises InputError.
    """
    workers, worker = read_cluster(os.environ.get("TF_CONFIG"))
    if workers > 1:
        if batch_size % workers:
            raise InputError(_UNEVEN.format(batch_size=batch_size, devices=workers))
        return _connect_workers(workers, worker)
    names = [device.name for device in tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")]
    used = max(number for number in range(1, len(names) + 1) if batch_size % number == 0)
    if used < len(names):
        logging.info("batch_size %d keeps %d of %d devices busy", batch_size, used, len(names))
    return Devices(tf.distribute.MirroredStrategy(names[:used]) if used > 1 else None)


def _connect_workers(workers, worker):
    logging.info("worker %d of %d: waiting for the others", worker, workers)
    # Python's handlers do not run while TensorFlow waits. Afterwards they replace TensorFlow's handler, which would
    # only take note of SIGTERM.
    handlers = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        devices = Devices(tf.distribute.MultiWorkerMirroredStrategy(), workers, worker)
    except (tf.errors.OpError, RuntimeError, ValueError) as error:
        raise InputError(f"TF_CONFIG: the workers cannot be connected: {reason(error)}") from error
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return devices
