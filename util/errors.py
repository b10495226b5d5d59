"""The exception for mistakes of the user, and a loop that goes on after one of many files fails."""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class InputError(ValueError):
    """Bad input: one line that names the file, the place and the remedy.

    Scripts print it without a traceback and exit with status 2 (`util.cli.run`).
    """


def each_good(items: Sequence[Item], process: Callable[[Item], Result], what: str) -> Iterator[tuple[int, Result]]:
    """Number and process(item) of each item; an InputError becomes a warning.

    what: the items' name in messages
    Raises InputError if none is good.
    """
    faults = []
    for number, item in enumerate(items):
        try:
            result = process(item)
        except InputError as error:
            if len(items) == 1:
                raise
            logging.warning("skipped %s", error)
            faults.append(error)
        else:
            yield number, result
    if faults and len(faults) == len(items):
        raise InputError(f"none of the {len(items)} {what} can be read; the first: {faults[0]}")
