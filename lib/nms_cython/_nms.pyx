# cython: language_level=3, boundscheck=False, wraparound=False
"""Thin wrapper: checks arrays, releases the GIL, calls nms.hpp."""

import numpy as np

from libc.math cimport isnan
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int32_t, uint8_t
from libcpp.vector cimport vector

from lib.vectors cimport int32_array


cdef extern from "nms.hpp" namespace "nms" nogil:
    cdef struct Run:
        pass
    ctypedef vector[Run] Footprint

    cdef cppclass Shape:
        int32_t rows, columns, parts

    cdef cppclass Peaks:
        vector[ptrdiff_t] offsets
        vector[int32_t] cells

    Footprint disc(double radius, const Shape& shape) except +
    Footprint from_mask(const uint8_t* mask, int32_t rows, int32_t columns) except +
    Peaks find_peaks(const float* scores, const Shape& shape, const Footprint& footprint, double threshold) except +


cdef _as_scores(scores, int ndim, str name, str shape):
    """A C-contiguous float32 array of ndim dimensions, or ValueError."""
    scores = np.asarray(scores)
    if scores.ndim != ndim:
        raise ValueError(f"{name} must have shape {shape}, got {scores.shape}")
    if not np.can_cast(scores.dtype, np.float32, "safe"):
        raise ValueError(f"{name} must be float32, got {scores.dtype}")
    if scores.size >= 2**31:
        raise ValueError(f"{name} has {scores.size} values; at most 2147483647 are possible")
    return np.ascontiguousarray(scores, np.float32)


cdef Shape _shape(rows, columns, parts):
    cdef Shape shape
    shape.rows, shape.columns, shape.parts = rows, columns, parts
    return shape


def nms_parts(part_prob, double radius, double threshold):
    """Peaks of all part maps at once.

    part_prob: (h, w, J) float32
    radius: cells; two peaks of a part are further apart than ceil(radius)
    threshold: a cell is a candidate if its score, as a double, is at or above

    Returns offsets (J+1,) intp and cells (n, 2) int32 (row, column); part j has
    cells[offsets[j]:offsets[j+1]] by decreasing score, equal scores in row-major order.
    Raises ValueError for a wrong dtype or shape, a NaN, a negative radius.
    """
    part_prob = _as_scores(part_prob, 3, "part_prob", "(h, w, J)")
    if isnan(threshold):
        raise ValueError("threshold is NaN")
    if not 0 <= radius < float("inf"):
        raise ValueError(f"radius must be finite and not negative, got {radius}")
    cdef const float[:, :, ::1] view = part_prob
    cdef Shape shape = _shape(view.shape[0], view.shape[1], view.shape[2])
    cdef const float* first = &view[0, 0, 0] if view.size else NULL
    cdef Peaks peaks
    with nogil:
        peaks = find_peaks(first, shape, disc(radius, shape), threshold)
    return np.array(peaks.offsets, np.intp), _cells(peaks.cells, max(shape.columns, 1))


def nms_grid(score_map, grid, double threshold):
    """Peaks of one map with any footprint, as flat row-major indices by decreasing score.

    score_map: (h, w) float32
    grid: uint8 mask with odd sides; a peak covers the cells where the mask, centred on it, is not 0
    threshold: a cell is a candidate if its score, as a double, is at or above

    Raises ValueError for a wrong dtype or shape or a NaN.
    """
    score_map = _as_scores(score_map, 2, "score_map", "(h, w)")
    if isnan(threshold):
        raise ValueError("threshold is NaN")
    grid = np.asarray(grid)
    if grid.ndim != 2 or grid.shape[0] % 2 == 0 or grid.shape[1] % 2 == 0:
        raise ValueError(f"grid must have two odd sides, got shape {grid.shape}")
    if not np.can_cast(grid.dtype, np.uint8, "safe"):
        raise ValueError(f"grid must be uint8 or bool, got {grid.dtype}")
    cdef const float[:, ::1] view = score_map
    cdef const uint8_t[:, ::1] mask = np.ascontiguousarray(grid, np.uint8)
    cdef Shape shape = _shape(view.shape[0], view.shape[1], 1)
    cdef const float* first = &view[0, 0] if view.size else NULL
    cdef Peaks peaks
    with nogil:
        peaks = find_peaks(first, shape, from_mask(&mask[0, 0], mask.shape[0], mask.shape[1]), threshold)
    return int32_array(peaks.cells)


cdef _cells(vector[int32_t]& flat, int32_t columns):
    result = np.empty((flat.size(), 2), np.int32)
    cdef int32_t[:, ::1] view = result
    cdef size_t i
    for i in range(flat.size()):
        view[i, 0] = flat[i] // columns
        view[i, 1] = flat[i] % columns
    return result
