"""Reading MATLAB files (version 5 to 7.2) and writing them; any broken file is an InputError.

This reader exists because scipy's crashes the interpreter on certain damaged files. It knows what data sets and
statistics consist of: numbers, texts, cells and structs.
"""

import os
import struct
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from util.errors import InputError
from util.files import atomic_path

_COMPRESSED, _MATRIX = 15, 14
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TEXTS = {1: "latin-1", 2: "utf-8", 4: "utf-16", 16: "utf-8", 17: "utf-16"}
_CELL, _STRUCT, _CHAR = 1, 2, 4
# MATLAB stores numbers in the smallest type that holds them; these are the original types.
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
_MAX_DEPTH = _MAX_DIMENSIONS = 32
_MAX_BYTES = 1 << 30  # of one variable, uncompressed


class _Broken(Exception):
    """The file contradicts itself; the text says how."""


class _Element(NamedTuple):
    kind: int
    data: memoryview


def read_mat(path: str | os.PathLike, *required: str, hint: str = "") -> dict[str, Any]:
    """The variables of a .mat file; raises InputError if it is unreadable or lacks one of `required`.

    Numbers become arrays, texts arrays of str, cells arrays of objects, structs arrays of records (a dtype of named
    object fields), all with MATLAB's two or more dimensions; texts are without the last, along which a text runs.
    hint: end of the message that there is no such file ("; <script> writes it")
    """
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file{hint}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not data:
        raise InputError(f"{path}: the file is empty")
    if data.startswith(b"MATLAB 7.3"):
        raise InputError(f"{path}: MATLAB 7.3 format; save it with '-v7'")
    try:
        content = _variables(data)
    except (_Broken, zlib.error, ValueError, MemoryError) as error:  # ValueError: numpy's for sizes beyond all bounds
        raise InputError(f"{path}: not a MATLAB file, or a broken one: {error}") from error
    for name in required:
        if name not in content:
            names = ", ".join(found if found.isprintable() else ascii(found) for found in content) or "nothing"
            raise InputError(f"{path}: variable '{name}' is missing; the file holds {names}")
    return content


def write_mat(path: str | os.PathLike, content: dict[str, Any], compress: bool = False) -> None:
    """Write variables by name, whole or not at all. Raises InputError if the file cannot be written."""
    from scipy.io import savemat  # slow to import, and not needed for reading

    with atomic_path(path) as temporary:
        savemat(temporary, content, do_compression=compress)


def _variables(data: bytes) -> dict[str, Any]:
    order = {b"IM": "<", b"MI": ">"}.get(data[126:128])
    if order is None:
        raise _Broken("it has no header of MATLAB 5 to 7.2")
    variables = {}
    for element in _elements(memoryview(data)[128:], order):
        if element.kind == _COMPRESSED:
            unpacker = zlib.decompressobj()
            content = unpacker.decompress(element.data, _MAX_BYTES)
            if not unpacker.eof:
                raise _Broken("a compressed variable is cut off or too large")
            (element,) = _elements(memoryview(content), order, count=1)
        if element.kind == _MATRIX:
            name, value = _matrix(element.data, order, 0)
            variables[name] = value
    return variables


