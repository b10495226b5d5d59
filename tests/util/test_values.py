"""Kinds of values: what they accept, how they convert it, and what they say."""

import math

import pytest

from util.values import FILE_PATH, FLAG, PATH, TEXT, choice, either, integer, list_of, number, row


@pytest.mark.parametrize("kind, value, expected", [
    (number(0, 1), 1, 1.0),
    (number(0, 1), "1e-4", 0.0001),
    (integer(0, 10**6), "1e4", 10000),
    (integer(0, 10**400), 10**399, 10**399),
    (integer(0, 100, multiple_of=16), 48, 48),
    (choice("a", "b"), "b", "b"),
    (list_of(integer(0, 9), 2), (1, 2), [1, 2]),
    (row(number(0, 1), integer(0, 9)), [0.5, 3.0], [0.5, 3]),
    (either(choice("flip"), number(0, 2)), 1, 1.0),
    (either(choice("flip"), number(0, 2)), "flip", "flip"),
    (FLAG, False, False),
    (TEXT, "Übung\u00a01", "Übung\u00a01"),
])  # fmt: skip
def test_values_are_accepted_and_converted(kind, value, expected):
    found = kind.check(value)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize("kind, value, message", [
    (number(0, 1), 1.5, "a number from 0 to 1"),
    (number(0.5, 2), "two", "a number from 0.5 to 2"),
    (number(0, 1), math.nan, "a number from 0 to 1"),
    (number(0, 1), True, "a number from 0 to 1"),
    (number(0, 1), 10**400, "a number from 0 to 1"),
    (integer(1, 10**9), 2.5, "a whole number from 1 to 1000000000"),
    (integer(1, 9), math.inf, "a whole number from 1 to 9"),
    (integer(0, 100, multiple_of=16), 40, "a multiple of 16 from 0 to 100"),
    (choice(8), [8], "8"),
    (choice("", "a"), "b", "one of '', a"),
    (list_of(FLAG, 2, "flags"), [True], "a list of 2 flags, each true or false"),
    (list_of(FLAG), "ab", "a list of values, each true or false"),
    (row(FLAG, FLAG), [True], "[true or false, true or false]"),
    (row(FLAG), 3, "[true or false]"),
    (either(choice("flip"), number(0, 2)), 3, "flip, or a number from 0 to 2"),
    (FLAG, 1, "true or false"),
    (TEXT, "a\0b", "a text without control characters"),
    (FILE_PATH, "sub/", "a path that ends in a name"),
    (FILE_PATH, "", "a path that ends in a name"),
    (PATH, "\ud800", "a path without control characters"),
])  # fmt: skip
def test_other_values_are_refused(kind, value, message):
    with pytest.raises(ValueError) as error:
        kind.check(value)
    assert str(error.value) == message


def test_a_tilde_in_paths_is_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    assert PATH.check("~/x") == "/home/somebody/x"
