"""The shares of correct keypoints of a submission, or of predictions.mat for a data set."""

import json

import numpy as np
import pytest
from PIL import Image

from dataset.pose_dataset import save_dataset_mat
from dataset.skeleton import AIC
from tests.annotations import aic_record
from tests.drawn import made_figures, pixel_of
from tools import eval_pck
from tools.predict_singleperson import write_predictions
from util.errors import InputError
from util.images import read_image


def record(image_id, offset=0.0, names=("human1",)):
    """People whose torso is 50 px, with all joints off by `offset` px."""
    keypoints = np.zeros((14, 3), int) + [10, 10, 1]
    keypoints[AIC.keypoints.index("right_hip")] = 40, 50, 2
    keypoints[AIC.keypoints.index("head_top")] = 10, 30, 1
    values = (keypoints + [offset, 0, 0]).ravel().tolist()
    return aic_record(image_id, dict.fromkeys(names, values), [0, 0, 60, 60])


@pytest.fixture
def evaluate(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def evaluate(submission, reference, *options):
        for name, content in (("submit.json", submission), ("ref.json", reference)):
            (tmp_path / name).write_text(json.dumps(content))
        eval_pck.main(["--submit", "submit.json", "--ref", "ref.json", *options])
        rows = [line.split() for line in capsys.readouterr().out.splitlines()]
        return {row[0]: row[-3:] for row in rows if len(row) > 3}

    return evaluate


def test_the_table_has_a_column_for_each_measure(evaluate):
    reference = [record("a", names=("human1", "human2")), record("b")]
    # Off by 10 of the torso's 50, of the head's 20, of the box's 40; b is missing.
    rows = evaluate([record("a", 10, names=("human2", "human1"))], reference)
    assert rows["neck"] == ["0.6667", "0.6667", "0.0000"]
    assert rows["mean"] == rows["all"] == ["0.6667", "0.6667", "0.0000"]
    assert rows["people"] == ["3", "3", "3"]
    rows = evaluate([record("a", 10, names=("human2", "human1"))], reference, "--threshold", "0.25")
    assert rows["neck"] == ["0.6667"] * 3


def test_curves_pass_through_the_shares(evaluate, monkeypatch):
    """Two of three people are found from .16 of the torso on, .4 of the head, .2 of the box."""
    figures = made_figures(monkeypatch)
    evaluate([record("a", 8, ("human1", "human2"))], [record("a", 0, ("human1", "human2")), record("b")],
             "--plot", "pck.png")  # fmt: skip
    picture = read_image("pck.png")
    for axes, step in zip(figures[0].axes, (0.16, 0.4, 0.2), strict=True):
        for threshold, there in ((step + 0.05, True), (step - 0.05, False)):
            col, row = np.rint(pixel_of(axes, (threshold, 200 / 3), picture)).astype(int)
            assert (picture[row, col] == 0).all() == there
    with pytest.raises(InputError, match=r"writes \.png"):
        evaluate([], [], "--plot", "pck.doc")


def test_wrong_submissions_are_refused(evaluate):
    with pytest.raises(InputError, match="none of the people"):
        evaluate([record("other")], [record("a")])
    with pytest.raises(InputError, match="expected a JSON list"):
        evaluate({}, [record("a")])
    broken = record("a")
    broken["keypoint_annotations"]["human1"] = [1, 2]
    with pytest.raises(InputError, match="submit.json: a human1: keypoints that are not a list of 42"):
        evaluate([broken], [record("a")])


def test_predictions_mat_is_measured_on_the_data_set(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    joints = np.column_stack([np.arange(14), np.arange(14) * 10, np.zeros(14)])
    save_dataset_mat("dataset.mat", [("a.png", (60, 200), [joints])])
    Image.new("RGB", (200, 60)).save("a.png")
    (tmp_path / "pose_cfg.yaml").write_text("dataset: dataset.mat\ndataset_type: mpii\nnum_joints: 14\n")
    predicted = np.column_stack([joints[:, 1], np.full(14, 24.0), np.ones(14)])
    predicted[0, 1] = 26  # more than half of the 50 px that a head has in MPII's crops
    write_predictions(tmp_path / "results/predictions.mat", predicted[None])
    eval_pck.main([])
    rows = {line.split()[0]: line.split()[-2:] for line in capsys.readouterr().out.splitlines() if "_" in line}
    assert rows["right_ankle"] == ["0.0000", "1.0000"] and rows["left_wrist"] == ["1.0000", "1.0000"]
    write_predictions(tmp_path / "results/predictions.mat", np.zeros((2, 14, 3)))
    with pytest.raises(InputError, match="must hold 1 people of 14 x, y, score"):
        eval_pck.main([])


def test_what_cannot_be_measured_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (20, 20)).save("a.png")
    save_dataset_mat("dataset.mat", [("a.png", (20, 20), [np.array([[0, 5, 5], [1, 15, 15]])])])
    (tmp_path / "pose_cfg.yaml").write_text("dataset: dataset.mat\nskeleton: {joints: [left_ear, tail]}\n")
    write_predictions(tmp_path / "results/predictions.mat", np.array([[[5.0, 5, 1], [15, 15, 1]]]))
    eval_pck.main([])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("PCK@0.2, PCKh@0.5: nobody can be measured.") and lines[-1].endswith("left_ear, tail")
    assert ["tail", "1", "nobody", "nobody", "1.0000"] in [line.split() for line in lines]
