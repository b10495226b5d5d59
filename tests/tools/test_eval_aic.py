"""AI Challenger's score on the command line; tests/dataset/test_aic_score.py holds its numbers."""

import json

import numpy as np
import pytest

from dataset import aic_score
from tests.annotations import BOX, PERSON, aic_record, moved
from tests.drawn import made_figures, pixel_of
from tools import eval_aic
from tools.benchmarks.aic_data import made_up_annotations, made_up_submission
from util.errors import InputError
from util.images import read_image


@pytest.fixture
def files(tmp_path):
    """A submission near a reference of 30 images, the reference, and the score."""
    reference = made_up_annotations(30)
    submission = made_up_submission(reference)
    for name, records in (("ref", reference), ("submit", submission)):
        (tmp_path / f"{name}.json").write_text(json.dumps(records))
    return tmp_path / "submit.json", tmp_path / "ref.json", aic_score.score(submission, reference)


def evaluate(submit, ref, *options):
    eval_aic.main(["--submit", str(submit), "--ref", str(ref), *options])


@pytest.mark.parametrize("kind, warnings", [("int", 7), ("float", 6)])
def test_the_last_line_is_the_official_score(golden_dir, capsys, caplog, kind, warnings):
    folder = golden_dir / "aic_eval"
    evaluate(folder / f"predictions_{kind}.json", folder / "annotations.json")
    expected = json.loads((folder / "expected.json").read_text())[kind]["score"]
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == f"Score:  {expected:.8f}" and "left_ankle" in out
    assert len(caplog.records) == warnings


def test_tables_agree_with_the_score(files):
    result = files[2]
    found = [line.split()[-1] for line in eval_aic.threshold_table(result).splitlines()[2:]]
    assert np.mean([float(value) for value in found]) == pytest.approx(result.score, abs=1e-4)
    joints = [line.split() for line in eval_aic.joint_table(result).splitlines()[2:]]
    people = [person for record in made_up_annotations(30) for person in record["keypoint_annotations"].values()]
    assert [int(line[1]) for line in joints] == (np.array(people)[:, 2::3] == 1).sum(axis=0).tolist()
    assert all(0 <= float(value) <= 1 for line in joints for value in line[2:])
    sizes = [line.split() for line in eval_aic.size_table(result).splitlines()[2:]]
    assert sum(int(line[-3]) for line in sizes) == len(result.true.names)


def test_joints_and_sizes_of_nobody_have_no_score():
    """One person of 130x260, who hides a joint."""
    record = aic_record(keypoints={"1": [2 if i == 11 else value for i, value in enumerate(PERSON)]})
    result = aic_score.score([record], [record])
    joints = [line.split()[-3:] for line in eval_aic.joint_table(result).splitlines()[2:]]
    assert joints == [["0", "nobody", "nobody"] if joint == 3 else ["1", "1.0000", "1.0000"] for joint in range(14)]
    sizes = [line.split()[-3:] for line in eval_aic.size_table(result).splitlines()[2:]]
    assert sizes == [["1", "1.0000", "1.0000"] if row == 1 else ["0", "nobody", "nobody"] for row in range(4)]


@pytest.fixture
def three_people():
    """Truth and submission: two predictions are right, and a wrong one is the second most confident."""
    other, far = moved(PERSON, 300), moved(PERSON, 1000)
    truth = aic_record(keypoints={"1": PERSON, "2": other, "3": [value + 7 for value in far]}, boxes=BOX)
    submission = {
        "image_id": "a",
        "keypoint_annotations": {"p": PERSON, "q": far[::-1], "r": other},
        "scores": {"p": 0.9, "q": 0.8, "r": 0.7},
    }
    return truth, submission


def test_precision_and_recall(three_people):
    truth, submission = three_people
    recall, precision = eval_aic.precision_recall(aic_score.score([submission], [truth]), 0.5)
    assert recall == pytest.approx([1 / 3, 1 / 3, 2 / 3])
    assert precision == pytest.approx([1, 1 / 2, 2 / 3])


@pytest.mark.parametrize("confident", [True, False])
def test_a_plot_shows_precision_and_recall(three_people, tmp_path, monkeypatch, confident):
    """Without scores as a point, with them as a curve that leads to it."""
    truth, submission = three_people
    if not confident:
        del submission["scores"]
    for name, record in (("submit", submission), ("ref", truth)):
        (tmp_path / f"{name}.json").write_text(json.dumps([record]))
    figures = made_figures(monkeypatch)
    evaluate(tmp_path / "submit.json", tmp_path / "ref.json", "--plot", str(tmp_path / "plot.png"))
    picture, (axes,) = read_image(tmp_path / "plot.png"), figures[0].axes
    points = (2 / 3, 2 / 3), (1 / 3, 3 / 4)
    (col, on_curve), (row, above) = np.rint([pixel_of(axes, point, picture) for point in points]).astype(int).T
    assert (picture[row, col] == 0).all()
    assert (np.ptp(picture[above, on_curve]) > 100) == confident


def test_one_prediction_finds_only_one_person():
    truth = aic_record(keypoints={"1": PERSON, "2": PERSON})
    result = aic_score.score([{"image_id": "a", "keypoint_annotations": {"p": PERSON}}], [truth])
    assert result.score == 1
    recall, precision = eval_aic.precision_recall(result, 0.5)
    assert (recall.tolist(), precision.tolist()) == ([0.5], [1])


@pytest.mark.parametrize("content", ["", "{}", "[]", "[1", "[null]"])
def test_a_reference_without_people_is_named(files, content):
    submit, ref, _ = files
    ref.write_text(content)
    with pytest.raises(InputError, match="ref.json"):
        evaluate(submit, ref)


def test_a_plot_of_an_unknown_format_is_refused(files):
    with pytest.raises(InputError, match=r"\.png"):
        evaluate(*files[:2], "--plot", "plot.xyz")
