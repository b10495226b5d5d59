"""Training, checking, converting, scoring and validation take the same people from a COCO file."""

import copy
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from config import make_config
from dataset import coco_score, coco_to_aic
from dataset.coco import read_coco
from dataset.coco_results import people_to_coco
from dataset.factory import create
from dataset.model_spec import from_config
from dataset.pair_offsets import PairwiseStats
from dataset.skeleton import NECKHEAD
from multiperson.validation import Validation
from tests.broken_files import ERROR
from tools import check_dataset
from util.errors import InputError
from util.faults import Faults

IMAGES = [{"id": number, "file_name": f"{number}.jpg", "height": 90, "width": 80} for number in (1, 2)]
PERSON = {"image_id": 1, "category_id": 4, "keypoints": [20, 10, 2, 25, 3, 1] + [0] * 45, "bbox": [5, 2, 30, 40]}
DOCUMENT = {
    "images": IMAGES,
    "annotations": [
        {**PERSON, "id": 1},
        {**PERSON, "id": 2, "image_id": 2},
        {**PERSON, "id": 3, "keypoints": []},
        {**PERSON, "id": 4, "iscrowd": 1},
    ],
    "categories": [{"id": 4, "name": "person", "keypoints": list(NECKHEAD.keypoints)}, {"id": 5, "name": "dog"}],
}
# A change to the second annotation, and how many of two people are kept.
PEOPLE = {
    "as it is": ({}, 2), "no box": ({"bbox": None}, 2), "box without area": ({"bbox": [1, 2, 0, 0]}, 2),
    "text for iscrowd": ({"iscrowd": "0"}, 2), "odd iscrowd": ({"iscrowd": "yes"}, 1), "wrong area": ({"area": -1}, 2),
    "same id": ({"id": 1}, 1), "no id": ({"id": None}, 2), "unknown image": ({"image_id": 7}, 1),
    "text for image_id": ({"image_id": "2"}, 1), "another category": ({"category_id": 5}, 1),
    "unknown category": ({"category_id": 9}, 1), "14 joints": ({"keypoints": [1] * 42}, 1),
    "text for a number": ({"keypoints": ["20", 10, 2] * 17}, 2), "NaN": ({"keypoints": [float("nan"), 10, 2] * 17}, 1),
    "odd flag": ({"keypoints": [20, 10, 3] * 17}, 1), "short polygon": ({"segmentation": [[1, 2]]}, 2),
    "wrong count": ({"num_keypoints": 17}, 2), "not labelled": ({"keypoints": [0] * 51}, 1),
}  # fmt: skip


@pytest.fixture
def data_set(tmp_path):
    """Links an annotation file, and images if any, to where a training looks for them; returns a configuration."""

    def build(source: Path, images: Path | None = None):
        number = len(list(tmp_path.iterdir()))
        for place, target in (("annotations/x_t.json", source), ("images/t", images)):
            (tmp_path / f"{number}" / place).parent.mkdir(parents=True)
            if target:
                (tmp_path / f"{number}" / place).symlink_to(target)
        return make_config(dataset=str(tmp_path / f"{number}"), dataset_type="coco", dataset_ann="x",
                           dataset_phase="t", eval_iters=1, eval_phase="t",
                           eval_images=1000, sparse_graph=[[0, 1]])  # fmt: skip

    return build


def training(cfg) -> int:
    dataset = create(cfg, need_images=False)
    assert sum(len(sample.people) for sample in dataset) == len(dataset.table.people)
    return len(dataset.table.people)


def checking(cfg) -> int:
    counts = dict(check_dataset.check(path_of(cfg), None, Faults()))
    return counts["people"] - counts["people without a labelled joint"]


def scoring(cfg) -> int:
    """Results hold everybody who counts; the recall tells whether they are all."""
    coco = read_coco(path_of(cfg), Faults())
    people = coco.annotations
    found = [
        entry
        for row in np.flatnonzero(people.people)
        for entry in people_to_coco(
            coco.images.ids[people.image[row]], people.keypoints[row, None], np.ones(1), people.category[row]
        )
    ]
    assert coco_score.score(found, coco).metrics["AR"] == 1
    return len(found)


def converting(cfg) -> int:
    """People without any of AI Challenger's joints, such as a nose alone, are kept as well."""
    out = Path(cfg.dataset, "aic.json")
    coco_to_aic.convert(path_of(cfg), out)
    people = [person for record in json.loads(out.read_text()) for person in record["keypoint_annotations"].values()]
    return len(people) - dict(check_dataset.check(path_of(cfg), None, Faults()))["people without a labelled joint"]


def validation(cfg) -> int:
    dataset, ones = create(cfg, need_images=False), np.ones((17 * 16, 2))
    spec = replace(from_config(cfg, dataset.skeleton), pairwise=PairwiseStats(ones, ones))
    truth = Validation(cfg, spec, dataset).truth.annotations
    return int(truth.people.sum())


def path_of(cfg) -> Path:
    return Path(cfg.dataset, "annotations/x_t.json")


@pytest.mark.parametrize("name", PEOPLE)
def test_all_keep_the_same_people(name, data_set, tmp_path):
    change, expected = PEOPLE[name]
    document = copy.deepcopy(DOCUMENT)
    document["annotations"][1].update(change)
    (tmp_path / "made.json").write_text(json.dumps(document))
    (tmp_path / "images").mkdir()
    for image in IMAGES:
        (tmp_path / "images" / image["file_name"]).touch()
    cfg = data_set(tmp_path / "made.json", tmp_path / "images")
    assert [reader(cfg) for reader in (training, checking, scoring, converting, validation)] == [expected] * 5


def test_all_keep_the_same_people_of_broken_files(data_set, broken_files):
    for file in broken_files.coco:
        people = kept_by_all(data_set(file.path, file.images), there="missing_on_disk" not in file.path.name)
        assert (people is None) == (file.expected == ERROR), file.path


def test_all_keep_the_same_people_of_real_files(data_set, data_dir):
    for name, phase, people in (("coco_sample", "val2017", 12), ("coco_mini", "train2017", 86)):
        annotations = data_dir / name / f"annotations/person_keypoints_{phase}.json"
        assert kept_by_all(data_set(annotations, data_dir / name / "images" / phase)) == people


def kept_by_all(cfg, there: bool = True) -> int | None:
    """How many labelled people all readers keep, or None if they refuse the file; there: all images are on disk."""
    readers = [training, checking, scoring, converting] + [validation] * there
    (kept,) = {outcome(reader, cfg) for reader in readers}
    return kept


def outcome(reader, cfg) -> int | None:
    """How many people a reader keeps, or None if it refuses the file."""
    try:
        return reader(cfg)
    except InputError:
        return None
