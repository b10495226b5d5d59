"""The statistics of offsets between joints, from a data set to the file that training reads."""

import numpy as np
import pytest

from dataset.pair_offsets import load_pairwise_stats
from dataset.pose_dataset import save_dataset_mat
from tools.pairwise_stats import main
from util.errors import InputError


@pytest.fixture(autouse=True)
def data_set(tmp_path, monkeypatch):
    """Three people in an image that is not on disk; the third joint is never seen with another one."""
    people = [np.array([[0, 10, 20], [1, 13, 24]]), np.array([[0, 1, 2], [1, 8, 4]]), np.array([[2, 5, 5]])]
    save_dataset_mat(tmp_path / "dataset.mat", [("a.png", (9, 9), people)])
    (tmp_path / "pose_cfg.yaml").write_text("dataset: dataset.mat\nnum_joints: 3\n")
    monkeypatch.chdir(tmp_path)


def test_the_file_that_training_reads_is_written(capsys):
    main([])
    stats = load_pairwise_stats("pairwise_stats.mat", 3)
    assert stats.means[0].tolist() == [5, 3]
    assert stats.std_devs[0].tolist() == [2, 1]
    text = capsys.readouterr().out
    assert "4 of 6 pairs seen less than 2 times" in text
    assert "never with another joint: joint2" in text
    assert "3 people, 6 pairs written to pairwise_stats.mat" in text


def test_another_file_and_overrides():
    main(["--out", "sub/x.mat", "num_joints=4"])
    assert load_pairwise_stats("sub/x.mat", 4).means.shape == (12, 2)
    with pytest.raises(InputError, match="joint id 2; ids count from 0 to 1"):
        main(["num_joints=2"])
