"""Work done ahead in threads, its results in order."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from util.ahead import starmap_ahead


def test_results_come_in_order_and_few_are_under_way():
    started, done = [], 0
    lock = threading.Lock()

    def product(a, b):
        with lock:
            started.append(a)
        return a * b

    with ThreadPoolExecutor(3) as pool:
        for number, result in enumerate(starmap_ahead(pool, product, ((k, 2) for k in range(50)), ahead=5)):
            assert result == 2 * number
            done += 1
            assert len(started) <= done + 5
    assert sorted(started) == list(range(50))


def test_an_error_comes_in_its_turn():
    with ThreadPoolExecutor(2) as pool:
        results = starmap_ahead(pool, lambda k: 1 / k, [(1,), (0,), (2,)], ahead=3)
        assert next(results) == 1
        with pytest.raises(ZeroDivisionError):
            next(results)
