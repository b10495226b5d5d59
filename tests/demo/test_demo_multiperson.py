"""The demo writes pictures, JSON and a table, and passes over broken files."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest

from dataset.skeleton import AIC
from demo import demo_multiperson
from tests.drawn import assert_people_drawn
from util.errors import InputError
from util.images import read_image


def test_writes_picture_json_and_table_of_each_image(estimator, pictures, tmp_path, capsys):
    out = tmp_path / "out"
    demo_multiperson.run_demo(estimator, pictures[:2], out, show=False, csv=True)
    names = {f"{name}_people.{kind}" for name in ("x", "x_2") for kind in ("jpg", "json")}
    assert {path.name for path in out.iterdir()} == names | {"people.csv"}
    for name, picture in zip(("x", "x_2"), pictures[:2], strict=True):
        people = json.loads((out / f"{name}_people.json").read_text())["people"]
        assert_people_drawn(out / f"{name}_people.jpg", read_image(picture), people, ids=[0, 1])
    head = people[0]["keypoints"]["head_top"]
    assert [head["x"], head["y"]] == pytest.approx(estimator.keypoints[0, 12, :2], abs=0.01)
    assert "neck" in people[0]["keypoints"] and "neck" not in people[1]["keypoints"]
    rows = capsys.readouterr().out.splitlines()
    assert rows[1].split() == ["x.png", "2", "0.25", "s", "1.0", "ms", "0.90", "0.84"]

    with open(out / "people.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = [f"{name}_{what}" for name in AIC.keypoints for what in ("x", "y", "confidence")]
    assert list(rows[0]) == ["file", "frame", "seconds", "person", "score", *columns]
    expected = [(str(path), str(person)) for path in pictures[:2] for person in range(2)]
    assert [(row["file"], row["person"]) for row in rows] == expected
    assert [float(rows[0][f"head_top_{axis}"]) for axis in "xy"] == [head["x"], head["y"]]
    assert rows[1]["neck_x"] == rows[1]["frame"] == ""


def test_a_broken_picture_is_named_and_the_others_are_done(estimator, pictures, tmp_path, caplog):
    demo_multiperson.run_demo(estimator, [pictures[2], pictures[0]], tmp_path / "out", show=False)
    assert (tmp_path / "out" / "x_people.jpg").exists()
    assert len(caplog.messages) == 1 and "skipped" in caplog.text and "broken.png" in caplog.text


@pytest.mark.parametrize("arguments, message", [
    (["nowhere.jpg"], "nowhere.jpg: no such file or folder"),
    (["--cfg", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
    (["nms_radios=3"], r"unknown key 'nms_radios' \(did you mean nms_radius\?\)"),
])  # fmt: skip
def test_mistakes_are_named_and_nothing_is_written(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        demo_multiperson.main(arguments)
    assert not list(tmp_path.iterdir())


# Read off by eye, in pixels of the photographs of 512x512.
ASTRONAUT = {"head_top": (225, 18), "neck": (212, 195), "right_shoulder": (100, 255), "left_shoulder": (318, 262)}
CAMERAMAN = {"head_top": (218, 68), "neck": (165, 150), "right_shoulder": (100, 180)}


def test_the_first_command_finds_the_people_of_two_photographs(tmp_path):
    command = [sys.executable, demo_multiperson.__file__, "--out_dir", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stderr == ""
    for name, joints in (("astronaut", ASTRONAUT), ("camera", CAMERAMAN)):
        assert f"{name}.png" in result.stdout
        found = json.loads((tmp_path / f"{name}_people.json").read_text())["people"]
        assert len(found) == 1  # and nobody else
        for joint, (x, y) in joints.items():
            place = found[0]["keypoints"][joint]
            assert np.hypot(place["x"] - x, place["y"] - y) < 51, joint  # a tenth of the person's size
