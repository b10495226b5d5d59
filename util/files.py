"""Reading JSON with clear errors; writing files that appear whole or not at all."""

import codecs
import fcntl
import gc
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

import msgspec

from util.errors import InputError


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """A temporary path beside `path`, renamed to it when the block ends without an error, and removed otherwise.

    A process that is killed leaves it behind. Nobody deletes it later: it might be that of a process elsewhere.
    Raises InputError if the folder cannot be written or the disk is full.
    """
    path = Path(path)
    # Keeps the suffix, by which writers choose the format.
    temporary = path.with_name(f".{uuid4().hex}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        _remove(temporary)


def require_folder(path: str | os.PathLike) -> None:
    """Raise InputError if the folder of a script's --img_dir does not exist."""
    if not os.path.isdir(path):
        raise InputError(f"{path}: no such folder (--img_dir)")


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


@contextmanager
def only_user(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """The file `path`, created if needed, open for reading and appending by this process alone.

    Raises InputError while another process has it open, or if it cannot be written; on a file system without locks, a
    warning says so.
    """
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "a+b")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"{path}: another process is writing it") from error
        except OSError as error:
            logging.warning("%s: cannot be locked, so that nothing keeps other processes out: %s", path, error)
        yield file


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """For reading large files: the collector would search millions of new objects again and again.

    That doubles the time and finds nothing, since JSON has no cycles.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def unused_name(name: str, taken: set[str]) -> str:
    """`name`, with a number if it is among `taken`, to which it is added: for equal names from several folders."""
    unused, number = name, 1
    while unused in taken:
        number += 1
        unused = f"{name}_{number}"
    taken.add(unused)
    return unused


def read_bytes(path: str | os.PathLike, expected: str = "", hint: str = "") -> bytes:
    """The content of a text file (UTF-8), without a byte order mark.

    expected: the content it should have, for the message about an empty file; "" if it may be empty
    hint: what to do if the file cannot be opened

    Raises InputError if the file is missing, empty or not text.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}{hint and f'; {hint}'}") from error
    if expected and (not data or data.isspace()):
        raise InputError(f"{path}: the file is empty; expected {expected}")
    try:
        data.isascii() or data.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from error
    return data.removeprefix(codecs.BOM_UTF8)


def read_text(path: str | os.PathLike, expected: str = "", hint: str = "") -> str:
    """`read_bytes` as a text."""
    return read_bytes(path, expected, hint).decode()


def read_json(path: str | os.PathLike, kind: Any = Any, hint: str = "") -> Any:
    """The content of a JSON file.

    kind: a type that msgspec decodes, with null where the file has NaN (which Python writes)
    hint: what to do if the content is of another kind

    Raises InputError with the place of the fault.
    """
    data = read_bytes(path, "JSON")
    try:
        with no_garbage_collection():
            return _decode(data, kind)
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: line {error.lineno}, column {error.colno}: not JSON: {error.msg}") from error
    except msgspec.ValidationError as error:
        raise InputError(f"{path}: {error}{hint and f'; {hint}'}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not usable JSON: {error}") from error


def _decode(data: bytes, kind: Any) -> Any:
    """By msgspec, or else by json, which accepts NaN and halves of surrogate pairs and tells the line of a fault."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        if kind is Any:
            return json.loads(data.decode())
        content = json.loads(data.decode(), parse_constant=lambda name: None)
        return msgspec.json.decode(json.dumps(content, ensure_ascii=False).encode(errors="replace"), type=kind)


def write_json(path: str | os.PathLike, data: Any) -> None:
    """Write `data` as compact JSON, whole or not at all."""
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        # Not json.dump, which encodes in pure Python. ASCII, since half of a surrogate pair has no UTF-8.
        file.write(json.dumps(data, separators=(",", ":")))
