"""Node labelling multicut with suppression (compiled)."""

import numpy as np

from lib import compiled

with compiled("lib.multicut_cython._multicut"):
    from lib.multicut_cython._multicut import objective, solve_multicut

__all__ = ["objective", "solve_multicut", "solve_nl_lmp"]


def solve_nl_lmp(
    unary_array, pwidx_array, pw_array, is_sparse_graph=True, solver_type=0, do_suppression=True, logit_in_solver=False
):
    """The solver with the name and the arguments of pose-tensorflow, whose callers give all by position.

    unary_array: (n, 1) cost of selecting a node, or (n, 2) costs of selecting and of suppressing it
    pwidx_array: (m, 2) pairs of nodes
    pw_array: (m, 1) cost of having a pair in the same cluster
    do_suppression: without it every node is selected
    logit_in_solver: the arrays hold probabilities p; the cost is log((1 - p) / p)
    is_sparse_graph, solver_type: accepted and without effect; there is one solver, which uses only the listed pairs

    Returns (n, 2) uint64: 1 for suppressed nodes and 0 for others; cluster. A suppressed node has a cluster number
    of its own.
    """
    unary_array, pw_array = np.asarray(unary_array, np.float64), np.asarray(pw_array, np.float64)
    if unary_array.ndim != 2 or unary_array.shape[1] not in (1, 2):
        raise ValueError(f"unary_array must have shape (n, 1) or (n, 2), got {unary_array.shape}")
    if pw_array.ndim != 2 or pw_array.shape[1] != 1:
        raise ValueError(f"pw_array must have shape (m, 1), got {pw_array.shape}")
    if logit_in_solver:
        unary_array, pw_array = _log_odds(unary_array), _log_odds(pw_array)
    unary = unary_array[:, 0] - (unary_array[:, 1] if unary_array.shape[1] == 2 else 0)
    if not do_suppression:
        # A node that pays for itself is never suppressed; the scale keeps it above rounding.
        unary = np.full_like(unary, -np.abs(pw_array).max(initial=1.0))
    labels = solve_multicut(unary, pwidx_array, pw_array[:, 0])
    lost = labels < 0
    clusters = labels.astype(np.int64)
    clusters[lost] = labels.max(initial=-1) + 1 + np.arange(lost.sum())
    return np.column_stack([lost, clusters]).astype(np.uint64)


def _log_odds(probability):
    """Cost of a probability, clipped as in pose-tensorflow so that 0 and 1 stay finite."""
    probability = np.clip(probability, 1e-7, 1 - 1e-7)
    return np.log((1 - probability) / probability)
