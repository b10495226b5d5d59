"""The process that a benchmark measures."""

import os
import subprocess
import sys

import pytest

from tools.benchmarks.measure import usage_in_new_process
from util.errors import InputError

SLEEPER = """
import time
from tools.benchmarks.measure import usage_in_new_process

def sleep():
    print("asleep", flush=True)
    time.sleep(1000)

if __name__ == "__main__":
    usage_in_new_process(sleep)
"""


def test_it_is_another_one_and_its_death_is_a_line():
    usage = usage_in_new_process(os.getpid)
    assert usage.result != os.getpid() and usage.peak_memory > 1
    with pytest.raises(InputError, match="ended early"):
        usage_in_new_process(os._exit, 3)


def test_it_ends_with_the_process_that_started_it(tmp_path):
    """It holds the standard output, which ends only when both are gone."""
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    process = subprocess.Popen([sys.executable, tmp_path / "sleeper.py"], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"asleep\n"
    process.kill()
    assert process.communicate(timeout=60)[0] == b""
