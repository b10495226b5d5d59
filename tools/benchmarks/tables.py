"""Tables of benchmarks: for the terminal, for a page, and compared with another run."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from util.report import table


class Table(NamedTuple):
    """A table; its title says what was measured on what. Rows of texts and numbers are as long as the header."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence]

    def text(self) -> str:
        """The title and aligned columns."""
        return f"{self.title}\n{table(self.header, self.rows)}"

    def markdown(self) -> str:
        lines = [self.header, ["---"] * len(self.header), *([cell_text(cell) for cell in row] for row in self.rows)]
        return "\n".join([self.title, "", *(f"| {' | '.join(line)} |" for line in lines)])


def cell_text(cell) -> str:
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def leading_number(cell) -> float | None:
    """The number that a cell is or starts with."""
    found = re.match(r"-?\d*\.?\d+", cell_text(cell))
    return float(found[0]) if found else None


def with_ratios(new: Table, old: Table) -> Table:
    """The new table with the ratio to the old one after each number, in rows that both have in the same place."""
    if list(new.header) != list(old.header):
        return new
    rows = [list(row) for row in new.rows]
    for row, before in zip(rows, old.rows, strict=False):
        if row[0] != before[0]:
            continue
        for column in range(1, len(row)):
            now, then = leading_number(row[column]), leading_number(before[column])
            if now is not None and then:
                row[column] = f"{cell_text(row[column])} (x{now / then:.2f})"
    return new._replace(rows=rows)
