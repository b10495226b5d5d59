"""Checks of numbers and names from files."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from util.checks import MAX_COORDINATE, numbers_fault, stays_inside

number = st.floats() | st.integers() | st.sampled_from([10**400, -(10**400), math.nan, math.inf, 1e308, 0.5, 999_999])


@given(st.lists(number, min_size=1, max_size=5))
def test_each_number_must_be_within_bounds(values):
    sane = all(-MAX_COORDINATE < value < MAX_COORDINATE for value in values)
    assert (numbers_fault(values, len(values)) is None) == sane


@pytest.mark.parametrize("values", [None, "ab", (1, 2), [1], [1, "2"], [1, True], [1, None], [1, [2]]])
def test_other_values_are_no_list_of_two_numbers(values):
    assert numbers_fault(values, 2)


@pytest.mark.parametrize("name, inside", [
    ("a.jpg", True), ("b/a.jpg", True), ("ä ö.png", True), ("..a", True), ("9.41.00\u202fAM.png", True),
    ("../a", False), ("/a", False), ("b/../../a", False), ("b\\..\\a", False), ("C:\\a", False), ("a//b", False),
    (".", False), ("", False), ("a\0b", False), ("a\nb", False), ("\ud800", False),
])  # fmt: skip
def test_names_stay_in_their_folder_or_leave_it(name, inside):
    assert stays_inside(name) == inside
