"""MATLAB files: values as scipy reads them, faults as InputError."""

import io
import math
import struct

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from util.errors import InputError
from util.matfile import read_mat

CELL = np.empty((1, 2), object)
CELL[0, 0], CELL[0, 1] = np.array([[1, 2.5]]), "text"
CONTENT = {
    "numbers": np.arange(12.0).reshape(3, 4) / 7,
    "cube": np.arange(24, dtype=np.int16).reshape(2, 3, 4),
    "bytes": np.array([[3]], np.uint8),
    "text": "Füße",
    "rows": np.array(["ab", "cd"]),
    "more rows": np.array([["ab", "cde", "f"], ["g", "h", "ij"]]),
    "none": np.zeros((0, 3)),
    "cell": CELL,
    "struct": {"a": 1.5, "long_field_name": "b"},
    "yes": np.array([[True, False]]),
}


def same(a, b):
    if a.dtype.names:
        return a.dtype.names == b.dtype.names and all(same(a[name], b[name]) for name in a.dtype.names)
    if a.dtype == object:
        return a.shape == b.shape and all(map(same, a.ravel(), b.ravel()))
    return a.shape == b.shape and np.array_equal(a, b)


@pytest.mark.parametrize("compressed", [False, True])
def test_values_are_those_that_scipy_reads(tmp_path, compressed):
    savemat(tmp_path / "x.mat", CONTENT, do_compression=compressed)
    ours, scipys = read_mat(tmp_path / "x.mat"), loadmat(tmp_path / "x.mat", mat_dtype=True)
    assert list(ours) == list(CONTENT)
    for name, value in ours.items():
        assert same(value, scipys[name]), name


def test_missing_variables_and_other_formats_are_named(tmp_path):
    path = tmp_path / "x.mat"
    savemat(path, {"a": 1, "b": 2})
    with pytest.raises(InputError, match="variable 'c' is missing; the file holds a, b"):
        read_mat(path, "a", "c")
    path.write_bytes(b"MATLAB 7.3 MAT-file" + bytes(200))
    with pytest.raises(InputError, match="save it with '-v7'"):
        read_mat(path)
    savemat(path, {"a": 1}, format="4")
    with pytest.raises(InputError, match="not a MATLAB file"):
        read_mat(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_mat(tmp_path)
    path.write_bytes(b"")
    with pytest.raises(InputError, match="the file is empty"):
        read_mat(path)
    with pytest.raises(InputError, match="b.mat: no such file; make it$"):
        read_mat(tmp_path / "b.mat", hint="; make it")


@pytest.mark.parametrize("compressed", [False, True])
def test_a_file_cut_anywhere_is_an_input_error(tmp_path, compressed):
    savemat(tmp_path / "x.mat", {"struct": CONTENT["struct"]}, do_compression=compressed)
    whole = (tmp_path / "x.mat").read_bytes()
    for length in range(0, len(whole) - 1, 7):
        (tmp_path / "cut.mat").write_bytes(whole[:length])
        with pytest.raises(InputError):
            read_mat(tmp_path / "cut.mat", "struct")


def test_damaged_files_are_read_or_refused(tmp_path):
    """Some of these make scipy's reader crash the interpreter."""
    buffer = io.BytesIO()
    savemat(buffer, CONTENT)
    whole = buffer.getvalue()
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(600):
        damaged = bytearray(whole)
        for place in random.integers(124, len(whole), random.integers(1, 4)):
            damaged[place] = random.choice([0, 1, 14, 127, 255])
        (tmp_path / "x.mat").write_bytes(damaged)
        try:
            read_mat(tmp_path / "x.mat")
        except InputError:
            refused += 1
    assert refused > 100


def test_names_that_cannot_be_printed_do_not_break_the_message(tmp_path):
    savemat(tmp_path / "x.mat", {"means": np.zeros(2)})
    data = (tmp_path / "x.mat").read_bytes()
    (tmp_path / "x.mat").write_bytes(data.replace(b"means", b"\x85eans"))
    with pytest.raises(InputError, match=r"the file holds '\\x85eans'$"):
        read_mat(tmp_path / "x.mat", "means")


@pytest.mark.parametrize("number", [math.inf, math.nan, 0.5, -1.0])
def test_sizes_are_whole_numbers(tmp_path, number):
    """Of fields' names, which take two bytes each, and of arrays."""
    savemat(tmp_path / "x.mat", {"struct": {"a": 1}})
    whole, real = (tmp_path / "x.mat").read_bytes(), struct.pack("<f", number)
    name_size, dimensions = struct.pack("<hhi", 5, 4, 2), struct.pack("<iiii", 5, 8, 1, 1)
    for sound, broken in (
        (name_size, struct.pack("<hh", 7, 4) + real),
        (dimensions, struct.pack("<ii", 7, 8) + real + real),
    ):
        assert sound in whole
        (tmp_path / "x.mat").write_bytes(whole.replace(sound, broken))
        with pytest.raises(InputError, match="not a MATLAB file, or a broken one: sizes that are not whole numbers"):
            read_mat(tmp_path / "x.mat")
