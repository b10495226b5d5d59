"""The command draws one run or several."""

import pytest
from PIL import Image

from nnet.summary import SummaryWriter
from tools import plot_training
from util.errors import InputError


def write(folder):
    SummaryWriter(folder).scalars(1, {"total_loss": 1.0, "learning_rate": 0.1})


def test_pictures_of_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "log")
    write(tmp_path / "other")
    plot_training.main([])
    plot_training.main(["log", "other", "--out", "two.png"])
    assert capsys.readouterr().out == "training.png written\ntwo.png written\n"
    with Image.open("training.png") as one, Image.open("two.png") as two:
        assert one.size == two.size  # panels of the same tags


def test_a_folder_without_curves(tmp_path):
    with pytest.raises(InputError, match="no scalars for TensorBoard"):
        plot_training.main([str(tmp_path)])
