"""Processes that work for this one: ordered results, errors, and their end with this process."""

import operator
import os
import pickle
import subprocess
import sys

import pytest

from util.errors import InputError
from util.workers import call_in_process, starmap_in_processes

SLEEPER = """
import time
from util.workers import starmap_in_processes
for _ in starmap_in_processes(time.sleep, [(0,), (1000,), (1000,)], 2):
    print("a result", flush=True)
"""


def test_results_are_in_order_and_from_other_processes():
    assert list(starmap_in_processes(divmod, ((i, 3) for i in range(50)), 3)) == [divmod(i, 3) for i in range(50)]
    assert len(set(starmap_in_processes(os.getpid, [()] * 6, 3)) | {os.getpid()}) == 4


def test_there_may_be_fewer_tasks_than_processes():
    assert list(starmap_in_processes(abs, [(-1,)], 3)) == [1]
    assert list(starmap_in_processes(abs, [], 3)) == []


def test_tasks_and_results_may_be_large():
    assert [len(text) for text in starmap_in_processes(str.upper, [("x" * 10**6,)] * 9, 2)] == [10**6] * 9


def test_printed_text_is_no_result(capfd):
    assert call_in_process(print, "hello") is None
    assert capfd.readouterr() == ("", "hello\n")


def test_an_error_comes_in_its_turn():
    results = starmap_in_processes(divmod, [(7, 3), (1, 0), (8, 3)], 2)
    assert next(results) == (2, 1)
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_a_worker_that_dies_is_a_line():
    with pytest.raises(InputError, match="ended early"):
        call_in_process(os._exit, 3)


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_workers_end_with_the_process_that_started_them(end):
    """They hold its standard error, which ends only when all are gone."""
    process = subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline() == b"a result\n"
    getattr(process, end)()
    assert process.communicate(timeout=60) == (b"", b"")


def test_a_result_that_nobody_reads_is_no_error():
    """As if the waiting process were killed."""
    command = [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}; from util.workers import serve; serve()"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    for given in (operator.add, (2, 3)):
        pickle.dump(given, process.stdin)
    process.stdin.flush()
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 0
    process.stdin.close()
