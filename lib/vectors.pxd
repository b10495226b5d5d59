# cython: language_level=3
"""C++ vectors as arrays."""

from libc.stdint cimport int32_t
from libcpp.algorithm cimport copy
from libcpp.vector cimport vector


cdef inline object int32_array(vector[int32_t]& values):
    """A copy as (n,) int32."""
    import numpy

    result = numpy.empty(values.size(), numpy.int32)
    cdef int32_t[::1] view = result
    if values.size():
        copy(values.begin(), values.end(), &view[0])
    return result
