"""COCO's annotations in AI Challenger's format; tests/dataset/test_coco_to_aic.py holds what becomes of them."""

import json

import pytest

from tools import coco2aic
from util.errors import InputError


def test_what_aic_has_and_coco_lacks_is_told(data_dir, tmp_path, capsys):
    source = data_dir / "coco_sample/annotations/person_keypoints_val2017.json"
    coco2aic.main(["--coco_json", str(source), "--out", str(tmp_path / "aic.json")])
    records = json.loads((tmp_path / "aic.json").read_text())
    assert [len(record["keypoint_annotations"]) for record in records] == [1, 3, 5, 5]
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "missing    head_top, neck: not in the skeleton, never labelled",
        "images     4",
        "people     14",
    ]


def test_the_input_is_not_overwritten(tmp_path):
    with pytest.raises(InputError):
        coco2aic.main(["--coco_json", str(tmp_path / "a.json"), "--out", str(tmp_path / "x/../a.json")])
