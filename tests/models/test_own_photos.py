"""The commands of models/own_data.md, as they are there, but on a small network and with a few steps."""

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


@pytest.fixture
def folder(tiny_resnet, tmp_path, monkeypatch):
    """models/own with photos and labels.csv in it, and another network."""
    write_toy_set(tmp_path / "toy", images=4, people=(1, 1), size=(96, 128))
    folder = tmp_path / "models/own"
    shutil.copytree(tmp_path / "toy/images/train", folder / "photos")
    cfg = (MODELS / "own/pose_cfg.yaml").read_text()
    (folder / "pose_cfg.yaml").write_text(re.sub(r"^net_type: .*", "net_type: resnet_18", cfg, flags=re.MULTILINE))
    with open(folder / "labels.csv", "w", newline="") as file:
        writer = csv.writer(file)
        for record in AnnotationFile(tmp_path / "toy/annotations/train.json"):
            for number, person in enumerate(record.people):
                for joint, (x, y, flag) in enumerate(zip(*[iter(person.keypoints)] * 3, strict=True)):
                    if flag != 3:
                        writer.writerow([f"{record.image_id}.jpg", number, joint, x, y])
    monkeypatch.chdir(folder)
    return folder


def commands():
    """The lines of the walk-through: a script and its arguments."""
    page = (MODELS / "own_data.md").read_text()
    block = page[page.index("    cd models/own\n") :].split("\n\n")[0]
    lines = [shlex.split(line, comments=True) for line in block.splitlines()]
    return [words[1:] for words in lines if words and words[0] == "python"]


def test_the_walk_through_ends_with_a_score(folder, capsys):
    for script, *arguments in commands():
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
