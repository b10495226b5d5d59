"""One device, and the sharing out of batches; tests/test_workers.py trains on several."""

import numpy as np
import pytest
import tensorflow as tf

from nnet.devices import Devices, connect
from util.errors import InputError


def test_batches_are_shared_out_evenly(monkeypatch):
    """Uneven ones are refused before the workers connect."""
    two = Devices()
    two.replicas = two.workers = 2
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}')
    for refuse in (two.share, connect):
        with pytest.raises(InputError, match="batch_size 3 cannot be shared among 2 devices: make it a multiple of 2"):
            refuse(3)
    two.worker = 1
    assert two.share(6) == slice(3, 6)


def test_one_device_computes_everything_itself(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    one = connect(batch_size=3)
    assert one.chief and one.share(3) == slice(0, 3)
    found = one.first(one.run(lambda rows, factor: one.sum(rows * factor), [tf.constant([1, 2])], 3))
    np.testing.assert_array_equal(found, [3, 6])
    np.testing.assert_array_equal(one.gather([4, 5]), [[4, 5]])


def test_only_several_workers_blame_another():
    def fail():
        raise tf.errors.UnavailableError(None, None, "gone")

    one = Devices()
    with pytest.raises(tf.errors.UnavailableError):
        one.watch(fail)
    one.workers = 2
    with pytest.raises(InputError, match="another worker has stopped or cannot be reached"):
        one.watch(fail)
