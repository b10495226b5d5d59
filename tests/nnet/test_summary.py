"""Scalars and pictures for TensorBoard, on a disk that fails."""

import logging

import numpy as np
import pytest
import tensorflow as tf

from nnet.summary import SummaryWriter
from util.errors import InputError


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file/log: cannot be written \(log_dir\): "):
        SummaryWriter(tmp_path / "file" / "log")


class FailingWriter:
    """TensorFlow's writer on a full disk."""

    def as_default(self, step):
        return tf.summary.create_noop_writer().as_default(step)

    def flush(self):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")


def test_a_disk_that_fails_later_is_one_warning(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(tf.summary, "create_file_writer", lambda _: FailingWriter())
    writer = SummaryWriter(tmp_path)
    with caplog.at_level(logging.WARNING):
        for step in range(2):
            writer.scalars(step, {"loss": 1.0})
            writer.score_maps(step, "batch", np.zeros((16, 16, 3), np.uint8), np.zeros((2, 2, 3), np.float32))
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path}: cannot be written: No space left on device; training goes on without it"
    ]
