"""Fingerprints: short texts that differ if results would differ, for journals, caches and models of a network."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

LENGTH = 16  # hexadecimal digits; among a billion, two are equal with probability 1/40


def fingerprint(value: Any) -> str:
    """The fingerprint of numbers, texts, None, arrays, files (a Path stands for its content), and lists and mappings of
    these.

    A missing file counts as empty; reporting it is left to the code that needs it.
    """
    digest = hashlib.sha256()
    for piece in _pieces(value):
        digest.update(len(piece).to_bytes(8, "little"))
        digest.update(piece)
    return digest.hexdigest()[:LENGTH]


def _pieces(value: Any) -> Iterable[bytes | memoryview]:
    """The value as bytes, each piece with its kind, so that different values never give the same bytes."""
    if isinstance(value, Path):
        yield b"file"
        yield _content(value)
    elif isinstance(value, np.ndarray):
        yield f"array {value.dtype.str} {value.shape}".encode()
        yield np.ascontiguousarray(value).data.cast("B") if value.size else b""
    elif isinstance(value, Mapping):
        yield f"mapping {len(value)}".encode()
        for key in sorted(value):
            yield from _pieces(key)
            yield from _pieces(value[key])
    elif isinstance(value, list | tuple):
        yield f"list {len(value)}".encode()
        for item in value:
            yield from _pieces(item)
    else:
        yield f"{type(value).__name__} {value!r}".encode(errors="surrogatepass")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def file_stamp(path: str | os.PathLike) -> list[int] | None:
    """Size and modification time of a file, [bytes, nanoseconds]: a quick check whether it is still the same.

    None if there is no such file.
    """
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]
