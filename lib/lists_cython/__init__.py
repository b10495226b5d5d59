"""Python's lists of numbers as arrays (compiled)."""

from lib import MissingExtension

try:
    from lib.lists_cython._lists import flat_numbers
except ModuleNotFoundError as error:
    if error.name != "lib.lists_cython._lists":
        raise
    raise MissingExtension("lib.lists_cython") from None

__all__ = ["flat_numbers"]
