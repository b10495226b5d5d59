"""MATLAB files: values as they were written, faults as InputError."""

import numpy as np
import pytest

from util.errors import InputError
from util.matfile import read_mat, write_mat


@pytest.mark.parametrize("compress", [False, True])
def test_values_are_read_as_written(tmp_path, compress):
    path = tmp_path / "x.mat"
    cell = np.empty((1, 2), object)
    cell[0, :] = np.array([[1, 2.5]]), "text"
    write_mat(path, {"small": np.array([[1.0, 2.0]]), "cell": cell, "struct": {"a": "Füße"}}, compress=compress)
    content = read_mat(path, "small")
    assert list(content) == ["small", "cell", "struct"]
    assert content["small"].dtype == float and content["small"].tolist() == [[1, 2]]
    assert content["cell"][0, 0].tolist() == [[1, 2.5]] and content["cell"][0, 1] == ["text"]
    assert content["struct"]["a"][0, 0] == ["Füße"]


def test_faults_are_one_line(tmp_path):
    path = tmp_path / "x.mat"
    write_mat(path, {"a": 1, "b": 2})
    with pytest.raises(InputError, match="variable 'c' is missing; the file holds a, b"):
        read_mat(path, "a", "c")
    with pytest.raises(InputError, match="not a readable MATLAB file .* Is a directory"):
        read_mat(tmp_path)
    with pytest.raises(InputError, match="b.mat: no such file; make it$"):
        read_mat(tmp_path / "b.mat", hint="; make it")
    for content in (b"", b"{}", b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM" + bytes(200)):
        path.write_bytes(content)
        with pytest.raises(InputError, match="x.mat: not a readable MATLAB file .*-v7") as caught:
            read_mat(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("compress", [False, True])
def test_a_file_cut_anywhere_is_an_input_error(tmp_path, compress):
    write_mat(tmp_path / "x.mat", {"struct": {"a": 1.5, "long_field_name": "b"}}, compress=compress)
    whole = (tmp_path / "x.mat").read_bytes()
    for length in range(0, len(whole) - 1, 7):
        (tmp_path / "cut.mat").write_bytes(whole[:length])
        with pytest.raises(InputError):
            read_mat(tmp_path / "cut.mat", "struct")
