"""Lists of numbers become arrays."""

import numpy as np
import pytest

from lib.lists_cython import flat_numbers


def test_numbers_of_lists_of_any_length_become_one_array():
    numbers = flat_numbers([[1, 2.5], [], [-3, 2**63, float("inf")]])
    assert numbers.dtype == np.float64
    assert numbers.tolist() == [1, 2.5, -3, 2.0**63, np.inf]
    assert flat_numbers([]).shape == flat_numbers([[], []]).shape == (0,)


@pytest.mark.parametrize("row", [["1"], [None], [True], [[1]], [10**400], (1, 2), 3, None, {}])
def test_nothing_but_numbers_in_lists_is_taken(row):
    assert flat_numbers([[1, 2], row]) is None
