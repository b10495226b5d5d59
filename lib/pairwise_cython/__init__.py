"""Edges of the grouping graph and their costs (compiled)."""

from lib import MissingExtension

try:
    from lib.pairwise_cython._pairwise import pair_costs
except ModuleNotFoundError as error:
    if error.name != "lib.pairwise_cython._pairwise":
        raise
    raise MissingExtension("lib.pairwise_cython") from None

__all__ = ["pair_costs"]
