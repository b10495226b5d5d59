"""What tools print at their end."""

import pytest

from util.report import Reductions, table
from util.view import View, fitting_scale


@pytest.mark.parametrize("sizes, line", [
    ([(800, 800)], ""),
    ([(400, 400), (3648, 5472)], "big1.jpg of 5472x3648 as 489x326\n"),
    ([(1640, 410), (801, 800), (8, 8)], "big0.jpg of 410x1640 as 200x800 (and 1 more)\n"),
])  # fmt: skip
def test_reduced_images_are_told_in_one_line(sizes, line, capsys):
    reductions = Reductions(400)
    for number, size in enumerate(sizes):
        reductions.add(f"big{number}.jpg", View.scaled(size, fitting_scale(size, 1, 400)).reduction(1))
    reductions.print()
    head = "seen at less than half the size, max_input_size=400: " if line else ""
    assert capsys.readouterr().out == head + line


def test_a_table_says_nobody_for_unknown_shares():
    """Columns of numbers are aligned to the right, even if the first number is unknown."""
    assert table(["joint", "people", "share"], [["neck", 0, float("nan")], ["nose", 12, 0.25]]).splitlines() == [
        "joint  people   share",
        "-----  ------  ------",
        "neck        0  nobody",
        "nose       12  0.2500",
    ]