def _elements(data: memoryview, order: str, count: int | None = None) -> list[_Element]:
    """The consecutive elements in `data`; raises _Broken if there are not `count` of them."""
    elements = []
    while len(data) >= 8 and len(elements) != count:
        kind, size = struct.unpack_from(order + "II", data)
        begin = 8
        if kind >> 16:  # the small form: size, kind and up to four bytes of data in eight bytes
            kind, size, begin = kind & 0xFFFF, kind >> 16, 4
            if size > 4:
                raise _Broken("a small element is too large")
        elif begin + size > len(data):
            raise _Broken("an element is longer than what holds it")
        elements.append(_Element(kind, data[begin : begin + size]))
        end = begin + size
        data = data[end if kind == _COMPRESSED else -(-end // 8) * 8 :]
    if count is not None and len(elements) != count:
        raise _Broken("elements are missing")
    return elements


def _numbers(element: _Element, order: str) -> np.ndarray:
    if element.kind not in _NUMBERS:
        raise _Broken(f"numbers of unknown kind {element.kind}")
    dtype = np.dtype(order + _NUMBERS[element.kind])
    if len(element.data) % dtype.itemsize:
        raise _Broken("a number is cut off")
    return np.frombuffer(element.data, dtype)


def _integers(element: _Element, order: str) -> np.ndarray:
    numbers = _numbers(element, order)
    if numbers.dtype.kind not in "iu":
        raise _Broken("sizes that are not whole numbers")
    return numbers


def _matrix(data: memoryview, order: str, depth: int) -> tuple[str, Any]:
    """Name and value of an array of any class."""
    if not data:
        return "", np.zeros((0, 0))
    if depth > _MAX_DEPTH:
        raise _Broken("too deeply nested")
    elements = _elements(data, order)
    if len(elements) < 3:
        raise _Broken("an array without flags, dimensions and name")
    flags, dimensions, name, *parts = elements
    flags, shape = _integers(flags, order), tuple(_integers(dimensions, order).tolist())
    if not flags.size or not 2 <= len(shape) <= _MAX_DIMENSIONS or min(shape) < 0:
        raise _Broken("an array of impossible dimensions")
    kind, name = int(flags[0]) & 0xFF, bytes(name.data).decode("latin-1")
    count = int(np.prod(shape, dtype=object))
    if kind == _CELL:
        return name, _cells(parts, shape, count, order, depth)
    if kind == _STRUCT:
        return name, _structs(parts, shape, count, order, depth)
    if kind == _CHAR:
        return name, _texts(parts, shape, count, order)
    if kind in _CLASSES and parts:
        values = _numbers(parts[0], order)
        if values.size != count:
            raise _Broken(f"{values.size} numbers in an array of {count}")
        return name, values.astype(_CLASSES[kind]).reshape(shape, order="F")
    raise _Broken(f"arrays of class {kind} are not known here")


def _cells(parts: list[_Element], shape, count: int, order: str, depth: int) -> np.ndarray:
    if len(parts) != count or any(part.kind != _MATRIX for part in parts):
        raise _Broken(f"{len(parts)} values for {count} cells")
    values = np.empty(count, object)
    for i, part in enumerate(parts):
        values[i] = _matrix(part.data, order, depth + 1)[1]
    return values.reshape(shape, order="F")


def _structs(parts: list[_Element], shape, count: int, order: str, depth: int) -> np.ndarray:
    if len(parts) < 2:
        raise _Broken("a struct without field names")
    width = _integers(parts[0], order)
    text = bytes(parts[1].data)
    if width.size != 1 or width[0] <= 0 or len(text) % int(width[0]):
        raise _Broken("field names of no length")
    width = int(width[0])
    names = [text[i : i + width].split(b"\0")[0].decode("latin-1") for i in range(0, len(text), width)]
    if not all(names) or len(set(names)) != len(names) or len(parts) - 2 != count * len(names):
        raise _Broken("a struct whose fields do not fit its names")
    values = np.empty(count, [(name, object) for name in names])
    for i, part in enumerate(parts[2:]):
        values[names[i % len(names)]][i // len(names)] = _matrix(part.data, order, depth + 1)[1]
    return values.reshape(shape, order="F")


def _texts(parts: list[_Element], shape, count: int, order: str) -> np.ndarray:
    """The texts along the last dimension of an array of characters, for a matrix its rows."""
    if not count or not parts:
        return np.array([], str)
    if parts[0].kind not in _TEXTS:
        raise _Broken(f"text of unknown kind {parts[0].kind}")
    encoding = _TEXTS[parts[0].kind]
    if encoding == "utf-16":  # without a byte order mark
        encoding += "-le" if order == "<" else "-be"
    text = bytes(parts[0].data).decode(encoding)
    if len(text) != count:
        raise _Broken("a text of another length")
    characters = np.ascontiguousarray(np.array(list(text)).reshape(shape, order="F"))
    return characters.view(f"U{shape[-1]}")[..., 0]
