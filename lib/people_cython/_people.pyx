# cython: language_level=3, boundscheck=False, wraparound=False
"""Thin wrapper: checks arrays, releases the GIL, calls people.hpp."""

import numpy as np

from lib.arrays import finite, integers

from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int32_t, int64_t


cdef extern from "people.hpp" namespace "people" nogil:
    cdef struct Detections:
        size_t count, parts
        const ptrdiff_t* part
        const double* conf

    cdef struct Edges:
        size_t count
        const int64_t* ends
        const double* cost

    void drop_strays_of "people::drop_strays"(const Detections& found, const Edges& edges, size_t people,
                                              int32_t* labels) except +
    void average(const Detections& found, const double* coord, const int32_t* labels, size_t people,
                 double* keypoints) except +


cdef class _Checked:
    """The arrays of both functions, of the right types and shapes."""

    cdef object labels, part, conf
    cdef size_t people
    cdef Detections found

    def __init__(self, labels, part, conf, Py_ssize_t num_parts):
        self.labels = integers(labels, "labels", np.int32).copy()
        count = self.labels.size
        self.part = integers(part, "part", np.intp, (count,))
        self.conf = finite(conf, "conf", (count,))
        if self.labels.ndim != 1 or self.labels.min(initial=-1) < -1:
            raise ValueError("labels must have one dimension and none below -1")
        if num_parts < 1 or self.part.min(initial=0) < 0 or self.part.max(initial=0) >= num_parts:
            raise ValueError(f"part must be from 0 to {num_parts - 1}")
        self.people = self.labels.max(initial=-1) + 1
        if self.people > <size_t>count:
            raise ValueError(f"labels go up to {self.people - 1} with {count} detections; number the clusters from 0")
        cdef const ptrdiff_t[::1] parts = self.part
        cdef const double[::1] confidences = self.conf
        self.found.count, self.found.parts = count, num_parts
        if count:
            self.found.part, self.found.conf = &parts[0], &confidences[0]


def drop_strays(labels, part, conf, edges, cost, Py_ssize_t num_parts):
    """The labels, -1 where a person has a more confident detection of the same part that is probably another joint.

    labels: (N,) cluster of each detection from 0, or -1; part, conf: (N,)
    edges: (M, 2) pairs of detections; cost: (M,) of having both in one cluster. A detection is dropped if that is positive
        for it and the most confident one of its person's joint.

    Returns labels (N,) int32. Raises ValueError for wrong shapes and numbers.
    """
    cdef _Checked arrays = _Checked(labels, part, conf, num_parts)
    cost = finite(cost, "cost", np.shape(cost)[:1])
    cdef const double[::1] costs = cost
    cdef const int64_t[:, ::1] ends = integers(edges, "edges", np.int64, (costs.size, 2))
    if ends.size and not 0 <= np.min(ends) <= np.max(ends) < arrays.found.count:
        raise ValueError(f"edges must be from 0 to {arrays.found.count - 1}")
    cdef Edges joined = Edges(0, NULL, NULL)
    if costs.size:
        joined = Edges(costs.size, &ends[0, 0], &costs[0])
    cdef int32_t[::1] view = arrays.labels
    cdef int32_t* first = &view[0] if view.size else NULL
    with nogil:
        drop_strays_of(arrays.found, joined, arrays.people, first)
    return arrays.labels


def average_people(labels, part, conf, coord, Py_ssize_t num_parts):
    """Keypoints (K, num_parts, 3) of the K clusters: mean x, y weighted by confidence, and the highest confidence.

    coord: (N, 2) pixels; the other arguments are those of `drop_strays`. A joint without detection is all 0.
    Raises ValueError for wrong shapes and numbers.
    """
    cdef _Checked arrays = _Checked(labels, part, conf, num_parts)
    cdef const double[:, ::1] points = finite(coord, "coord", (arrays.found.count, 2))
    keypoints = np.zeros((arrays.people, num_parts, 3))
    cdef const int32_t[::1] view = arrays.labels
    cdef double[:, :, ::1] result = keypoints
    if arrays.people:
        with nogil:
            average(arrays.found, &points[0, 0], &view[0], arrays.people, &result[0, 0, 0])
    return keypoints
