"""COCO's measures on the command line; tests/dataset/test_coco_score.py compares them with pycocotools."""

import json

import numpy as np
import pytest

from dataset.skeleton import AIC, COCO, NECKHEAD
from tests.annotations import coco_document
from tools import eval_mscoco
from util.errors import InputError


@pytest.fixture
def annotations(golden_dir):
    """124 people in 40 images of AI Challenger, in COCO's format."""
    return json.loads((golden_dir / "ai2coco/expected.json").read_text())


@pytest.fixture
def evaluate(tmp_path, annotations, capsys):
    """What is printed of results for the annotated people; change: to the keypoints of each."""

    def evaluate(names, change, *options):
        document = coco_document(annotations["images"], annotations["annotations"], names)
        people = [person for person in document["annotations"] if change(person) is not None]
        results = [{**person, "keypoints": change(person), "score": 0.5} for person in people]
        (tmp_path / "ref.json").write_text(json.dumps(document))
        (tmp_path / "results.json").write_text(json.dumps(results))
        eval_mscoco.main(
            ["--submit", str(tmp_path / "results.json"), "--ref", str(tmp_path / "ref.json"), *map(str, options)]
        )
        return capsys.readouterr().out

    return evaluate


def test_images_without_results_count_unless_left_out(evaluate, annotations):
    """The true people as results, the person with id 0 included, but for those of an image."""

    def of_other_images(person):
        return person["keypoints"] if person["image_id"] != 3 else None

    found = sum(person["image_id"] != 3 for person in annotations["annotations"])
    for options, recall in (["--subset"], 1), ([], found / 124):
        out = evaluate(NECKHEAD.keypoints, of_other_images, *options)
        assert "skeleton neckhead: 124 people in 40 images" in out and f"AR         {recall:.4f}" in out


def test_only_the_joints_asked_for_count(evaluate):
    """Neck and head are wrong, shoulders to ankles right."""

    def without_head(person):
        return [9999, 9999, 1] * 5 + person["keypoints"][15:]

    names = [f"joint{number}" for number in range(17)]
    assert "AP         1.0000" in evaluate(names, without_head, "--joints", 5, 16)
    assert "AP         1.0000" not in evaluate(names, without_head)
    for wrong in ((5, 17), (-1, 3), (4, 2)):
        with pytest.raises(InputError, match="has joints 0 to 16"):
            evaluate(names, without_head, "--joints", *wrong)


def test_results_may_have_the_joints_of_another_skeleton(evaluate):
    """AI Challenger's joints against COCO's, which have other numbers."""

    def converted(person):
        return COCO.convert(np.reshape(person["keypoints"], (1, 17, 3)), AIC).ravel().tolist()

    assert "AP         1.0000" in evaluate(COCO.keypoints, converted, "--skeleton", "aic")
    with pytest.raises(InputError, match="no usable result"):
        evaluate(COCO.keypoints, converted)


def test_a_list_of_images_is_refused(tmp_path):
    (tmp_path / "ref.json").write_text('{"images": [{"id": 1, "file_name": "a.jpg"}]}')
    (tmp_path / "results.json").write_text("[]")
    files = ["--submit", str(tmp_path / "results.json"), "--ref", str(tmp_path / "ref.json")]
    for options in ([], ["--joints", "0", "1"], ["--skeleton", "aic"]):
        with pytest.raises(InputError, match="ref.json: only lists images; this takes annotated people"):
            eval_mscoco.main([*files, *options])
