"""Snapshots are made small for inference."""

from dataclasses import replace

import numpy as np
import pytest

from config import make_config
from dataset.model_spec import from_config
from nnet import checkpoint
from nnet.description import keep_beside, read_spec
from tools import export_weights
from util.errors import InputError


def test_only_what_inference_needs_is_kept_and_kernels_are_halved(tmp_path, capsys):
    kernel = np.random.default_rng(0).normal(size=(3, 3, 4, 5)).astype(np.float32)
    variance = np.full(5, 1e6, np.float32)  # beyond half precision
    checkpoint.write_checkpoint(tmp_path / "snapshot-3", {
        "net/conv/weights": 9 * kernel, "net/conv/weights/ExponentialMovingAverage": kernel,
        "net/conv/BatchNorm/moving_variance": variance,
        "net/conv/weights/Momentum": kernel, "net/conv/weights/Adam": kernel, "net/conv/weights/Adam_1": kernel,
        "pose/intermediate_supervision/block4/weights": kernel, "global_step": np.int64(3),
        "validation_score": np.float64(0.5), "loss_scale": np.float32(2), "loss_scale_good_steps": np.float32(1),
    })  # fmt: skip
    spec = from_config(make_config(skeleton="aic", intermediate_supervision=True))
    keep_beside(tmp_path / "snapshot-3", spec)
    export_weights.main([str(tmp_path / "snapshot-3"), str(tmp_path / "out/small")])
    small = replace(spec, intermediate_layer=None, network=checkpoint.network_id(tmp_path / "out/small"))
    assert read_spec(tmp_path / "out/small")[0].as_table() == small.as_table()
    arrays = checkpoint.read_checkpoint(tmp_path / "out/small")
    assert set(arrays) == {"net/conv/weights", "net/conv/BatchNorm/moving_variance"}
    assert arrays["net/conv/weights"].dtype == np.float16
    np.testing.assert_allclose(arrays["net/conv/weights"], kernel, rtol=1e-3, atol=1e-6)
    np.testing.assert_array_equal(arrays["net/conv/BatchNorm/moving_variance"], variance)
    assert "2 arrays" in capsys.readouterr().out


def test_what_is_exported_is_the_same_network(tmp_path):
    """By its fingerprint, which other weights do not have."""
    arrays = {
        "a/weights": np.full((1, 1, 2, 2), 0.1, np.float32),
        "a/biases": np.ones(2, np.float32),
        "a/biases/ExponentialMovingAverage": np.full(2, 0.3, np.float32),
        "global_step": np.int64(3),
    }
    checkpoint.write_checkpoint(tmp_path / "snapshot-3", arrays)
    export_weights.main([str(tmp_path / "snapshot-3"), str(tmp_path / "small")])
    network = checkpoint.network_id(tmp_path / "snapshot-3")
    assert checkpoint.network_id(tmp_path / "small") == network
    for change, same in (
        ({"a/biases": np.zeros(2, np.float32), "global_step": np.int64(4)}, True),
        ({"a/biases/ExponentialMovingAverage": np.full(2, 0.4, np.float32)}, False),
    ):
        checkpoint.write_checkpoint(tmp_path / "snapshot-4", arrays | change)
        assert (checkpoint.network_id(tmp_path / "snapshot-4") == network) == same


def test_the_mean_of_several_snapshots_is_written(tmp_path):
    kernel = np.ones((1, 1, 2, 2), np.float32)
    for step, size in ((1, 2), (2, 2), (3, 5)):
        arrays = {"a/weights": step * kernel, "a/moving_mean": np.full(size, step, np.float32)}
        checkpoint.write_checkpoint(tmp_path / f"snapshot-{step}", arrays)
    names = [str(tmp_path / f"snapshot-{step}") for step in (1, 2, 3)]
    export_weights.main([*names[:2], str(tmp_path / "mean")])
    mean = checkpoint.read_checkpoint(tmp_path / "mean")
    assert (mean["a/weights"] == 1.5).all() and (mean["a/moving_mean"] == 1.5).all()
    with pytest.raises(InputError, match="snapshot-3: its variables are not those of .*snapshot-1"):
        export_weights.main([names[0], names[2], str(tmp_path / "nothing")])
