"""The arithmetic of the convolutions."""

from contextlib import suppress
from pathlib import Path

import tensorflow as tf


def compute_dtype(precision: str) -> str:
    """The type of the convolutions' arithmetic: for "auto" the fastest one that the hardware supports.

    That is bfloat16 on processors with AVX512-BF16 or AMX and on GPUs of compute capability 8.0 or higher, and float16
    on GPUs of 7.0 or higher.
    """
    if precision != "auto":
        return precision
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "bfloat16" if _processor_has_bfloat16() else "float32"
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    oldest = min(detail.get("compute_capability", (0, 0)) for detail in details)
    return "bfloat16" if oldest >= (8, 0) else "float16" if oldest >= (7, 0) else "float32"


def _processor_has_bfloat16():
    with suppress(OSError):
        features = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
        return "avx512_bf16" in features or "amx_bf16" in features
    return False
