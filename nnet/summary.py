"""Scalars and score maps for TensorBoard. Training goes on where they cannot be written."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import tensorflow as tf

from nnet.errors import disk_reason, tensorflow_path
from util.errors import InputError


class SummaryWriter:
    """Writes an event file into a folder. Raises InputError if it cannot create one.

    If writing fails later, it only warns.
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = tensorflow_path(folder)
        try:
            self._writer = tf.summary.create_file_writer(self.folder)
        except tf.errors.OpError as error:
            raise InputError(f"{self.folder}: cannot be written (log_dir): {disk_reason(error)}") from error

    def scalars(self, step: int, values: dict[str, float]) -> None:
        with self._writing(step):
            for name, value in values.items():
                tf.summary.scalar(name, value)

    def score_maps(self, step: int, name: str, image: np.ndarray, part_prob: np.ndarray) -> None:
        """An image (H, W, 3) beside the strongest probability of any part, and each part (h, w, J) by itself."""
        small = tf.image.resize(image, part_prob.shape[:2]) / 255
        strongest = tf.repeat(part_prob.max(axis=-1, keepdims=True), 3, axis=-1)
        with self._writing(step):
            tf.summary.image(f"{name}/parts", tf.concat([small, strongest], axis=1)[None])
            tf.summary.image(f"{name}/part", np.moveaxis(part_prob, -1, 0)[..., None], max_outputs=part_prob.shape[-1])

    @contextmanager
    def _writing(self, step: int) -> Iterator[None]:
        try:
            with self._writer.as_default(step):
                yield
            self._writer.flush()
        except tf.errors.OpError as error:
            logging.warning("%s: cannot be written: %s; training goes on without it", self.folder, disk_reason(error))
            self._writer = tf.summary.create_noop_writer()
