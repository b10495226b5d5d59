# cython: language_level=3, boundscheck=False, wraparound=False
"""Thin wrapper: checks arrays, releases the GIL, calls solver.hpp."""

import numpy as np

from lib.arrays import integers

from libc.math cimport isnan
from libc.stdint cimport int32_t, int64_t, uint64_t
from libcpp.vector cimport vector

from lib.vectors cimport int32_array


cdef extern from "solver.hpp" namespace "multicut" nogil:
    cdef cppclass Graph:
        pass

    cdef cppclass Clock:
        Clock()
        Clock(double seconds)

    Graph make_graph(const double* unary, size_t num_nodes, const int64_t* ends, const double* cost,
                     size_t num_edges, const Clock& clock) except +
    cdef cppclass Settings:
        int effort
        uint64_t seed

    vector[int32_t] solve(const Graph& graph, const Settings& settings, const Clock& clock) except +
    double objective_of "multicut::objective"(const Graph& graph, const vector[int32_t]& labels) except +


cdef _costs(values, str name):
    """A C-contiguous float64 vector, or ValueError."""
    values = np.asarray(values)
    if values.ndim != 1:
        raise ValueError(f"{name} must have one dimension, got shape {values.shape}")
    if values.dtype.kind not in "fiub":
        raise ValueError(f"{name} must hold real numbers, got {values.dtype}")
    return np.ascontiguousarray(values, np.float64)


cdef _ends(edges, Py_ssize_t num_edges):
    """A C-contiguous int64 array (m, 2), or ValueError."""
    edges = np.asarray(edges)
    if edges.size == 0 and num_edges == 0:
        return np.empty((0, 2), np.int64)
    if edges.ndim != 2 or edges.shape[1] != 2:
        raise ValueError(f"edges must have shape (m, 2), got {edges.shape}")
    if edges.shape[0] != num_edges:
        raise ValueError(f"edges has {edges.shape[0]} rows but cost has {num_edges}")
    return integers(edges, "edges", np.int64)


cdef Graph _graph(unary, edges, cost, Clock clock):
    unary, cost = _costs(unary, "unary"), _costs(cost, "cost")
    if unary.size >= 2**31 - 1:
        raise ValueError(f"unary has {unary.size} nodes; at most 2147483646 are possible")
    cdef const double[::1] node_costs = unary
    cdef const double[::1] edge_costs = cost
    cdef const int64_t[:, ::1] ends = _ends(edges, cost.size)
    cdef const double* first_node = &node_costs[0] if node_costs.size else NULL
    cdef const double* first_edge = &edge_costs[0] if edge_costs.size else NULL
    cdef const int64_t* first_end = &ends[0, 0] if ends.size else NULL
    cdef size_t num_nodes = node_costs.size, num_edges = edge_costs.size
    cdef Graph graph
    with nogil:
        graph = make_graph(first_node, num_nodes, first_end, first_edge, num_edges, clock)
    return graph


def solve_multicut(unary, edges, cost, *, int effort=1, time_limit=None, uint64_t seed=0):
    """Selects nodes and groups them into clusters at the lowest cost: node labelling multicut with suppression.

    unary: (n,) cost of selecting a node
    edges: (m, 2) int, pairs of nodes; pairs that occur twice add up, a node paired with itself is ignored
    cost: (m,) cost of having both ends of an edge selected and in the same cluster
    effort: 0 gives the first solution, 1 improves it for about as long as the solver of pose-tensorflow takes in
        difficult graphs, 2 for twice as long, and so on
    time_limit: seconds, after which the best solution so far is returned; results may then differ between runs
    seed: of the random numbers; the same input and seed give the same labels

    Returns labels (n,) int32: -1 for suppressed nodes, else the cluster, numbered by first appearance.
    Clusters are connected by edges. The GIL is released meanwhile.
    Raises ValueError for wrong shapes and dtypes and for numbers that are not finite.
    """
    cdef double seconds = float("inf") if time_limit is None else time_limit
    if effort < 0:
        raise ValueError(f"effort must not be negative, got {effort}")
    if isnan(seconds) or seconds < 0:
        raise ValueError(f"time_limit must be None or not negative, got {time_limit}")
    cdef Clock clock = Clock(seconds)
    cdef Settings settings
    settings.effort, settings.seed = effort, seed
    cdef Graph graph = _graph(unary, edges, cost, clock)
    cdef vector[int32_t] labels
    with nogil:
        labels = solve(graph, settings, clock)
    return int32_array(labels)


def objective(unary, edges, cost, labels):
    """What a labelling costs: unary of selected nodes plus cost of edges within a cluster.

    labels: (n,) int, negative for suppressed nodes. The other arguments as for solve_multicut.
    """
    cdef Graph graph = _graph(unary, edges, cost, Clock())
    labels = integers(labels, "labels", np.int64, np.shape(unary))
    # Numbered from 0, so that they fit the solver's type and its tables.
    numbers = np.where(labels < 0, -1, np.unique(labels, return_inverse=True)[1])
    return objective_of(graph, numbers.tolist())
