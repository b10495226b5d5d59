"""The curves of runs, read and drawn."""

import numpy as np
from PIL import Image

from nnet.curves import plot, read_scalars
from nnet.summary import SummaryWriter


def write(folder, steps, offset=0.0):
    writer = SummaryWriter(folder)
    for step in steps:
        writer.scalars(step, {"total_loss": 1 / step + offset, "learning_rate": 0.1})


def test_a_continued_run_replaces_what_a_killed_one_wrote(tmp_path):
    write(tmp_path / "log", [1, 2, 3])
    write(tmp_path / "log", [2, 3, 4], offset=5)
    # The killed one was writing a record.
    first = min((tmp_path / "log").iterdir())
    first.write_bytes(first.read_bytes()[:-3])
    steps, values = read_scalars(tmp_path / "log")["total_loss"]
    np.testing.assert_array_equal(steps, [1, 2, 3, 4])
    np.testing.assert_allclose(values, [1, 5.5, 5 + 1 / 3, 5.25])


def test_each_run_has_its_line(tmp_path):
    runs = {
        name: {"total_loss": (np.array([1, 2, 3]), np.array([3.0, 2.0, 1.0]) + number)}
        for number, name in enumerate("ab")
    }
    plot({"a": runs["a"]}, tmp_path / "one.png")
    plot(runs, tmp_path / "two.png")
    pictures = [Image.open(tmp_path / name).convert("RGB") for name in ("one.png", "two.png")]
    one, two = (np.asarray(picture).reshape(-1, 3) for picture in pictures)
    orange = [255, 127, 14]  # matplotlib's second line
    assert (two == orange).all(axis=1).any() and not (one == orange).all(axis=1).any()
