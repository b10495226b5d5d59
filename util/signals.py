"""Interruptions of a script: Ctrl-C, signals that end a process, and missing packages.

Scripts import util.cli first, which imports this. From then on Ctrl-C is a line, even during an import, where a few
packages turn a KeyboardInterrupt into other errors.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from lib import MissingExtension

INTERRUPTED = 130  # the exit status that shells give for Ctrl-C
_received: list[int] = []


def unwind_on_signals() -> None:
    """Turn signals into exceptions, so that half-written files are removed."""
    signal.signal(signal.SIGINT, _interrupt)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:  # nohup ignores them
            signal.signal(number, _leave)


def ending_signal() -> int | None:
    """The first signal that was to end this process, None if there was none."""
    return _received[0] if _received else None


@contextmanager
def noting_signals(*numbers: int) -> Iterator[Callable[[], bool]]:
    """A function that says whether one of these signals has come within the block; a second one acts as usual."""
    came = False

    def note(number, _frame):
        nonlocal came
        came = True
        signal.signal(number, before[number])

    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield lambda: came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number, _frame) -> NoReturn:
    _received.append(number)
    raise KeyboardInterrupt


def _leave(number, _frame) -> NoReturn:
    _received.append(number)
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


def _stop(message: str, status: int) -> NoReturn:
    print(message, file=sys.stderr, flush=True)
    os._exit(status)


def _report(kind, error, trace) -> None:
    remedy = _remedy(error)
    if remedy:
        _stop(f"{os.path.basename(sys.argv[0])}: {remedy}", 2)
    sys.__excepthook__(kind, error, trace)


def _remedy(error: BaseException) -> str | None:
    """What to do about a failed import; None for other errors."""
    if isinstance(error, MissingExtension):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and error.name:
        return (
            f"{error.name} is neither in {Path(__file__).parents[1]} nor installed in {sys.executable}; ./compile.sh "
            "makes an environment that has everything: .venv/bin/python"
        )
    return None


def _imported_by_a_script() -> bool:
    """Whether the script that Python runs imports this module, not a test or an interactive session."""
    frame = sys._getframe()
    while frame and (frame.f_globals.get("__name__") in (__name__, "util.cli") or _is_import_machinery(frame)):
        frame = frame.f_back
    return frame is not None and frame.f_globals.get("__name__") == "__main__" and not hasattr(sys, "ps1")


def _is_import_machinery(frame) -> bool:
    return frame.f_code.co_filename.startswith("<frozen importlib")


if _imported_by_a_script():
    sys.excepthook = _report
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: _stop("\ninterrupted", INTERRUPTED))
