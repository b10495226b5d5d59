"""YAML files: what is read, and how mistakes are told."""

import pytest

from util.errors import InputError
from util.yamlfile import parse_yaml, read_yaml


def test_anchors_and_merges_are_resolved():
    assert parse_yaml("a: &a {x: 1, y: 2}\nb: {in: &b {<<: *a, y: 3}}\nc: {<<: *b}", "here") == {
        "a": {"x": 1, "y": 2},
        "b": {"in": {"x": 1, "y": 3}},
        "c": {"x": 1, "y": 3},
    }


@pytest.mark.parametrize("text, place", [
    ("a: 1\nb: 2\na: 1", "line 3"),
    ('t: {x: 1, "x": 2}', "line 1"),
    ("a: &m {x: 1}\nb:\n  <<: *m\n  y: 1\n  y: 2", "line 5"),
])  # fmt: skip
def test_a_key_given_twice_is_refused(text, place):
    with pytest.raises(InputError, match=f"here: {place}, column .* stands twice, first in line"):
        parse_yaml(text, "here")


def test_files_are_read_or_named(tmp_path):
    path = tmp_path / "x.yaml"
    with pytest.raises(InputError, match="cannot be read: No such file or directory; make it"):
        read_yaml(path, "make it")
    path.write_bytes(b"a: \xff")
    with pytest.raises(InputError, match="byte 3 is not UTF-8"):
        read_yaml(path)
    path.write_bytes("\ufeffa: ä".encode())
    assert read_yaml(path) == {"a": "ä"}
    path.write_text("")
    assert read_yaml(path) is None
