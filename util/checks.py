"""Checks of what files from elsewhere hold."""

import math
from typing import Any

# Farther from the image than any photo is wide: a broken number, not a place.
MAX_COORDINATE = 1e6

NUMBER = {int, float}


def numbers_fault(values: Any, count: int) -> str | None:
    """What keeps `values` from being a list of `count` sane numbers ("that are ..."), None if nothing."""
    if not isinstance(values, list) or len(values) != count:
        return f"that are not a list of {count}"
    if not set(map(type, values)) <= NUMBER:  # True and False are numbers to isinstance
        return "that are no numbers"
    # With a NaN somewhere min and max may tell nothing, but the sum is NaN, too. It comes last: integers of any length
    # can be compared, but not added to decimals.
    if not (min(values) > -MAX_COORDINATE and max(values) < MAX_COORDINATE and abs(sum(values)) < math.inf):
        return "that are not finite or out of all bounds"
    return None


def stays_inside(name: str) -> bool:
    """Whether a file name from a file may be looked up in a folder: neither absolute, nor leading out of it."""
    parts = name.replace("\\", "/").split("/")
    return all(part not in ("", ".", "..") for part in parts) and ":" not in name and name.isprintable()
