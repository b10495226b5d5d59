# cython: language_level=3
"""The detections of an image, as both compiled modules that work on them get them."""

from libc.stddef cimport ptrdiff_t


cdef extern from "detections.hpp" nogil:
    cdef struct Detections:
        size_t parts
        const ptrdiff_t* offsets
        const double* coord
        const double* conf
