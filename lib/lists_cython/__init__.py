"""Python's lists of numbers as arrays (compiled)."""

from lib import compiled

with compiled("lib.lists_cython._lists"):
    from lib.lists_cython._lists import flat_numbers

__all__ = ["flat_numbers"]
