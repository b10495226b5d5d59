"""Functions called in processes of their own, which end with this one, whatever ends it.

A worker reads pickled tasks from its standard input and writes pickled results to its standard output. It exits as soon
as the other end of its input is closed. It has its own session, so that Ctrl-C reaches only the process that started
it.
"""

import os
import pickle
import subprocess
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle
from queue import SimpleQueue
from typing import Any

from util.errors import InputError

DIED = "a process that works for this one has ended early: is there enough memory?"
AHEAD = 2  # tasks queued for each worker, so that it need not wait for the next one


def starmap_in_processes(function: Callable, tasks: Iterable[tuple], processes: int) -> Iterator[Any]:
    """function(*task) for each task, in order; few are in progress at a time, to bound memory.

    function: of a module, not of a script
    Its exceptions are raised at the turn of their task.
    """
    workers = [_Worker(function) for _ in range(processes)]
    try:
        turns, tasks = cycle(workers), iter(tasks)
        pending = deque()
        for worker, task in zip(turns, tasks, strict=False):
            worker.give(task)
            pending.append(worker)
            if len(pending) == AHEAD * processes:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for worker in workers:
            worker.end()


def call_in_process(function: Callable, *arguments: Any) -> Any:
    """function(*arguments), computed in a process of its own."""
    (result,) = starmap_in_processes(function, [arguments], 1)
    return result


class _Worker:
    """A process that calls one function again and again."""

    def __init__(self, function: Callable):
        command = f"import sys; sys.path[:] = {sys.path!r}; from util.workers import serve; serve()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        self.give(function)

    def give(self, task: Any) -> None:
        try:
            pickle.dump(task, self._process.stdin)
            self._process.stdin.flush()
        except OSError as error:
            raise InputError(DIED) from error

    def result(self) -> Any:
        try:
            value, error = pickle.load(self._process.stdout)
        except (EOFError, pickle.UnpicklingError) as error:
            raise InputError(DIED) from error
        if error is not None:
            raise error
        return value

    def end(self) -> None:
        self._process.kill()  # even in the middle of a task, whose result nobody needs
        self._process.communicate()


def serve() -> None:
    """The loop of a worker."""
    results = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what `function` prints must not mix with the results
    tasks = SimpleQueue()
    threading.Thread(target=_read_tasks, args=(sys.stdin.buffer, tasks), daemon=True).start()
    function = tasks.get()
    while True:
        try:
            answer = function(*tasks.get()), None
        except Exception as error:
            answer = None, error
        try:
            pickle.dump(answer, results)
            results.flush()
        except BrokenPipeError:  # the reader was killed; _read_tasks exits, but maybe later
            os._exit(0)


def _read_tasks(source, tasks: SimpleQueue) -> None:
    """Queue tasks until the other end is closed, then end this process in the middle of its work."""
    try:
        while True:
            tasks.put(pickle.load(source))
    except (EOFError, pickle.UnpicklingError):
        os._exit(0)
    except Exception:  # of a module that cannot be imported, for instance
        traceback.print_exc()
        os._exit(1)
