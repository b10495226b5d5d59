"""Work done ahead by threads or processes, with results in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from typing import Any


def starmap_ahead(pool: Executor, function: Callable, tasks: Iterable[tuple], ahead: int) -> Iterator[Any]:
    """function(*task) for each task, in order; at most `ahead` are in progress, to bound memory.

    An exception of `function` is raised at that task's turn. Closing the iterator cancels the remaining work.
    """
    pending = deque()
    try:
        for task in tasks:
            pending.append(pool.submit(function, *task))
            if len(pending) >= ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()
