"""Results written as they come: a run that is killed keeps them, and the next one goes on from there.

A journal is a file of JSON lines. The first, its header, says what the results belong to; each other one holds the
entry of one item, {"number": item, ...}. A later entry replaces an earlier one of its number. A last line without its
end was being written when the run was killed, and counts for nothing.
"""

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from util.errors import InputError


class Journal:
    """A journal open for writing, kept from other processes; `entries` are those it holds, by number.

    One that holds none in the end is removed.
    """

    def __init__(self, path: str | os.PathLike, header: dict[str, Any]):
        """Begin a journal, or go on with one that has the same header. Raises InputError."""
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(self.path, "a+b")  # noqa: SIM115 (closed by __exit__)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"{path}: another process is writing it") from error
        except OSError as error:
            raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error
        found, self.entries, size = _read(self.path)
        self._file.truncate(size)
        if found is None:
            self._write(header)
        elif found != header:
            differences = ", ".join(key for key in header if found.get(key) != header[key])
            raise InputError(f"{path}: results of another run ({differences} differ); finish that one, or remove the "
                             "file to begin anew")  # fmt: skip

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
        self._file.close()


def read_journal(path: str | os.PathLike) -> tuple[dict[str, Any], dict[int, dict[str, Any]]]:
    """Header and entries by number. Raises InputError when it is none, or an empty one."""
    header, entries, _ = _read(Path(path))
    if header is None:
        raise InputError(f"{path}: holds nothing yet")
    return header, entries


def _read(path: Path) -> tuple[dict | None, dict[int, dict], int]:
    """Header (None without any line), entries, and how many bytes are whole lines."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    size = data.rfind(b"\n") + 1
    lines = [_parse(line, f"{path}: line {number}") for number, line in enumerate(data[:size].splitlines(), start=1)]
    if not lines:
        return None, {}, 0
    entries = {}
    for number, line in enumerate(lines[1:], start=2):
        if not isinstance(line.get("number"), int):
            raise InputError(f"{path}: line {number}: no entry of a journal; remove the file to begin anew")
        entries[line.pop("number")] = line
    return lines[0], entries, size


def _parse(line: bytes, where: str) -> dict[str, Any]:
    try:
        content = json.loads(line)
        if isinstance(content, dict):
            return content
    except (ValueError, RecursionError):
        pass
    raise InputError(f"{where}: no entry of a journal; remove the file to begin anew")
