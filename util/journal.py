"""Results written as they come, so that after a kill the next run continues from there.

A journal is a file of JSON lines. The first, its header, says what the results belong to; each other one holds the
entry of one item, {"number": item, ...}. A later entry replaces an earlier one of its number. Every line ends with a
checksum of itself: entries that are damaged, or were unfinished when the run was killed, are ignored.
"""

import json
import os
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from util.errors import InputError
from util.files import only_user


class Content(NamedTuple):
    """The content of a journal.

    header: None without any line; entries: by number
    damaged: how many lines fail their checksum; size: bytes of all complete lines
    """

    header: dict[str, Any] | None
    entries: dict[int, dict[str, Any]]
    damaged: int
    size: int


class Journal:
    """A journal open for writing, locked against other processes; `entries` are those it holds, by number.

    damaged: how many lines were ignored when it was opened
    A journal without entries is removed when it is closed.
    """

    def __init__(self, path: str | os.PathLike, header: dict[str, Any]):
        """Begin a journal, or continue one with the same header. Raises InputError."""
        self.path = Path(path)
        with ExitStack() as stack:
            self._file = stack.enter_context(only_user(self.path))
            found, self.entries, self.damaged, size = _read(self.path)
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
            self._file.write(_sealed(json.dumps(line, separators=(",", ":")).encode("ascii")))
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
    content = _read(Path(path))
    if content.header is None:
        raise InputError(f"{path}: holds nothing yet")
    return content.header, content.entries


def _read(path: Path) -> Content:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    size = data.rfind(b"\n") + 1
    lines = [_opened(line) for line in data[:size].splitlines()]
    if not lines:
        return Content(None, {}, 0, 0)
    header, *rest = lines
    if header is None:
        raise InputError(f"{path}: line 1: not the beginning of a journal, or damaged; remove the file to begin anew")
    entries = {line.pop("number"): line for line in rest if line is not None}
    return Content(header, entries, rest.count(None), size)


_CHECK = b',"crc32":"%08x"}'


def _sealed(line: bytes) -> bytes:
    """A JSON object (of one key at least) as a line with a checksum as its last key."""
    body = line[:-1]
    return body + _CHECK % zlib.crc32(body) + b"\n"


def _opened(line: bytes) -> dict[str, Any] | None:
    """The object in a line, or None if the checksum fails."""
    body = line[: -len(_CHECK % 0)]
    if line != body + _CHECK % zlib.crc32(body):
        return None
    content = json.loads(line)
    del content["crc32"]
    return content
