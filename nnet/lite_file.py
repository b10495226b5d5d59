"""The file of a TensorFlow Lite model: the model, then notes about it, and a checksum of both.

TensorFlow Lite maps the file into memory and trusts it: a damaged file would crash the process. The checksum is
verified before that. Other programs read the model from the front and never reach what follows it.
"""

import hashlib
import json
import mmap
import os
import struct
from typing import Any

from nnet.snapshots import INDEX
from util.errors import InputError

SUFFIX = ".tflite"

_LENGTH = struct.Struct("<Q")  # of the notes, which stand before it
_MARK = b"pose-tflite-1\n"
_END = hashlib.sha256().digest_size + len(_MARK)


def seal(model: bytes, notes: dict[str, Any]) -> bytes:
    """The content of a file: the converted model, and notes about it in JSON."""
    text = json.dumps(notes).encode("ascii")
    content = model + text + _LENGTH.pack(len(text))
    return content + hashlib.sha256(content).digest() + _MARK


def read_notes(path: str | os.PathLike) -> dict[str, Any]:
    """The notes in an undamaged file. Raises InputError for any other file."""
    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            notes = _notes(memoryview(data))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; tools/export.py --tflite writes such models") from error
    except (OSError, ValueError) as error:  # ValueError: nothing can be mapped of an empty file
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if notes is None:
        raise InputError(
            f"{path}: cut off, damaged, too old, or no TensorFlow Lite model of tools/export.py; copy it again, or "
            "make it anew (--tflite or --quick_start)"
        )
    return notes


def _notes(file: memoryview) -> dict[str, Any] | None:
    """None if the file does not end with a checksum of what comes before, or describes no model (files of before)."""
    content, checksum, mark = file[:-_END], file[-_END : -len(_MARK)], file[-len(_MARK) :]
    if mark != _MARK or hashlib.sha256(content).digest() != checksum:
        return None
    end = len(content) - _LENGTH.size
    (length,) = _LENGTH.unpack(content[end:])
    notes = json.loads(bytes(content[end - length : end]))
    return notes if "model" in notes else None


def checkpoint_id(prefix: str | os.PathLike) -> str | None:
    """The id by which notes refer to the checkpoint that a model was made from; None if there is no such checkpoint.

    Its index holds the checksums of all weights, so the index stands for them.
    """
    try:
        with open(f"{os.fspath(prefix)}{INDEX}", "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return None
