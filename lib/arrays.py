"""Checks of arrays for the compiled code: what does not fit is a ValueError, never converted silently."""

import numpy as np


def integers(values, name: str, dtype, shape: tuple | None = None) -> np.ndarray:
    """A C-contiguous array of an integer type; shape: None allows any length.

    Raises ValueError for anything but integers, for numbers too large for the type, and for a wrong shape.
    """
    values = np.asarray(values)
    if values.size and values.dtype.kind not in "iu":
        raise ValueError(f"{name} must hold integers, got {values.dtype}")
    _check_shape(values, name, shape)
    if values.size and not np.can_cast(values.dtype, dtype):
        lowest, highest, limits = int(values.min()), int(values.max()), np.iinfo(dtype)
        if not limits.min <= lowest <= highest <= limits.max:
            raise ValueError(f"{name} must be from {limits.min} to {limits.max}, got {lowest} to {highest}")
    return np.ascontiguousarray(values, dtype)


def finite(values, name: str, shape: tuple) -> np.ndarray:
    """A C-contiguous float64 array. Raises ValueError for NaN, infinity, anything but numbers, and a wrong shape."""
    values = np.asarray(values)
    if values.dtype.kind not in "fiub":
        raise ValueError(f"{name} must hold real numbers, got {values.dtype}")
    _check_shape(values, name, shape)
    values = np.ascontiguousarray(values, np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite")
    return values


def check_offsets(offsets: np.ndarray) -> int:
    """The number of detections; part p has offsets[p]:offsets[p + 1]. Raises ValueError for impossible offsets."""
    if len(offsets) < 2 or offsets[0] != 0 or np.any(np.diff(offsets) < 0):
        raise ValueError("offsets must start with 0 and never decrease")
    return int(offsets[-1])


def _check_shape(values, name, shape):
    if shape is not None and values.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {values.shape}")
