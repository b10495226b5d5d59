import json
import subprocess
import sys

import numpy as np
import pytest

from dataset.skeleton import AIC, COCO
from tools import eval_mscoco
from util.errors import InputError


def run(submit, ref, *options):
    command = [sys.executable, eval_mscoco.__file__, "--submit", submit, "--ref", ref, *options]
    return subprocess.run(command, capture_output=True, text=True)


def test_neckhead(golden_dir, tmp_path):
    """A converted file, true people as results: everything is right, the person with id 0 included."""
    reference = json.loads((golden_dir / "ai2coco/expected.json").read_text())
    names = ["neck", "head_top", "unused_2", "unused_3", "unused_4"]
    names += [
        f"{side}_{part}"
        for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        for side in ("left", "right")
    ]
    reference["categories"] = [{"id": 1, "name": "person", "keypoints": names}]
    for annotation in reference["annotations"]:
        annotation["category_id"] = 1
    results = [
        {"image_id": a["image_id"], "category_id": 1, "keypoints": a["keypoints"], "score": 0.5}
        for a in reference["annotations"]
        if a["image_id"] != 3
    ]
    (tmp_path / "ref.json").write_text(json.dumps(reference))
    (tmp_path / "results.json").write_text(json.dumps(results))
    for options, recall in ((["--subset"], 1), ([], len(results) / len(reference["annotations"]))):
        done = run(tmp_path / "results.json", tmp_path / "ref.json", *options)
        assert not done.returncode
        assert "skeleton neckhead: 124 people in 40 images" in done.stdout
        assert f"AR         {recall:.4f}" in done.stdout


def test_only_some_joints_count(golden_dir, tmp_path):
    """Results whose neck and head are wrong are right from shoulders to ankles."""
    reference = json.loads((golden_dir / "ai2coco/expected.json").read_text())
    names = [f"joint{number}" for number in range(17)]
    reference["categories"] = [{"id": 1, "name": "person", "keypoints": names}]
    results = []
    for annotation in reference["annotations"]:
        annotation["category_id"] = 1
        results.append({**annotation, "keypoints": [9999, 9999, 1] * 5 + annotation["keypoints"][15:], "score": 0.5})
    (tmp_path / "ref.json").write_text(json.dumps(reference))
    (tmp_path / "results.json").write_text(json.dumps(results))
    files = tmp_path / "results.json", tmp_path / "ref.json"
    assert "AP         1.0000" in run(*files, "--joints", "5", "16").stdout
    assert "AP         1.0000" not in run(*files).stdout
    for wrong in (("5", "17"), ("-1", "3"), ("4", "2")):
        done = run(*files, "--joints", *wrong)
        assert done.returncode == 2 and "has joints 0 to 16" in done.stderr


def test_results_with_other_joints(golden_dir, tmp_path, capsys):
    """AI Challenger's joints against COCO's: the same people, the ids of the joints in another order."""
    reference = json.loads((golden_dir / "ai2coco/expected.json").read_text())
    reference["categories"] = [{"id": 1, "name": "person", "keypoints": list(COCO.keypoints)}]
    results = []
    for annotation in reference["annotations"]:
        annotation["category_id"] = 1
        joints = np.reshape(annotation["keypoints"], (1, 17, 3))
        results.append({**annotation, "keypoints": COCO.convert(joints, AIC).ravel().tolist(), "score": 0.5})
    (tmp_path / "ref.json").write_text(json.dumps(reference))
    (tmp_path / "results.json").write_text(json.dumps(results))
    files = ["--submit", str(tmp_path / "results.json"), "--ref", str(tmp_path / "ref.json")]
    eval_mscoco.main([*files, "--skeleton", "aic"])
    assert "AP         1.0000" in capsys.readouterr().out
    with pytest.raises(InputError, match="no usable result"):
        eval_mscoco.main(files)


def test_bad_input(tmp_path):
    (tmp_path / "ref.json").write_text('{"images": [], "annotations": [], "categories": []}')
    done = run(tmp_path / "ref.json", tmp_path / "ref.json")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "'images' holds no usable image" in done.stderr


def test_a_list_of_images_is_refused(tmp_path):
    (tmp_path / "ref.json").write_text('{"images": [{"id": 1, "file_name": "a.jpg"}]}')
    (tmp_path / "results.json").write_text("[]")
    files = ["--submit", str(tmp_path / "results.json"), "--ref", str(tmp_path / "ref.json")]
    for options in ([], ["--joints", "0", "1"], ["--skeleton", "aic"]):
        with pytest.raises(InputError, match="ref.json: only lists images; this takes annotated people"):
            eval_mscoco.main([*files, *options])
