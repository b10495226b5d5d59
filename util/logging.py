"""Plain logs: one line per event, on the terminal and in a file."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from util.errors import InputError


class _LogFile(logging.FileHandler):
    """A log file that resumes when the disk has room again; meanwhile it warns once."""

    def __init__(self, path: str | os.PathLike):
        super().__init__(path, encoding="utf-8", errors="backslashreplace")
        self._warned = False

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._warned:
            self._warned = True
            logging.warning("%s: cannot be written: %s", self.baseFilename, error.strerror or error)


class _Plain(logging.Formatter):
    """Plain messages, with the level in front of warnings and errors."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        if record.levelno >= logging.WARNING:
            record.message = f"warning: {record.message}"
        return super().formatMessage(record)


def show_warnings() -> None:
    """Send warnings to standard error, unless logging has been set up."""
    console = logging.StreamHandler(sys.stderr)
    console.setFormatter(_Plain())
    logging.basicConfig(level=logging.WARNING, handlers=[console])


def setup_logging(path: str | os.PathLike | None = None) -> None:
    """Send log lines to standard error and, with date and time, to the end of the file `path`.

    Raises InputError if the file cannot be opened.
    """
    console = logging.StreamHandler(sys.stderr)
    console.setFormatter(_Plain())
    handlers: list[logging.Handler] = [console]
    if path is not None:
        try:
            file = _LogFile(path)
        except OSError as error:
            raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error
        file.setFormatter(_Plain("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
        handlers.append(file)
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)
    logging.getLogger("matplotlib").setLevel(logging.WARNING)


def silence_tensorflow() -> None:
    """Silence TensorFlow's log; call before its first import."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Suppress standard error within the block, for native code that ignores log levels; exceptions pass."""
    sys.stderr.flush()
    terminal, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        os.close(nowhere)
