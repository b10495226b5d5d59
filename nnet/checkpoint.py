"""Checkpoints in TensorFlow's V2 format, keyed by slim's variable names.

It also reads the single files of the old V1 format.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nnet.checkpoint_names import AVERAGE, head_of, inference_sources
from nnet.errors import disk_reason, reason, tensorflow_path
from nnet.snapshots import DATA, INDEX, replace_checkpoint, require_checkpoint, snapshots
from util.errors import InputError
from util.fingerprint import fingerprint

MAX_NAMED = 8  # misfits that a message lists
# Exceptions of TensorFlow's reader for a broken file.
_BROKEN = tf.errors.OpError, ValueError, RuntimeError, LookupError


def read_checkpoint(prefix: str | os.PathLike) -> dict[str, np.ndarray]:
    """All arrays of a checkpoint by name. Raises InputError for a missing or broken one."""
    reader = _open(prefix)
    return {name: _read(reader, name, prefix) for name in reader.get_variable_to_shape_map()}


def network_id(prefix: str | os.PathLike) -> str:
    """A fingerprint that identifies the network in a checkpoint. Raises InputError.

    It covers what inference uses except the kernels, whose precision tools/export_weights.py halves. Biases and batch
    norm suffice: every training step changes them too.
    """
    reader = _open(prefix)
    shapes = reader.get_variable_to_shape_map()
    return fingerprint(
        {
            name: _read(reader, source, prefix)
            for name, source in inference_sources(shapes).items()
            if len(shapes[source]) != 4
        }
    )


def read_newest(folder: str | os.PathLike, prefix: str) -> tuple[str, dict[str, np.ndarray]] | None:
    """Path and arrays of the newest good snapshot, or None if there is no snapshot at all.

    A snapshot that cannot be read or is not finite is skipped with a warning. Raises InputError when none is good.
    """
    first_fault = None
    for path in reversed(snapshots(folder, prefix).values()):
        try:
            arrays = read_checkpoint(path)
            _require_finite(arrays, path)
        except InputError as error:
            logging.warning("not used: %s", error)
            first_fault = first_fault or error
        else:
            return path, arrays
    if first_fault:
        raise InputError(f"none of the snapshots {prefix}-* is good (remove them to begin anew): {first_fault}")
    return None


def _open(prefix):
    prefix = require_checkpoint(prefix)
    try:
        return tf.train.load_checkpoint(prefix)
    except _BROKEN as error:
        raise InputError(f"{prefix}: not a readable checkpoint: {reason(error)}") from error


def _read(reader, name, prefix):
    try:
        return reader.get_tensor(name)
    except _BROKEN as error:
        raise InputError(f"{prefix}: {name} cannot be read: {reason(error)}") from error


def read_shapes(prefix: str | os.PathLike) -> dict[str, tuple[int, ...]]:
    """The shapes of all arrays of a checkpoint by name. Raises InputError for a missing or broken one."""
    return {name: tuple(shape) for name, shape in _open(prefix).get_variable_to_shape_map().items()}


class Misfit(NamedTuple):
    """A variable that does not fit a checkpoint; there: its shape in the checkpoint, None if it is missing."""

    name: str
    here: tuple[int, ...]
    there: tuple[int, ...] | None

    def __str__(self) -> str:
        if self.there is None:
            return f"{self.name} is missing there"
        return f"{self.name} is {self.there} there and {self.here} here"


def misfits(variables: Mapping[str, tf.Variable], shapes: Mapping[str, Sequence[int]]) -> list[Misfit]:
    """Which `variables` a checkpoint of these shapes lacks or has in another shape."""
    found = []
    for name, variable in variables.items():
        here, there = tuple(variable.shape), tuple(shapes[name]) if name in shapes else None
        if here != there:
            found.append(Misfit(name, here, there))
    return found


def load_weights(variables: Mapping[str, tf.Variable], prefix: str | os.PathLike, averaged: bool = False) -> None:
    """Set all `variables` (by slim name) from a checkpoint, whose other content is left alone.

    averaged: use the moving averages of the weights where the checkpoint has them
    Raises InputError for missing names and differing shapes, which it lists, and for weights that are not finite;
    nothing is set in that case.
    """
    count = _assign(variables, prefix, averaged)
    logging.info("%s: %d variables loaded", prefix, count)


def initialize(variables: Mapping[str, tf.Variable], prefix: str | os.PathLike) -> None:
    """Start training from a checkpoint: the backbone, and those heads ("pose/<head>/...") that fit.

    The other heads keep their random weights: all of them with ImageNet weights, a few with a network that has other
    joints or no pairwise head. Raises InputError, as `load_weights` does, if the backbone does not fit.
    """
    wanted, random = starting_variables(variables, read_shapes(prefix))
    count = _assign({name: variables[name] for name in wanted}, prefix)
    rest = f"; heads that start at random: {', '.join(random)}" if random else ""
    logging.info("%s: %d of %d variables loaded%s", prefix, count, len(variables), rest)


def starting_variables(
    variables: Mapping[str, tf.Variable], shapes: Mapping[str, Sequence[int]]
) -> tuple[list[str], list[str]]:
    """Names of the variables that `initialize` takes from a checkpoint of these shapes, and of the random heads."""
    wrong = {head_of(misfit.name) for misfit in misfits(variables, shapes)} - {None}
    return [name for name in variables if head_of(name) not in wrong], sorted(wrong)


def _assign(variables, prefix, averaged=False):
    reader = _open(prefix)
    shapes = reader.get_variable_to_shape_map()
    unfit = misfits(variables, shapes)
    if unfit:
        rest = f", and {len(unfit) - MAX_NAMED} more" if len(unfit) > MAX_NAMED else ""
        listed = "; ".join(map(str, unfit[:MAX_NAMED]))
        raise InputError(f"{prefix}: does not fit this configuration: {listed}{rest}")
    names = {name: f"{name}/{AVERAGE}" if averaged and f"{name}/{AVERAGE}" in shapes else name for name in variables}
    values = {name: _read(reader, source, prefix) for name, source in names.items()}
    _require_finite(values, prefix)
    for name, value in values.items():
        variables[name].assign(np.asarray(value, np.float32))
    return len(values)


def _require_finite(arrays: Mapping[str, np.ndarray], prefix) -> None:
    for name, array in arrays.items():
        if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
            raise InputError(
                f"{prefix}: {name} holds values that are not finite: the training has diverged; take an "
                "earlier snapshot, and lower the learning rate (multi_step)"
            )


def write_checkpoint(prefix: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a checkpoint, whole or not at all; an older one of the same prefix stays until the new one is complete.

    Raises InputError, also for values that are not finite.
    """
    prefix = Path(tensorflow_path(prefix))
    _require_finite(arrays, prefix)
    temporary = prefix.with_name(f".{prefix.name}.{os.getpid()}")
    names = list(arrays)
    try:
        prefix.parent.mkdir(parents=True, exist_ok=True)
        tf.raw_ops.SaveV2(
            prefix=str(temporary),
            tensor_names=names,
            shape_and_slices=[""] * len(names),
            tensors=[tf.convert_to_tensor(arrays[name]) for name in names],
        )
        for suffix in (DATA, INDEX):
            _sync(f"{temporary}{suffix}")
        replace_checkpoint(prefix, temporary)
    except (OSError, tf.errors.OpError) as error:
        why = disk_reason(error)
        raise InputError(f"{prefix}: the checkpoint cannot be written: {why}; earlier ones are untouched") from error
    finally:
        for leftover in temporary.parent.glob(temporary.name + ".*"):
            leftover.unlink(missing_ok=True)


def _sync(path):
    with open(path, "rb") as file:
        os.fsync(file.fileno())
