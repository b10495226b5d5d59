"""The errors of TensorFlow in one line."""

import os

import numpy as np
import pytest
import tensorflow as tf

from nnet.checkpoint import read_checkpoint, write_checkpoint
from nnet.errors import disk_reason, reason
from nnet.summary import SummaryWriter
from util.errors import InputError


def test_the_reason_is_the_first_line_without_the_node(tmp_path):
    error = tf.errors.UnknownError(None, None, "{{function_node __wrapped__SaveV2}} /x; No space\n\tmore [Op:SaveV2]")
    assert reason(error) == "/x; No space" and disk_reason(error) == "No space"
    assert disk_reason(OSError(28, "No space left on device", "x")) == "No space left on device"
    assert reason(KeyError()) == "KeyError"
    with pytest.raises(tf.errors.OpError) as caught:
        tf.io.read_file(str(tmp_path / "none"))
    assert reason(caught.value) == f"{tmp_path}/none; No such file or directory"


def test_names_that_are_not_utf8_are_refused(tmp_path):
    """Python has surrogates in them, which TensorFlow does not take."""
    path = tmp_path / os.fsdecode(b"w\xff")
    path.with_name(f"{path.name}.index").write_bytes(b"")
    for use in (read_checkpoint, lambda path: write_checkpoint(path, {"a": np.zeros(1)}), SummaryWriter):
        with pytest.raises(InputError, match=r"w\udcff: TensorFlow opens no path that is not UTF-8"):
            use(path)
    assert len(list(tmp_path.iterdir())) == 1
