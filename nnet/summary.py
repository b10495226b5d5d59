"""Scalars and score maps for TensorBoard. Training goes on where they cannot be written."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import tensorflow as tf

from nnet.errors import disk_reason, tensorflow_path
from util.errors import InputError
from util.maps import Maps


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

    def score_maps(self, step: int, name: str, image: np.ndarray, maps: Maps) -> None:
        """An image (H, W, 3) beside the strongest probability of any part, and each part by itself.

        The image is as small as its maps; each of its pixels is the mean colour of a cell.
        """
        rows, cols, count = maps.part_prob.shape
        below, right = rows * maps.stride - image.shape[0], cols * maps.stride - image.shape[1]
        cells = np.pad(image, ((0, below), (0, right), (0, 0))).reshape(rows, maps.stride, cols, maps.stride, 3)
        small = cells.mean(axis=(1, 3), dtype=np.float32) / 255
        strongest = maps.part_prob.max(axis=-1, keepdims=True).repeat(3, axis=-1)
        with self._writing(step):
            tf.summary.image(f"{name}/parts", np.concatenate([small, strongest], axis=1)[None])
            tf.summary.image(f"{name}/part", np.moveaxis(maps.part_prob, -1, 0)[..., None], max_outputs=count)

    @contextmanager
    def _writing(self, step: int) -> Iterator[None]:
        try:
            with self._writer.as_default(step):
                yield
            self._writer.flush()
        except tf.errors.OpError as error:
            logging.warning("%s: cannot be written: %s; training goes on without it", self.folder, disk_reason(error))
            self._writer = tf.summary.create_noop_writer()
