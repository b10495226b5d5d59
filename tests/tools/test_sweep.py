"""Values of the keys of grouping, tried on an image whose maps are known."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import nnet.load
from dataset.skeleton import AIC, COCO
from multiperson.simulate import simulate_maps
from tests.annotations import coco_document
from tools import sweep
from util.errors import InputError

ROOT = Path(__file__).parents[2]
SIZE = 240, 320
# A standing person in AI Challenger's joints: x and y.
PERSON = np.array([(70, 70), (60, 100), (58, 128), (100, 70), (110, 100), (112, 128), (76, 130),
                   (74, 170), (74, 205), (94, 130), (96, 170), (96, 205), (85, 32), (85, 58)], float)  # fmt: skip


@pytest.fixture
def command(tmp_path, monkeypatch):
    """A sweep over one image of two people, whom a stand-in for the network sees exactly where they are."""
    people = np.ones((2, 14, 3))
    people[0, :, :2], people[1, :, :2] = PERSON, PERSON + [150, 10]
    maps = simulate_maps(people, *SIZE)
    monkeypatch.setattr(nnet.load, "load_network", lambda cfg, weights: SimpleNamespace(maps=lambda image: maps))
    annotations = [
        {"image_id": 7, "area": 9000, "bbox": [50, 30, 70, 180], "keypoints": (joints * [1, 1, 2]).ravel().tolist()}
        for joints in AIC.convert(people, COCO)
    ]
    image = {"id": 7, "file_name": "7.png", "height": SIZE[0], "width": SIZE[1]}
    (tmp_path / "truth.json").write_text(json.dumps(coco_document([image], annotations)))
    Image.new("RGB", SIZE[::-1]).save(tmp_path / "7.png")
    return ["--cfg", str(ROOT / "models/demo/pose_cfg.yaml"), "--ref", str(tmp_path / "truth.json"),
            "--img_dir", str(tmp_path), "net_type=resnet_18", "global_scale=1",
            "max_input_size=850"]  # fmt: skip


def test_combinations_are_ranked_by_ap(command, capsys):
    sweep.main([*command, "--try", "min_keypoints", "14", "3", "--try", "min_person_score", "1", ".2"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "1 images with 2 people"
    rows = [line.split() for line in lines[3:]]
    assert len(rows) == 4
    assert rows[0][1] == ".2" and float(rows[0][2]) == 1 and rows[0][-2] == "2"
    assert [float(row[2]) for row in rows] == sorted((float(row[2]) for row in rows), reverse=True)
    assert {tuple(row[:2]) for row in rows} == {("14", "1"), ("14", ".2"), ("3", "1"), ("3", ".2")}


def test_a_list_of_images_is_refused(command, tmp_path):
    images = json.loads((tmp_path / "truth.json").read_text())["images"]
    (tmp_path / "truth.json").write_text(json.dumps({"images": images}))
    with pytest.raises(InputError, match="truth.json: only lists images; this takes annotated people"):
        sweep.main([*command, "--try", "nms_radius", "3"])


@pytest.mark.parametrize("wrong", [["global_scale", "1", "2"], ["nms_radius"], ["nms_radios", "3"]])
def test_other_keys_and_missing_values_are_refused(command, wrong):
    with pytest.raises(InputError, match=f"--try {wrong[0]}: expected one of nms_radius, "):
        sweep.main([*command, "--try", *wrong])
