"""One bad item among others, and none good."""

import pytest

from util.errors import InputError, each_good


def half(number):
    if number % 2:
        raise InputError(f"{number}: odd")
    return number // 2


def test_a_bad_item_is_skipped(caplog):
    assert list(each_good([4, 3, 8], half, "numbers")) == [(0, 2), (2, 4)]
    assert [record.message for record in caplog.records] == ["skipped 3: odd"]


def test_an_error_names_the_first_if_all_are_bad():
    with pytest.raises(InputError, match="none of the 2 numbers can be read; the first: 5: odd"):
        list(each_good([5, 7], half, "numbers"))
    with pytest.raises(InputError, match="^5: odd$"):
        list(each_good([5], half, "numbers"))
    assert list(each_good([], half, "numbers")) == []
