"""Checks of a checkpoint's index before TensorFlow reads it: an impossible shape there would crash the process.

The index <prefix>.index is a sorted table in LevelDB's format: blocks of keys and values, a block that locates
the others, and at the end of the file the place of that block. A key is the name of an array, or empty for the header;
a value is a BundleEntryProto with the array's type, its shape and its place in the data files.
"""

import functools
import math
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.tensor_bundle_pb2 import BundleEntryProto, BundleHeaderProto

from nnet.snapshots import INDEX
from util.errors import InputError

_FOOTER = 48  # bytes
_MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)
_TRAILER = 5  # bytes after a block: its compression, and a checksum, which TensorFlow verifies
_MAX_RANK = 254
_STRING = tf.string.as_datatype_enum
_ITEM_SIZES = {kind.as_datatype_enum: kind.size for kind in (
    tf.bool, tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint16, tf.uint32, tf.uint64,
    tf.bfloat16, tf.float16, tf.float32, tf.float64, tf.complex64, tf.complex128)}  # fmt: skip


class _Broken(Exception):
    """The index contradicts itself; the text says how."""


def check_index(prefix: str | os.PathLike) -> None:
    """Raise InputError where the index of a checkpoint does not describe the arrays in its data files."""
    prefix = os.fspath(prefix)
    try:
        entries = dict(_table(Path(prefix + INDEX).read_bytes()))
        if b"" not in entries:
            raise _Broken("its index has no header")
        shards = BundleHeaderProto.FromString(entries.pop(b"")).num_shards

        @functools.cache
        def file_size(shard):
            return os.path.getsize(f"{prefix}.data-{shard:05d}-of-{shards:05d}")

        for name, value in entries.items():
            _check_entry(name.decode("ascii", "backslashreplace"), BundleEntryProto.FromString(value), file_size)
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read: {error.strerror}") from error
    except (_Broken, DecodeError) as error:
        raise InputError(f"{prefix}: not a readable checkpoint: {error}") from error


def _check_entry(name: str, entry: BundleEntryProto, file_size: Callable[[int], int]) -> None:
    shape = [dimension.size for dimension in entry.shape.dim]
    if len(shape) > _MAX_RANK or min(shape, default=0) < 0 or math.prod(max(side, 1) for side in shape) >= 1 << 63:
        raise _Broken(f"{name} has the impossible shape {str(shape)[:60]}")
    if entry.dtype not in _ITEM_SIZES and entry.dtype != _STRING:
        raise _Broken(f"{name} is of an unknown type ({entry.dtype})")
    # The bytes of a sliced array are in entries of their own; strings store their lengths with them.
    if not entry.slices and entry.dtype != _STRING and math.prod(shape) * _ITEM_SIZES[entry.dtype] != entry.size:
        raise _Broken(f"{name} is {tuple(shape)} in its index and has {entry.size} bytes")
    if entry.offset < 0 or entry.size < 0 or entry.offset + entry.size > file_size(entry.shard_id):
        raise _Broken(f"{name} lies beyond the end of the data, which is cut off")


def _table(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a table."""
    if len(data) < _FOOTER or not data.endswith(_MAGIC):
        raise _Broken("its index is cut off, or is not an index")
    *_, place = _handle(data, len(data) - _FOOTER)  # of a block about the table, which is empty
    begin, size, _ = _handle(data, place)
    for _, value in _block(data, begin, size):
        begin, size, _ = _handle(value)
        yield from _block(data, begin, size)


def _handle(data: bytes, place: int = 0) -> tuple[int, int, int]:
    """Where a block begins, its size, and the position after these two numbers."""
    begin, place = _varint(data, place)
    size, place = _varint(data, place)
    return begin, size, place


def _block(data: bytes, begin: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block."""
    end = begin + size
    if size < 4 or end + _TRAILER > len(data):
        raise _Broken("a block of its index lies beyond the end")
    if data[end]:
        raise _Broken("its index is compressed")
    (restarts,) = struct.unpack_from("<I", data, end - 4)
    end -= 4 * (restarts + 1)
    key, place = b"", begin
    while place < end:
        shared, place = _varint(data, place)
        rest, place = _varint(data, place)
        length, place = _varint(data, place)
        if shared > len(key) or place + rest + length > end:
            raise _Broken("an entry of its index is longer than what holds it")
        # A key shares a prefix with the one before it; only the rest is stored.
        key = key[:shared] + data[place : place + rest]
        place += rest + length
        yield key, data[place - length : place]


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """An unsigned number, stored in groups of seven bits, the lowest first, and the position after it."""
    value = 0
    for shift in range(0, 64, 7):
        if place >= len(data):
            break
        value |= (data[place] & 0x7F) << shift
        place += 1
        if data[place - 1] < 0x80:
            return value, place
    raise _Broken("a number in its index is cut off")
