"""Faults of the records of a file: collected while it is read, reported in one line for each kind."""

import logging
import os
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from util.report import printable

EXAMPLES = 3
# What happened to the faulty records.
LEFT_OUT, CORRECTED, SUSPECT = "left out", "corrected", "suspect"


class Fault(NamedTuple):
    """A fault of one record.

    kind: what is wrong, as a plural that follows a number ("people without a box")
    place: the record, as the file names it ("annotation 17")
    what: the faulty value, or "" if the kind says everything
    """

    kind: str
    place: str
    what: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.what}" if self.what else self.place


class Faults:
    """The faults of a file by kind: how many there are, and the first `keep` of them (all if None).

    counts: number of faults by kind, in the order of their first appearance; effects: what happened to each kind
    """

    def __init__(self, keep: int | None = EXAMPLES):
        self.keep = keep
        self.counts: Counter[str] = Counter()
        self.effects: dict[str, str] = {}
        self._examples: dict[str, list[Fault]] = {}

    def __bool__(self) -> bool:
        return bool(self.counts)

    def add(self, kind: str, place: object, what: object = "", effect: str = LEFT_OUT) -> None:
        """Note a fault of one record."""
        examples = self._of_kind(kind, 1, effect)
        if self.keep is None or len(examples) < self.keep:
            examples.append(Fault(kind, printable(place), printable(what)))

    def add_many(self, kind: str, count: int, places: Iterable[object], effect: str = LEFT_OUT) -> None:
        """Note `count` faults of one kind; only as many of `places` are consumed as are kept."""
        if count:
            examples = self._of_kind(kind, count, effect)
            wanted = None if self.keep is None else self.keep - len(examples)
            examples += [Fault(kind, printable(place)) for place in islice(places, wanted)]

    def _of_kind(self, kind: str, count: int, effect: str) -> list[Fault]:
        self.counts[kind] += count
        self.effects.setdefault(kind, effect)
        return self._examples.setdefault(kind, [])

    def examples(self, kind: str) -> list[Fault]:
        """The faults of a kind that were kept, in the order of the file."""
        return self._examples.get(kind, [])

    def lines(self) -> list[str]:
        """A line for each kind: "left out: people without a box: 7 (a human1, b human2, b human3, ...)"."""
        return [f"{effect}: {self._describe(kind)}" for kind, effect in self.effects.items()]

    def reasons(self, *effects: str) -> str:
        """The kinds with one of these effects (any if none is given) in brackets, for the end of an error message."""
        kinds = [kind for kind, effect in self.effects.items() if not effects or effect in effects]
        return f" ({'; '.join(f'{kind}: {self.counts[kind]}' for kind in kinds)})" if kinds else ""

    def warn(self, path: str | os.PathLike) -> None:
        """Log a warning for each kind."""
        for line in self.lines():
            logging.warning("%s: %s", path, line)

    def _describe(self, kind: str) -> str:
        examples = [str(example) for example in self._examples[kind][:EXAMPLES]]
        dots = ["..."] if self.counts[kind] > len(examples) else []
        return f"{kind}: {self.counts[kind]} ({', '.join(examples + dots)})"
