"""Checks of values from files of unknown origin."""

import math
import re
from typing import Any

# Farther out than any photo is wide: a broken number, not a place.
MAX_COORDINATE = 1e6

NUMBER = {int, float}

# Control characters, the colon of Windows' drives, and halves of surrogate pairs, which no file name has.
_UNSAFE = re.compile("[\0-\x1f\x7f:\ud800-\udfff]")


def numbers_fault(values: Any, count: int) -> str | None:
    """Why `values` is no list of `count` valid numbers ("that are ..."), or None."""
    if not isinstance(values, list) or len(values) != count:
        return f"that are not a list of {count}"
    if not set(map(type, values)) <= NUMBER:  # True and False are numbers to isinstance
        return "that are no numbers"
    # A NaN may escape min and max, but not the sum. That comes last: integers of any length can be compared, but not
    # added to floats.
    if not (min(values) > -MAX_COORDINATE and max(values) < MAX_COORDINATE and abs(sum(values)) < math.inf):
        return "that are not finite or out of all bounds"
    return None


def stays_inside(name: str) -> bool:
    """Whether a file name from a file is safe to look up in a folder: neither absolute, nor leading out of it."""
    parts = name.replace("\\", "/").split("/")
    return all(part not in ("", ".", "..") for part in parts) and not _UNSAFE.search(name)
