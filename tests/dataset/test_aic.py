import json

import numpy as np
import pytest

from dataset import aic
from dataset.skeleton import AIC, NECKHEAD
from tests.annotations import BOX, PERSON
from tests.annotations import aic_record as record
from tests.broken_files import ERROR, SKIP
from util.errors import InputError
from util.faults import CORRECTED, LEFT_OUT


def read(tmp_path, content):
    path = tmp_path / "annotations.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    file = aic.AnnotationFile(path)
    return list(file), file.faults


def test_flags_of_both_formats_correspond():
    """AI Challenger: 1 visible, 2 hidden, 3 not labelled; COCO: 2 visible, 1 hidden, 0 not labelled."""
    assert aic.COCO_FLAG == {1: 2, 2: 1, 3: 0} and aic.COCO_FLAG.keys() == aic.AIC_FLAGS
    assert aic.AIC_FLAGS_OF_COCO.tolist() == [3, 2, 1]


def test_people_become_a_submission_the_best_first():
    rng = np.random.default_rng(0)
    keypoints = rng.uniform(1, 500, (3, 17, 3))
    keypoints[0, 0] = 0  # no neck
    keypoints[2] = 0
    result = aic.people_to_aic("a", keypoints, np.array([0.2, 0.9, 0.5]), NECKHEAD)
    assert json.loads(json.dumps(result)) == result
    people = result["keypoint_annotations"]
    assert list(people) == ["human1", "human2"]
    assert result["scores"] == {"human1": 0.9, "human2": 0.2}
    best = np.array(people["human1"]).reshape(14, 3)
    for joint, name in enumerate(AIC.keypoints):
        slot = NECKHEAD.keypoints.index(name)
        assert best[joint] == pytest.approx([*keypoints[1, slot, :2], 1], abs=0.005)
    assert people["human2"][-3:] == [0, 0, 3]
    assert all(type(value) is float for value in people["human2"][::3])


def test_records_are_read(tmp_path):
    records, skipped = read(
        tmp_path,
        [record("a"), {**record("b/c", keypoints={}), "url": "u"}, record("d", boxes={"human1": [-5, -7, 20, 30]})],
    )
    assert [r.image_id for r in records] == ["a", "b/c", "d"]
    assert records[1].url == "u"
    assert records[0].people == [("human1", PERSON, BOX)]
    assert records[2].people[0].box == [0, 0, 20, 30]
    assert not skipped.counts


def test_faults_of_records_are_counted(tmp_path):
    odd_flag = [7 if i == 2 else value for i, value in enumerate(PERSON)]
    records, skipped = read(tmp_path, [
        record("../a"), record("/a"), record("a/../b"), record("C:\\a"), record("a\n"), record("a\u0000"),
        3, {"image_id": "x"}, record(7), record("y", keypoints=[]),
        record("a"), record("a"), record("b", keypoints={"1": odd_flag, "2": PERSON[1:]}),
    ])  # fmt: skip
    assert [r.image_id for r in records] == ["a", "b"]
    assert [p.keypoints[:3] for p in records[1].people] == [[0, 0, 3]]
    assert list(skipped.counts.values()) == [6, 1, 2, 1, 1, 1, 1]


@pytest.mark.parametrize("box", [..., None, [1, 2, 3], [5, 5, 5, 9], [9, 9, 1, 1], [-9, -9, -1, -1], ["a", 1, 2, 3]])
def test_labelled_people_without_a_box_are_kept(tmp_path, box):
    nobody, far = [0, 0, 3] * 14, [-4, 7.5, 2, 3, 9, 1] + [0, 0, 3] * 12
    people = {"1": far, "2": nobody, "3": [5, 6, 1] + [0, 0, 3] * 13}
    boxes = {} if box is ... else dict.fromkeys(people, box)
    [read_record], faults = read(tmp_path, [record("a", keypoints=people, boxes=boxes)])
    assert [(person.name, person.box) for person in read_record.people] == [("1", [0, 7.5, 3, 9]), ("3", [5, 6, 6, 7])]
    assert sorted(zip(faults.effects.values(), faults.counts.values(), strict=True)) == [(CORRECTED, 2), (LEFT_OUT, 1)]


@pytest.mark.parametrize("text", ["", " ", "\ufeff", "{}", "[]", "[", "[1", "[1,", "[1,]", "[1]]", "[1] x", "7", "null",
                                  "[" * 100000, "[1" * 3, '["\\ud800"]', "[" + "9" * 5000 + "]"])  # fmt: skip
def test_what_is_no_list_of_records_is_one_short_line(tmp_path, text):
    with pytest.raises(InputError) as error:
        read(tmp_path, text)
    assert "annotations.json" in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


def test_usable_people_of_broken_files_are_read(broken_files):
    """Whether images are on disk does not matter here."""
    for file in broken_files.aic:
        if "missing_on_disk" in file.path.name:
            continue
        if file.expected == ERROR:
            with pytest.raises(InputError):
                list(aic.AnnotationFile(file.path))
            continue
        read = aic.AnnotationFile(file.path)
        records = list(read)
        assert len(records) == file.records, file.path
        assert sum(len(record.people) for record in records) == file.people, file.path
        assert bool(read.faults) == (file.expected == SKIP), file.path
