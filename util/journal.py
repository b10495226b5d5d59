"""Results written as they come, so that after a kill the next run continues from there.

A journal is a file of JSON lines. The first, its header, says what the results belong to; each other one holds the
entry of one item, {"number": item, ...}. A later entry replaces an earlier one of its number.
"""

import json
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from util.errors import InputError
from util.files import only_user


class Journal:
    """A journal open for writing, locked against other processes; `entries` are those it holds, by number.

    A journal without entries is removed when it is closed.
    """

    def __init__(self, path: str | os.PathLike, header: dict[str, Any]):
        """Begin a journal, or continue one with the same header. Raises InputError."""
        self.path = Path(path)
        with ExitStack() as stack:
            self._file = stack.enter_context(only_user(self.path))
            found, self.entries, size = _read(self.path)
            self._file.truncate(size)
            if found is None:
                self._write(header)
            elif found != header:
                differences = ", ".join(key for key in header if found.get(key) != header[key])
                raise InputError(
                    f"{path}: results of another run ({differences} differ); finish that one, or remove "
                    "the file to begin anew"
                )
            self._stack = stack.pop_all()

    def add(self, number: int, entry: dict[str, Any]) -> None:
        """Append the entry of an item; once this returns, it survives the process."""
        self._write({"number": number, **entry})
        self.entries[number] = entry

    def _write(self, line: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n")
            self._file.flush()
        except OSError as error:
            raise InputError(f"{self.path}: cannot be written: {error.strerror or error}") from error

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_) -> None:
        if not self.entries:
            self.path.unlink()
        self._stack.close()


def read_journal(path: str | os.PathLike) -> tuple[dict[str, Any], dict[int, dict[str, Any]]]:
    """Header and entries by number. Raises InputError if the file is no journal, or an empty one."""
    header, entries, _ = _read(Path(path))
    if header is None:
        raise InputError(f"{path}: holds nothing yet")
    return header, entries


def _read(path: Path) -> tuple[dict[str, Any] | None, dict[int, dict[str, Any]], int]:
    """The header, None if there is none, the entries, and the size without a last line that a kill has cut off."""
    try:
        data = path.read_bytes()
        size = data.rfind(b"\n") + 1
        header, *lines = [json.loads(line) for line in data[:size].splitlines()] or [None]
        return header, {line.pop("number"): line for line in lines}, size
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise InputError(f"{path}: not a readable journal: {error}; remove the file to begin anew") from error
