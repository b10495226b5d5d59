"""Time and memory (Linux)."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, NamedTuple

from util.errors import InputError


def best_time(function: Callable, repeat: int) -> float:
    """Seconds of the fastest of several runs: the others were disturbed."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


class Usage(NamedTuple):
    """A call: its result, its seconds, and the peak memory of its process in MiB."""

    result: Any
    seconds: float
    peak_memory: float


def usage_in_new_process(function: Callable, *arguments) -> Usage:
    """Call a function of a module in a process of its own, so that no other memory is counted.

    The process ends with this one. Raises InputError if it is killed.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _end_with_parent) as executor:
        try:
            # The process inherits the mask: Ctrl-C is left to this one.
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
            future = executor.submit(_usage, function, arguments)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
            return future.result()
        except BrokenProcessPool as error:
            raise InputError("the process that was measured has ended early: is there enough memory?") from error
        except (KeyboardInterrupt, SystemExit):
            for process in multiprocessing.active_children():
                process.kill()
            raise


def _end_with_parent() -> None:
    def wait():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _usage(function: Callable, arguments: tuple) -> Usage:
    start = time.perf_counter()
    result = function(*arguments)
    seconds = time.perf_counter() - start
    # Not getrusage, which also counts the process that started this one.
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return Usage(result, seconds, int(line.split()[1]) / 1024)


def run_times(function: Callable, repeat: int) -> list[float]:
    """Seconds of each of several runs, after one to warm up."""
    function()
    return [best_time(function, 1) for _ in range(repeat)]
