# cython: language_level=3, boundscheck=False, wraparound=False
"""Thin wrapper: checks arrays, releases the GIL, calls pairwise.hpp."""

import numpy as np

from lib.arrays import check_offsets, finite, integers

from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int64_t, uint8_t


from lib.detections cimport Detections


cdef extern from "pairwise.hpp" namespace "pairwise" nogil:
    cdef struct Predictions:
        const double* grid
        const double* outgoing
        const double* unit

    cdef struct Model:
        const uint8_t* joined
        const double* weights
        double same_bias, same_slope
        double limit

    size_t count_edges(const Detections& found, const Model& model)
    void fill_edges(const Detections& found, const Predictions& predicted, const Model& model, int64_t* edges,
                    double* cost)


cdef const double* _first(const double[::1] values) noexcept nogil:
    return &values[0] if values.shape[0] else NULL


def pair_costs(offsets, coord, grid, outgoing, unit, joined, weights, *, double same_bias, double same_slope,
               double limit):
    """All edges between detections and their costs: minus the log-odds of "same person".

    offsets: (J+1,) detections of part p are offsets[p]:offsets[p+1]
    coord, grid: (N, 2) refined positions and centres of their cells, pixels
    outgoing: (N, J-1, 2) predicted offsets from each cell to the other parts, in order, pixels
    unit: (N,) pixels, the unit of distances for the models: of those from a cell to where it expects another part; of
        two detections of one part the larger one
    joined: (J, J) bool, whether parts a < b have edges; detections of one part always have
    weights: (J, J, 9) for parts a < b, of distance and angle forwards (a to b) and backwards, exp(-f) of these
        four, and 1
    same_bias, same_slope: log-odds for two detections of one part, and their change per unit of distance
    limit: costs are clipped to [-limit, limit]

    Returns edges (M, 2) int64, ordered by pair of parts, first and second detection, and cost (M,) float64.
    Raises ValueError for wrong shapes and offsets and for numbers that are not finite.
    """
    cdef const ptrdiff_t[::1] starts = integers(offsets, "offsets", np.intp)
    cdef Py_ssize_t parts = starts.shape[0] - 1
    cdef Py_ssize_t number = check_offsets(starts)
    cdef const double[::1] points = finite(coord, "coord", (number, 2)).ravel()
    cdef const double[::1] centers = finite(grid, "grid", (number, 2)).ravel()
    cdef const double[::1] expected = finite(outgoing, "outgoing", (number, parts - 1, 2)).ravel()
    cdef const double[::1] units = finite(unit, "unit", (number,))
    if number and np.min(units) <= 0:
        raise ValueError("unit must be above 0")
    if np.shape(joined) != (parts, parts):
        raise ValueError(f"joined must have shape ({parts}, {parts}), got {np.shape(joined)}")
    cdef const uint8_t[:, ::1] mask = np.ascontiguousarray(joined, bool).view(np.uint8)
    cdef const double[:, :, ::1] factors = finite(weights, "weights", (parts, parts, 9))
    cdef Detections found = Detections(parts, &starts[0], _first(points), NULL)
    cdef Predictions predicted = Predictions(_first(centers), _first(expected), _first(units))
    cdef Model model = Model(&mask[0, 0], &factors[0, 0, 0], same_bias, same_slope, limit)
    cdef size_t total = count_edges(found, model)
    edges, cost = np.empty((total, 2), np.int64), np.empty(total)
    cdef int64_t[:, ::1] edge_view = edges
    cdef double[::1] cost_view = cost
    if total:
        with nogil:
            fill_edges(found, predicted, model, &edge_view[0, 0], &cost_view[0])
    return edges, cost
