"""Output of command-line tools: tables, and a note on images that the network sees smaller than asked for."""

import math
from collections.abc import Sequence
from typing import Any


def table(header: Sequence[str], rows: Sequence[Sequence]) -> str:
    """Aligned columns: texts to the left, numbers to the right, floats with four decimals.

    NaN means that there was nobody to measure.
    """
    texts = [[_cell_text(cell) for cell in row] for row in rows]
    is_text = [isinstance(cell, str) for cell in rows[0]] if rows else [True] * len(header)
    widths = [max(map(len, column)) for column in zip(header, *texts, strict=True)]
    lines = [header, ["-" * width for width in widths], *texts]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(line, widths, is_text, strict=True)
        ).rstrip()
        for line in lines
    )


def _cell_text(cell: Any) -> str:
    if not isinstance(cell, float):
        return str(cell)
    return "nobody" if math.isnan(cell) else f"{cell:.4f}"


class Reductions:
    """Images that the network sees much smaller than they are, reported in one line at the end."""

    def __init__(self, max_input_size: int):
        self.max_input_size, self.count, self.first = max_input_size, 0, ""

    def add(self, name: str, reduction: Sequence[tuple[int, int]] | None) -> None:
        """Note an image, if it has a reduction (util.view.Reduction)."""
        if reduction is None:
            return
        self.count += 1
        if self.count == 1:
            sizes = (f"{width}x{height}" for height, width in reduction)
            self.first = f"{printable(name)} of {' as '.join(sizes)}"

    def print(self) -> None:
        """Print the first one and the number of the others, if there are any."""
        if self.count:
            others = f" (and {self.count - 1} more)" if self.count > 1 else ""
            limit = f"max_input_size={self.max_input_size}"
            print(f"seen at less than half the size, {limit}: {self.first}{others}")


def printable(value: Any) -> str:
    """A value from a file as text for one line of a terminal: no control characters, no halves of characters."""
    text = str(value)[:200]
    return text if text.isprintable() else ascii(text)[1:-1]
