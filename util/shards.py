"""Runs over many items in parts, each with its own journal, so that processes and machines can share the work."""

import argparse
import re
from pathlib import Path
from typing import Any, NamedTuple

from util.errors import InputError
from util.journal import read_journal

PART, COUNT = "part", "number of images"


class Shard(NamedTuple):
    """Part `number`, from 1, of `count` parts of the items: every count-th one."""

    number: int
    count: int

    @property
    def journal(self) -> str:
        """Name of its journal."""
        return "people.jsonl" if self.count == 1 else f"people_{self.number}_of_{self.count}.jsonl"

    def numbers(self, num_items: int) -> range:
        """The items of this part."""
        return range(self.number - 1, num_items, self.count)

    def header(self, num_items: int, run: dict[str, Any]) -> dict[str, Any]:
        """The header of its journal in a run over this number of items; run: what all parts have in common."""
        return {PART: list(self), COUNT: num_items, **run}


WHOLE = Shard(1, 1)


def parse_shard(text: str) -> Shard:
    """The shard "i/n", as an option's type."""
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f"{text!r}: expected i/n with i from 1 to n, such as 2/4")
    return Shard(int(match[1]), int(match[2]))


def whole_run(folder: Path) -> tuple[list[Path], dict[str, Any], dict[int, dict[str, Any]]]:
    """The journals of a run, what all parts have in common, and the entries of all items, by number.

    Raises InputError if one is missing.
    """
    paths = sorted(folder.glob("people*.jsonl"))
    if not paths:
        raise InputError(f"{folder}: no people*.jsonl to merge; run the parts first (--shard i/n)")
    entries, parts, first_run = {}, set(), None
    for path in paths:
        run, found = read_journal(path)
        part = Shard(*run.pop(PART))
        first_run = first_run or (part.count, run)
        if first_run != (part.count, run):
            raise InputError(f"{path}: of another run than {paths[0].name}; remove what is of no use")
        numbers = part.numbers(run[COUNT])
        missing = len(set(numbers) - found.keys())
        if missing:
            raise InputError(f"{path}: {missing} images are missing; run --shard {part.number}/{part.count} again")
        entries |= {number: found[number] for number in numbers}
        parts.add(part.number)
    absent = set(range(1, first_run[0] + 1)) - parts
    if absent:
        shards = ", ".join(f"--shard {number}/{first_run[0]}" for number in sorted(absent))
        raise InputError(f"{folder}: parts are missing; run {shards}")
    return paths, run, entries
