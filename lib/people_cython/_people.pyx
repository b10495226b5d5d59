# cython: language_level=3, boundscheck=False, wraparound=False
"""Thin wrapper: checks arrays, releases the GIL, calls people.hpp."""

import numpy as np

from lib.arrays import check_offsets, finite, integers

from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int32_t, int64_t

from lib.detections cimport Detections


cdef extern from "people.hpp" namespace "people" nogil:
    cdef struct Edges:
        size_t count
        const int64_t* ends
        const double* cost

    void drop_strays_of "people::drop_strays"(const Detections& found, const Edges& edges, size_t people,
                                              int32_t* labels) except +
    void average(const Detections& found, const int32_t* labels, size_t people, double* keypoints) except +


cdef class _Checked:
    """The arrays of both functions, of the right types and shapes."""

    cdef object labels, offsets, conf
    cdef size_t people
    cdef Detections found

    def __init__(self, labels, offsets, conf):
        self.offsets = integers(offsets, "offsets", np.intp)
        count = check_offsets(self.offsets)
        self.labels = integers(labels, "labels", np.int32, (count,)).copy()
        self.conf = finite(conf, "conf", (count,))
        if self.labels.min(initial=-1) < -1:
            raise ValueError("labels must not be below -1")
        self.people = self.labels.max(initial=-1) + 1
        if self.people > <size_t>count:
            raise ValueError(f"labels go up to {self.people - 1} with {count} detections; number the clusters from 0")
        cdef const ptrdiff_t[::1] starts = self.offsets
        cdef const double[::1] confidences = self.conf
        self.found = Detections(starts.shape[0] - 1, &starts[0], NULL, NULL)
        if confidences.shape[0]:
            self.found.conf = &confidences[0]


def drop_strays(labels, offsets, conf, edges, cost):
    """The labels, -1 where a person has a more confident detection of the same part that is probably another joint.

    labels: (N,) cluster of each detection from 0, or -1; conf: (N,)
    offsets: (J+1,) detections of part p are offsets[p]:offsets[p+1]
    edges: (M, 2) pairs of detections; cost: (M,) of having both in one cluster. A detection is dropped if that is positive
        for it and the most confident one of its person's joint.

    Returns labels (N,) int32. Raises ValueError for wrong shapes and numbers.
    """
    cdef _Checked arrays = _Checked(labels, offsets, conf)
    cost = finite(cost, "cost", np.shape(cost)[:1])
    cdef const double[::1] costs = cost
    cdef const int64_t[:, ::1] ends = integers(edges, "edges", np.int64, (costs.size, 2))
    if ends.size and not 0 <= np.min(ends) <= np.max(ends) < arrays.labels.size:
        raise ValueError(f"edges must be from 0 to {arrays.labels.size - 1}")
    cdef Edges joined = Edges(0, NULL, NULL)
    if costs.size:
        joined = Edges(costs.size, &ends[0, 0], &costs[0])
    cdef int32_t[::1] view = arrays.labels
    cdef int32_t* first = &view[0] if view.size else NULL
    with nogil:
        drop_strays_of(arrays.found, joined, arrays.people, first)
    return arrays.labels


def average_people(labels, offsets, conf, coord):
    """Keypoints (K, J, 3) of the K clusters: mean x, y weighted by confidence, and the highest confidence.

    coord: (N, 2) pixels; the other arguments are those of `drop_strays`. A joint without detection is all 0.
    Raises ValueError for wrong shapes and numbers.
    """
    cdef _Checked arrays = _Checked(labels, offsets, conf)
    cdef const double[:, ::1] points = finite(coord, "coord", (arrays.labels.size, 2))
    keypoints = np.zeros((arrays.people, arrays.found.parts, 3))
    cdef const int32_t[::1] view = arrays.labels
    cdef double[:, :, ::1] result = keypoints
    if arrays.people:
        arrays.found.coord = &points[0, 0]
        with nogil:
            average(arrays.found, &view[0], arrays.people, &result[0, 0, 0])
    return keypoints
