"""Time and memory of this process."""

import sys
import time
from collections.abc import Callable


def best_time(function: Callable, repeat: int) -> float:
    """Seconds that the fastest of some runs took: the others were disturbed."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def peak_memory() -> float:
    """MiB that this process has held at most."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def run_times(function: Callable, repeat: int) -> list[float]:
    """Seconds of each of some runs, after one to warm up."""
    function()
    return [best_time(function, 1) for _ in range(repeat)]
