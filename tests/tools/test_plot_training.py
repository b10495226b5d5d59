"""The command draws one run or several."""

import numpy as np
import pytest

from nnet.summary import SummaryWriter
from tests.drawn import made_figures, pixel_of
from tools import plot_training
from util.errors import InputError
from util.images import read_image

BLUE, ORANGE = (31, 119, 180), (255, 127, 14)  # matplotlib's first lines
LOSSES = {"log": (4.0, 1.0, 2.0), "other": (3.0, 0.5, 0.1)}


def test_curves_pass_through_their_values(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for folder, losses in LOSSES.items():
        writer = SummaryWriter(tmp_path / folder)
        for step, loss in enumerate(losses):
            writer.scalars(10 * step, {"total_loss": loss, "learning_rate": 0.1 * step})
    figures = made_figures(monkeypatch)
    plot_training.main([])
    plot_training.main([*LOSSES, "--out", "two.png"])
    assert capsys.readouterr().out == "training.png written\ntwo.png written\n"
    for figure, path, colours in zip(figures, ("training.png", "two.png"), ([BLUE], [BLUE, ORANGE]), strict=True):
        picture, (axes, _) = read_image(path), figure.axes
        assert axes.get_title() == "total loss"
        for losses, colour in zip(LOSSES.values(), colours, strict=False):
            for step, loss in enumerate(losses):
                col, row = np.rint(pixel_of(axes, (10 * step, loss), picture)).astype(int)
                assert (picture[row, col] == colour).all()
        assert (picture == ORANGE).all(axis=2).any() == (ORANGE in colours)


def test_a_folder_without_curves(tmp_path):
    with pytest.raises(InputError, match="no scalars for TensorBoard"):
        plot_training.main([str(tmp_path)])
