"""Values of the keys of grouping, tried on an image whose maps are known."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dataset.model_spec import from_config
from dataset.pair_offsets import PairwiseStats
from dataset.skeleton import AIC, COCO
from tests.annotations import coco_document
from tests.drawn import STANDING
from tests.simulated import SeesPeople
from tools import sweep
from util.errors import InputError

MODELS = Path(__file__).parents[2] / "models/demo/pairwise"
SIZE = 240, 320


def people_of(image):
    """Two people, in other places in each image."""
    people = np.ones((2, 14, 3))
    people[:, :, :2] = STANDING + np.array([[[58, 32 + 7 * image]], [[208 + 11 * image, 22]]])
    return people


@pytest.fixture
def command(tmp_path, monkeypatch):
    """A sweep over four images, whose number is their colour, with a stand-in for the network that knows their people.

    The first image is annotated without its suffix, the second is broken, the third is not there.
    """

    def load_network(cfg, weights):
        stats = PairwiseStats(np.zeros((182, 2)), np.ones((182, 2)))
        spec = replace(from_config(cfg), pairwise=stats)
        return SeesPeople(cfg, spec, lambda image: people_of(int(image[0, 0, 0]) // 30))

    monkeypatch.setattr(sweep, "load_network", load_network)
    images = [
        {"id": number + 7, "file_name": name, "height": SIZE[0], "width": SIZE[1]}
        for number, name in enumerate(("a", "broken.png", "absent.png", "b.png"))
    ]
    people = [
        {
            "image_id": image["id"],
            "area": 9000,
            "bbox": [50, 30, 70, 180],
            "keypoints": (joints * [1, 1, 2]).ravel().tolist(),
        }
        for number, image in enumerate(images)
        for joints in AIC.convert(people_of(number), COCO)
    ]
    (tmp_path / "truth.json").write_text(json.dumps(coco_document(images, people)))
    for number, name in ((0, "a.jpg"), (3, "b.png")):
        Image.fromarray(np.full((*SIZE, 3), 30 * number, np.uint8)).save(tmp_path / name)
    (tmp_path / "broken.png").write_bytes(b"no image")
    (tmp_path / "pose_cfg.yaml").write_text(f"skeleton: aic\npairwise_model_dir: {MODELS}\n")
    monkeypatch.chdir(tmp_path)
    return ["--ref", "truth.json", "--img_dir", "."]


def test_combinations_are_ranked_by_ap(command, capsys, caplog):
    sweep.main([*command, "--try", "min_keypoints", "14", "3", "--try", "min_person_score", "1", ".2"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "4 images with 8 people"
    rows = [line.split() for line in lines[3:]]
    assert len(rows) == 4
    # Half of the people are found: COCO's AP takes 51 of 101 levels of recall.
    assert rows[0][1] == ".2" and float(rows[0][2]) == pytest.approx(51 / 101, abs=1e-4) and rows[0][-2] == "4"
    assert [float(row[2]) for row in rows] == sorted((float(row[2]) for row in rows), reverse=True)
    assert {tuple(row[:2]) for row in rows} == {("14", "1"), ("14", ".2"), ("3", "1"), ("3", ".2")}
    absent, broken = caplog.messages
    assert absent == "absent.png is not in .; its people count as not found"
    assert broken.startswith("skipped ") and "broken.png: not an image" in broken


def test_a_list_of_images_is_refused(command, tmp_path):
    images = json.loads((tmp_path / "truth.json").read_text())["images"]
    (tmp_path / "truth.json").write_text(json.dumps({"images": images}))
    with pytest.raises(InputError, match="truth.json: only lists images; this takes annotated people"):
        sweep.main([*command, "--try", "nms_radius", "3"])


@pytest.mark.parametrize("wrong", [["global_scale", "1", "2"], ["nms_radius"], ["nms_radios", "3"]])
def test_other_keys_and_missing_values_are_refused(command, wrong):
    with pytest.raises(InputError, match=f"--try {wrong[0]}: expected one of nms_radius, "):
        sweep.main([*command, "--try", *wrong])
