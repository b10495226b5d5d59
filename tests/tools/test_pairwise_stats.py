import numpy as np
import pytest
from scipy.io import savemat

from dataset.pair_offsets import load_pairwise_stats
from tools.pairwise_stats import main
from util.errors import InputError


def write_data(folder):
    """Two people of three joints, the images not there; the third joint never with the second."""
    joints = [np.array([[0, 10, 20], [1, 13, 24]]), np.array([[0, 1, 2], [1, 8, 4]]), np.array([[2, 5, 5]])]
    cell = np.empty((1, 3), object)
    cell[0, :] = joints
    dtype = [("image", "O"), ("size", "O"), ("joints", "O")]
    savemat(folder / "dataset.mat", {"dataset": np.array([[("a.png", np.array([[3, 9, 9]]), cell)]], dtype=dtype)})
    (folder / "pose_cfg.yaml").write_text("dataset: dataset.mat\nnum_joints: 3\n")


def test_writes_the_file_that_training_reads(tmp_path, monkeypatch, capsys):
    write_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    main([])
    stats = load_pairwise_stats("pairwise_stats.mat", 3)
    assert stats.means[0].tolist() == [5, 3]
    assert stats.std_devs[0].tolist() == [2, 1]
    text = capsys.readouterr().out
    assert "4 of 6 pairs seen less than 2 times" in text
    assert "never with another joint: joint2" in text
    assert "3 people, 6 pairs written to pairwise_stats.mat" in text


def test_own_file_name_and_overrides(tmp_path, monkeypatch):
    write_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    main(["--out", "sub/x.mat", "num_joints=4"])
    assert len(load_pairwise_stats("sub/x.mat", 4).graph) == 12
    with pytest.raises(InputError, match="joint id 2; ids count from 0 to 1"):
        main(["num_joints=2"])
