"""The quickest arithmetic of the hardware."""

from pathlib import Path

import pytest
import tensorflow as tf

from nnet.precision import compute_dtype


@pytest.mark.parametrize("capability, expected", [((9, 0), "bfloat16"), ((7, 5), "float16"), ((6, 1), "float32")])
def test_automatic_precision_on_gpus(monkeypatch, capability, expected):
    """The oldest of the GPUs decides."""
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [(9, 0), capability])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: {"compute_capability": gpu})
    assert compute_dtype("auto") == expected
    assert compute_dtype("float32") == "float32"


@pytest.mark.parametrize("flag, expected", [("avx512_bf16", "bfloat16"), ("amx_bf16", "bfloat16"), ("avx2", "float32")])
def test_automatic_precision_on_processors(monkeypatch, flag, expected):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: f"flags : fpu {flag}")
    assert compute_dtype("auto") == expected
