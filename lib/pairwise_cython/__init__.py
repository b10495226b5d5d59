"""Edges of the grouping graph and their costs (compiled)."""

from lib import compiled

with compiled("lib.pairwise_cython._pairwise"):
    from lib.pairwise_cython._pairwise import pair_costs

__all__ = ["pair_costs"]
