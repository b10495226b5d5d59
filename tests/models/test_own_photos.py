"""models/README.md, "Your own photos": its script and its commands, as they stand there, but with a few steps."""

import csv
import importlib
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

from config import load_config
from dataset.aic import AnnotationFile
from dataset.toy import write_toy_set
from util.matfile import read_mat

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture(scope="module")
def section():
    text = (MODELS / "README.md").read_text()
    return text[text.index("## Your own photos") : text.index("## What differs from the original")]


@pytest.fixture
def folder(tmp_path, section, monkeypatch):
    """models/own with photos, labels.csv and label.py in it."""
    write_toy_set(tmp_path / "toy", images=4, people=(1, 1), size=(96, 128))
    folder = tmp_path / "models/own"
    shutil.copytree(tmp_path / "toy/images/train", folder / "photos")
    shutil.copy(MODELS / "own/pose_cfg.yaml", folder)
    with open(folder / "labels.csv", "w", newline="") as file:
        writer = csv.writer(file)
        for record in AnnotationFile(tmp_path / "toy/annotations/train.json"):
            for number, person in enumerate(record.people):
                for joint, (x, y, flag) in enumerate(zip(*[iter(person.keypoints)] * 3, strict=True)):
                    if flag != 3:
                        writer.writerow([f"{record.image_id}.jpg", number, joint, x, y])
    (folder / "label.py").write_text(re.search(r"```python\n(.*?)```", section, re.DOTALL)[1])
    monkeypatch.chdir(folder)
    return folder


def commands(section):
    """The arguments of the lines of the walk-through: script, and what follows."""
    block = section[section.index("    cd models/own\n") : section.index("That learns a handful")]
    lines = [shlex.split(line, comments=True) for line in block.splitlines()]
    return [words[1:] for words in lines if words and words[0] == "python"]


def test_the_walk_through(folder, section, capsys):
    (label, *_), *others = commands(section)
    exec(compile((folder / label).read_text(), label, "exec"), {})
    with open("labels.csv") as file:
        labels = {(row[0], int(row[2])): [float(row[3]), float(row[4])] for row in csv.reader(file)}
    for record in read_mat("dataset.mat", "dataset")["dataset"].ravel():
        assert record["size"].tolist() == [[3, 128, 96]]
        (person,) = record["joints"].ravel()
        for joint, x, y in person.tolist():
            assert labels.pop((Path(str(record["image"][0])).name, int(joint))) == [x, y]
    assert not labels
    for script, *arguments in others:
        assert script.startswith("../../")
        module = importlib.import_module(script[len("../../") : -len(".py")].replace("/", "."))
        if module.__name__ == "train" and not arguments:
            arguments = ["multi_step=[[0.001, 2]]"]
        elif module.__name__ == "train":
            assert load_config("pose_cfg.yaml", arguments).multi_step[-1][1] > 1000
            continue
        assert not module.main(arguments)
    assert Path("snapshot-2.index").exists() and len(list(Path("out").glob("toy0_*_pose.json"))) == 4
    assert len(list(Path("results").glob("*_single.png"))) == 4
    assert np.shape(read_mat("results/predictions.mat")["joints"]) == (1, 4)
    assert "PCK-box@0.2" in capsys.readouterr().out


def test_every_script_of_the_documentation_is_there():
    """Paths in both READMEs, from the repository's folder or a model directory's."""
    for path in (MODELS / "README.md", MODELS.parent / "README.md"):
        for script in re.findall(r"(?:tools|demo|models)/[\w/]+\.(?:py|sh|yaml)", path.read_text()):
            assert (MODELS.parent / script).exists(), f"{path.name}: {script}"
