"""Tables of people for spreadsheets, written whole or not at all."""

import csv

import numpy as np
import pytest

from multiperson.predict import People
from multiperson.table import people_table

HEADER = ["file", "frame", "seconds", "person", "score",
          "eye_x", "eye_y", "eye_confidence", "tail_x", "tail_y", "tail_confidence"]  # fmt: skip
TWO = People(
    np.array([[[1.234, 5.678, 0.98765], [0, 0, 0]], [[-2, 100.999, 0.5], [7, 8, 1]]]), np.array([0.493825, 0.75])
)


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_each_person_of_pictures_and_frames_is_a_line(tmp_path):
    with people_table(tmp_path / "people.csv", ["eye", "tail"]) as add:
        add("a, b.jpg", TWO)
        add("nobody.jpg", People(np.zeros((0, 2, 3)), np.zeros(0)))
        add("clip.mp4", TWO, ids=[7, 3], frame=12, seconds=0.48)
    surest = ["0.4938", "1.23", "5.68", "0.9877", "", "", ""]
    other = ["0.75", "-2.0", "101.0", "0.5", "7.0", "8.0", "1.0"]
    assert read(tmp_path / "people.csv") == [
        HEADER,
        ["a, b.jpg", "", "", "0", *surest],
        ["a, b.jpg", "", "", "1", *other],
        ["clip.mp4", "12", "0.48", "7", *surest],
        ["clip.mp4", "12", "0.48", "3", *other],
    ]


def test_any_name_of_a_file_is_written(tmp_path):
    with people_table(tmp_path / "people.csv", ["eye", "tail"]) as add:
        add(b"caf\xe9.jpg".decode("utf-8", "surrogateescape"), TWO)
        add("日本.jpg", TWO)
    assert [row[0] for row in read(tmp_path / "people.csv")[1::2]] == [r"caf\udce9.jpg", "日本.jpg"]


def test_an_interrupted_table_leaves_the_old_one(tmp_path):
    (tmp_path / "people.csv").write_text("old")
    with pytest.raises(KeyboardInterrupt), people_table(tmp_path / "people.csv", ["eye", "tail"]) as add:
        add("a.jpg", TWO)
        raise KeyboardInterrupt
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
