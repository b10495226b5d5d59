"""Work done ahead by threads or processes, its results in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from typing import Any


def starmap_ahead(pool: Executor, function: Callable, tasks: Iterable[tuple], ahead: int) -> Iterator[Any]:
    """function(*task) of each task, in order; at most `ahead` of them are under way, so that memory stays bounded.

    What `function` raises is raised when it is that task's turn. Work that nobody waits for any more is cancelled.
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
