"""Indices written by TensorFlow are accepted; those that would crash its process are refused."""

import struct

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.tensor_bundle_pb2 import BundleEntryProto, BundleHeaderProto

from nnet.checkpoint_index import check_index
from util.errors import InputError

FLOAT, TEXT = tf.float32.as_datatype_enum, tf.string.as_datatype_enum


def save(prefix, tensors, slices=""):
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=list(tensors),
        shape_and_slices=[slices] * len(tensors),
        tensors=list(map(tf.convert_to_tensor, tensors.values())),
    )


def varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def block(entries):
    keys_and_values = [b"\0" + varint(len(key)) + varint(len(value)) + key + value for key, value in entries]
    return b"".join(keys_and_values) + struct.pack("<II", 0, 1)


def write_index(prefix, **values):
    """A checkpoint of one array of six float32, with other values in its entry."""
    values = {"dtype": FLOAT, "shape": [3, 2], "offset": 0, "size": 24} | values
    shape = {"dim": [{"size": side} for side in values.pop("shape")]}
    entry, header = BundleEntryProto(shape=shape, **values), BundleHeaderProto(num_shards=1)
    arrays = block([(b"", header.SerializeToString()), (b"a/weights", entry.SerializeToString())])
    places = block([(b"b", varint(0) + varint(len(arrays)))])
    footer = varint(0) * 2 + varint(len(arrays) + 5) + varint(len(places))
    prefix.with_suffix(".index").write_bytes(
        arrays + bytes(5) + places + bytes(5) + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    )
    prefix.with_suffix(".data-00000-of-00001").write_bytes(bytes(24))


def test_what_tensorflow_writes_is_accepted(tmp_path):
    kinds = {np.dtype(kind).name: np.ones((2, 3), kind) for kind in ("f2", "f4", "f8", "i4", "i8", "u1", "?", "c8")}
    save(tmp_path / "kinds", kinds | {"texts": np.array([b"a", b"bcd"]), "none": np.zeros((0, 5)), "step": 7})
    # A block of the index has 256 KiB.
    save(tmp_path / "many", {f"{k:04}/{'x' * 200 * (k % 2)}": np.float32(k) for k in range(5000)})
    save(tmp_path / "sliced", {"a": np.ones((2, 3))}, "4 3 2,2:-")
    for name in ("kinds", "many", "sliced"):
        check_index(tmp_path / name)


def test_an_entry_made_by_hand_is_accepted(tmp_path):
    """The following tests change it."""
    write_index(tmp_path / "x")
    check_index(tmp_path / "x")


@pytest.mark.parametrize("values, message", [
    ({"shape": [-3, -2]}, r"impossible shape \[-3, -2\]"),
    ({"shape": [1 << 62, 4, 0], "size": 0}, "impossible shape"),
    ({"shape": [1] * 255, "size": 4}, "impossible shape"),
    ({"shape": [6, 2]}, r"a/weights is \(6, 2\) in its index and has 24 bytes"),
    ({"shape": [1 << 20, 1 << 20], "size": 1 << 42}, "beyond the end of the data"),
    ({"shape": [1], "size": 1 << 50, "dtype": TEXT}, "beyond the end of the data"),
    ({"offset": 1}, "beyond the end of the data"),
    ({"offset": -1}, "beyond the end of the data"),
    ({"dtype": 0}, r"unknown type \(0\)"),
    ({"dtype": 101}, r"unknown type \(101\)"),
    ({"dtype": 999}, r"unknown type \(999\)"),
    ({"shard_id": 1}, r"x\.data-00001-of-00001: cannot be read: No such file"),
])  # fmt: skip
def test_contradictory_entries_are_refused(tmp_path, values, message):
    write_index(tmp_path / "x", **values)
    with pytest.raises(InputError, match=message):
        check_index(tmp_path / "x")


def test_an_index_cut_anywhere_is_refused(tmp_path):
    write_index(tmp_path / "x")
    path = tmp_path / "x.index"
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match="x: not a readable checkpoint"):
            check_index(tmp_path / "x")
