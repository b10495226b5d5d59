"""Equal values have equal fingerprints, different ones different fingerprints."""

import itertools
import os

import numpy as np

from util.fingerprint import LENGTH, file_stamp, fingerprint


def test_different_values_have_different_fingerprints(tmp_path):
    for name, content in (("a", b"1"), ("b", b"2"), ("c", b"1")):
        (tmp_path / name).write_bytes(content)
    values = [
        1, 1.0, True, "1", None, "", [], {}, [[]], [1], [1, 2], [12], [[1], 2], [1, [2]], ["a", "b"], ["ab"],
        {"a": 1}, {"a": 2}, {"b": 1}, {"a": 1, "b": 2}, {"a": {"b": 1}}, "\udcff", float("nan"),
        np.zeros(2), np.zeros(3), np.zeros((2, 1)), np.zeros(2, np.float32), np.zeros(0), np.ones(2), np.array(1.0),
        tmp_path / "a", tmp_path / "b", tmp_path / "missing", str(tmp_path / "a"), b"1",
    ]  # fmt: skip
    found = [fingerprint(value) for value in values]
    assert all(len(text) == LENGTH for text in found)
    for (first, one), (second, other) in itertools.combinations(zip(values, found, strict=True), 2):
        assert one != other, (first, second)


def test_equal_values_have_the_same_fingerprint(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"1")
    turned = np.arange(6).reshape(2, 3).T
    for one, other in (
        ({"a": 1, "b": [2, "x"]}, {"b": (2, "x"), "a": 1}),
        (tmp_path / "a", tmp_path / "b"),
        (turned, turned.copy()),
    ):
        assert fingerprint(one) == fingerprint(other)


def test_a_file_that_changes_has_another_stamp(tmp_path):
    path = tmp_path / "a"
    assert file_stamp(path) is None
    path.write_bytes(b"1")
    before = file_stamp(path)
    assert before == file_stamp(path)
    os.utime(path, ns=(0, before[1] + 1))
    assert file_stamp(path) != before
