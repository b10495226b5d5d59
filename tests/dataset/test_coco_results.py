"""COCO's result files: read, checked and written."""

import json

import numpy as np
import pytest

from dataset.coco import read_coco
from dataset.coco_results import people_to_coco, read_results
from tests.annotations import coco_document
from util.errors import InputError
from util.faults import Faults

GOOD = {"image_id": 7, "category_id": 3, "keypoints": [1, 2, 2, 30, 40, 1], "score": 1}


@pytest.fixture
def read(tmp_path):
    person = {"image_id": 7, "category_id": 3, "keypoints": [1, 2, 2, 3, 4, 2]}
    document = coco_document([{"id": 7, "file_name": "a.jpg"}], [person])
    document["categories"] = [{"id": 3, "name": "person", "keypoints": ["a", "b"]}, {"id": 2, "name": "cat"}]
    (tmp_path / "ref.json").write_text(json.dumps(document))
    truth = read_coco(tmp_path / "ref.json", Faults())

    def read(results):
        (tmp_path / "results.json").write_text(json.dumps(results))
        faults = Faults()
        return read_results(tmp_path / "results.json", truth, faults), faults

    return read


def test_results_that_cannot_be_used_are_left_out(read):
    bad = [3, {}, {**GOOD, "image_id": 8}, {**GOOD, "category_id": 2}, {**GOOD, "score": None},
           {**GOOD, "score": float("nan")}, {**GOOD, "keypoints": [1]}, {**GOOD, "keypoints": None},
           {**GOOD, "image_id": [7]}, {**GOOD, "category_id": {}}]  # fmt: skip
    results, faults = read([*bad, GOOD])
    assert results == [GOOD] and faults.counts.total() == len(bad)
    with pytest.raises(InputError, match=r"results.json: no usable result for .*ref.json \(results that are no"):
        read(bad)
    with pytest.raises(InputError, match="results.json: expected a JSON list of results, found dict"):
        read({})


def test_no_results_are_no_fault(read):
    results, faults = read([])
    assert results == [] and not faults


def test_people_become_results_with_the_box_of_their_joints():
    keypoints = np.zeros((2, 17, 3))
    keypoints[0, 5] = [100.5, 20.25, 0.75]
    keypoints[0, 6] = [80, 30, 0.5]
    [entry] = people_to_coco("x", keypoints, np.array([0.25, 0.5]), category_id=4)
    assert json.loads(json.dumps(entry)) == entry
    assert (entry["image_id"], entry["category_id"]) == ("x", 4)
    assert entry["keypoints"][15:21] == [100.5, 20.25, 0.75, 80, 30, 0.5]
    assert sum(entry["keypoints"][:15] + entry["keypoints"][21:]) == 0
    assert (entry["score"], entry["bbox"]) == (0.25, [80, 20.25, 20.5, 9.75])
    assert people_to_coco("x", keypoints[:0], np.zeros(0)) == []
