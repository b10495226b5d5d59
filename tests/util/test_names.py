"""Short names that tell files apart."""

import pytest

from util.names import distinct_names


@pytest.mark.parametrize("paths, names", [
    ([], []),
    (["x/a.jpg", "x/b.png"], ["a", "b"]),
    (["x/a.jpg", "y/b.png"], ["a", "b"]),
    (["data/x/1.png", "data/y/1.png", "data/y/2.png"], ["x/1", "y/1", "y/2"]),
    (["x/a.jpg", "x/a.png", "x/b.jpg"], ["a.jpg", "a.png", "b"]),
    (["a.jpg", "a.png", "a.jpg.png"], ["a.jpg", "a.png", "a.jpg_2"]),
    (["a.jpg", "a.jpg"], ["a.jpg", "a.jpg_2"]),
    (["a.b.jpg", "a.jpg"], ["a.b", "a"]),
    (["1.jpg", "001.jpg"], ["1", "001"]),
    (["x/a/b.png", "x/b.png"], ["a/b", "b"]),
])  # fmt: skip
def test_names_are_short_and_different(paths, names):
    assert distinct_names(paths) == names


def test_names_may_begin_below_a_folder():
    assert distinct_names(["images/val/b/5.png", "images/val/6.jpg"], "images/val") == ["b/5", "6"]
