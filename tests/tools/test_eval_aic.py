import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from dataset import aic_score
from tools import eval_aic
from tools.benchmarks.aic_data import made_up_annotations, made_up_submission
from util.errors import InputError


@pytest.fixture
def files(tmp_path):
    """A reference of 30 images and a submission near it."""
    reference = made_up_annotations(30)
    submission = made_up_submission(reference)
    for name, records in (("ref", reference), ("submit", submission)):
        (tmp_path / f"{name}.json").write_text(json.dumps(records))
    return tmp_path / "submit.json", tmp_path / "ref.json", aic_score.score(submission, reference)


@pytest.mark.parametrize("kind", ["int", "float"])
def test_last_line(golden_dir, kind):
    folder = golden_dir / "aic_eval"
    done = subprocess.run([sys.executable, eval_aic.__file__, "--submit", folder / f"predictions_{kind}.json", "--ref",
                           folder / "annotations.json"], capture_output=True, text=True, check=True)  # fmt: skip
    expected = json.loads((folder / "expected.json").read_text())[kind]["score"]
    assert done.stdout.splitlines()[-1] == f"Score:  {expected:.8f}"
    assert "left_ankle" in done.stdout
    assert len(done.stderr.splitlines()) == (6 if kind == "float" else 7)


def test_tables(files):
    result = files[2]
    found = [line.split()[-1] for line in eval_aic.threshold_table(result).splitlines()[2:]]
    assert np.mean([float(value) for value in found]) == pytest.approx(result.score, abs=1e-4)
    joints = [line.split() for line in eval_aic.joint_table(result).splitlines()[2:]]
    flags = np.array(
        [person for record in made_up_annotations(30) for person in record["keypoint_annotations"].values()]
    )[:, 2::3]
    assert [int(line[1]) for line in joints] == (flags == 1).sum(axis=0).tolist()
    assert all(0 <= float(value) <= 1 for line in joints for value in line[2:])
    sizes = [line.split() for line in eval_aic.size_table(result).splitlines()[2:]]
    assert sum(int(line[-3]) for line in sizes) == len(result.true.names)


def test_joints_and_sizes_of_nobody():
    """One person of 130x260, who hides a joint: no 0 for what nobody shows."""
    person = [x for joint in range(14) for x in (10 * joint, 20 * joint, 1 + (joint == 3))]
    record = {
        "image_id": "a", "keypoint_annotations": {"1": person}, "human_annotations": {"1": [0, 0, 130, 260]}
    }  # fmt: skip
    result = aic_score.score([record], [record])
    joints = [line.split()[-3:] for line in eval_aic.joint_table(result).splitlines()[2:]]
    assert joints == [["0", "nobody", "nobody"] if joint == 3 else ["1", "1.0000", "1.0000"] for joint in range(14)]
    sizes = [line.split()[-3:] for line in eval_aic.size_table(result).splitlines()[2:]]
    assert sizes == [["1", "1.0000", "1.0000"] if row == 1 else ["0", "nobody", "nobody"] for row in range(4)]


def test_precision_and_recall():
    """Two right ones and a wrong one, which is the second most confident."""
    person = [x for joint in range(14) for x in (10 * joint, 20 * joint, 1)]
    far = [x + 1000 * (i % 3 < 2) for i, x in enumerate(person)]
    other = [x + 300 * (i % 3 < 2) for i, x in enumerate(person)]
    truth = {
        "image_id": "a",
        "keypoint_annotations": {"1": person, "2": other, "3": [x + 7 for x in far]},
        "human_annotations": dict.fromkeys("123", [0, 0, 130, 260]),
    }
    submission = {
        "image_id": "a",
        "keypoint_annotations": {"p": person, "q": far[::-1], "r": other},
        "scores": {"p": 0.9, "q": 0.8, "r": 0.7},
    }
    recall, precision = eval_aic.precision_recall(aic_score.score([submission], [truth]), 0.5)
    assert recall == pytest.approx([1 / 3, 1 / 3, 2 / 3])
    assert precision == pytest.approx([1, 1 / 2, 2 / 3])


def test_one_prediction_finds_one_person_only():
    person = [x for joint in range(14) for x in (10 * joint, 20 * joint, 1)]
    truth = {
        "image_id": "a",
        "keypoint_annotations": {"1": person, "2": person},
        "human_annotations": dict.fromkeys("12", [0, 0, 130, 260]),
    }
    result = aic_score.score([{"image_id": "a", "keypoint_annotations": {"p": person}}], [truth])
    assert result.score == 1
    recall, precision = eval_aic.precision_recall(result, 0.5)
    assert (recall.tolist(), precision.tolist()) == ([0.5], [1])


@pytest.mark.parametrize("confident", [True, False])
def test_plot(files, tmp_path, confident):
    submit, ref, _ = files
    if confident:
        records = json.loads(submit.read_text())
        for record in records:
            record["scores"] = dict.fromkeys(record["keypoint_annotations"], 0.5)
        submit.write_text(json.dumps(records))
    eval_aic.main(["--submit", str(submit), "--ref", str(ref), "--plot", str(tmp_path / "plot.png")])
    assert Image.open(tmp_path / "plot.png").size == (720, 600)


@pytest.mark.parametrize("content", ["", "{}", "[]", "[1", "[null]"])
def test_refuses(files, content):
    submit, ref, _ = files
    ref.write_text(content)
    with pytest.raises(InputError, match="ref.json"):
        eval_aic.main(["--submit", str(submit), "--ref", str(ref)])


def test_refuses_a_plot_of_unknown_format(files):
    submit, ref, _ = files
    with pytest.raises(InputError, match=r"\.png"):
        eval_aic.main(["--submit", str(submit), "--ref", str(ref), "--plot", "plot.xyz"])
