"""Curves of runs: what is read, and that each run has its line."""

import numpy as np
import pytest
from PIL import Image

from nnet.summary import SummaryWriter
from tools import plot_training
from util.errors import InputError


def write(folder, steps, offset=0.0):
    writer = SummaryWriter(folder)
    for step in steps:
        writer.scalars(step, {"total_loss": 1 / step + offset, "learning_rate": 0.1})


def test_a_continued_run_wins_over_what_a_killed_one_wrote(tmp_path):
    write(tmp_path / "log", [1, 2, 3])
    write(tmp_path / "log", [2, 3, 4], offset=5)
    # The killed one was writing a record.
    first = min((tmp_path / "log").iterdir())
    first.write_bytes(first.read_bytes()[:-3])
    steps, values = plot_training.read_scalars(tmp_path / "log")["total_loss"]
    np.testing.assert_array_equal(steps, [1, 2, 3, 4])
    np.testing.assert_allclose(values, [1, 5.5, 5 + 1 / 3, 5.25])


def test_picture_of_two_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a", [1, 2, 3])
    write(tmp_path / "b", [1, 2], offset=1)
    plot_training.main(["a", "--out", "one.png"])
    plot_training.main(["a", "b", "--out", "two.png"])
    one, two = (np.asarray(Image.open(name).convert("RGB")).reshape(-1, 3) for name in ("one.png", "two.png"))
    orange = [255, 127, 14]  # matplotlib's second line
    assert (two == orange).all(axis=1).any() and not (one == orange).all(axis=1).any()


def test_a_folder_without_curves(tmp_path):
    with pytest.raises(InputError, match="no scalars for TensorBoard"):
        plot_training.main([str(tmp_path)])
