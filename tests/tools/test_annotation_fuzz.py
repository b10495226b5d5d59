"""Mutated annotation and results files through every tool that reads them: an answer or one line, no traceback.

POSE_FUZZ_EXAMPLES=20000 python -m pytest tests/tools/test_annotation_fuzz.py -p no:cacheprovider     # a long run
"""

import copy
import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tools import ai2coco_art_neckhead_json, check_dataset, coco2aic, eval_aic, eval_mscoco
from util.errors import InputError

EXAMPLES = int(os.environ.get("POSE_FUZZ_EXAMPLES", 40))

odd_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
    | st.sampled_from([0, 1, 2, 3, 7, -1, 1e308, 10**400, "", "a", "../a", "\ud800", [], {}, -0.0]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)  # fmt: skip


@st.composite
def mutated(draw, document):
    """The document with a few values replaced, removed, doubled or moved."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 4))):
        place, key = document, None
        parent = None
        while isinstance(place, (list, dict)) and place and draw(st.integers(0, 5)):
            keys = list(place) if isinstance(place, dict) else range(len(place))
            parent, key = place, draw(st.sampled_from(keys))
            place = place[key]
        if parent is None:
            continue
        action = draw(st.sampled_from(["replace", "replace", "remove", "double"]))
        if action == "replace":
            parent[key] = draw(odd_value)
        elif action == "remove":
            del parent[key]
        elif isinstance(parent, list):
            parent.append(copy.deepcopy(place))
        else:
            parent[draw(st.text(max_size=3))] = copy.deepcopy(place)
    text = json.dumps(document)
    cut = draw(st.integers(0, 20))
    return text[: draw(st.integers(0, len(text)))] if cut == 0 else text


def aic_document():
    person = [x for joint in range(14) for x in (10 * joint, 5 * joint + 1, 1 + joint % 3)]
    return [{"image_id": name, "url": "u", "keypoint_annotations": {"human1": person, "human2": person},
             "human_annotations": {"human1": [0, 0, 99, 99], "human2": [1, 2, 30, 40]}} for name in "abc"]  # fmt: skip


def coco_document():
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "keypoints": [1, 2, 2] * 17, "num_keypoints": 17,
                  "bbox": [1, 2, 30, 40], "area": 9, "iscrowd": 0, "segmentation": [[1, 2, 3, 4, 5, 6]]}  # fmt: skip
    crowd = {**annotation, "id": 2, "iscrowd": 1, "segmentation": {"size": [99, 99], "counts": [0, 9801]}}
    category = {**ai2coco_art_neckhead_json.CATEGORY}
    return {"images": [{"id": i, "file_name": f"{name}.jpg", "height": 99, "width": 99, "coco_url": "u"}
                       for i, name in enumerate("abc", start=1)],
            "annotations": [annotation, crowd], "categories": [category]}  # fmt: skip


def results_document():
    return [{"image_id": i, "category_id": 1, "keypoints": [1, 2, 2] * 17, "score": 0.5, "bbox": [1, 2, 3, 4]}
            for i in (1, 2)]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz")
    (path / "images").mkdir()
    for name in "abc":
        Image.new("L", (99, 99)).save(path / f"images/{name}.jpg")
    for name, document in (("aic", aic_document()), ("coco", coco_document()), ("results", results_document())):
        (path / f"{name}.json").write_text(json.dumps(document))
    return path


def survives(main, folder, *arguments):
    """The tool ends well or with one line, and leaves no half-written file."""
    before = set(os.listdir(folder))
    try:
        assert main([str(a) for a in arguments]) in (None, 0, 1)
    except InputError as error:
        assert len(str(error).splitlines()) == 1
        assert set(os.listdir(folder)) == before
    else:
        for new in set(os.listdir(folder)) - before:
            if new.endswith(".json"):
                json.loads((folder / new).read_text(encoding="utf-8"))
            os.unlink(folder / new)


many = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


@many
@given(text=mutated(aic_document()))
def test_aic_files(folder, text):
    bad = folder / "bad.json"
    bad.write_text(text, encoding="utf-8")
    good = folder / "aic.json"
    survives(ai2coco_art_neckhead_json.main, folder, "--keypoint_json", bad, "--img_dir", folder / "images")
    survives(eval_aic.main, folder, "--submit", bad, "--ref", good)
    survives(eval_aic.main, folder, "--submit", good, "--ref", bad)
    survives(check_dataset.main, folder, bad, "--img_dir", folder / "images")


@many
@given(text=mutated(coco_document()))
def test_coco_files(folder, text):
    bad = folder / "bad.json"
    bad.write_text(text, encoding="utf-8")
    survives(coco2aic.main, folder, "--coco_json", bad, "--out", folder / "out.json")
    survives(eval_mscoco.main, folder, "--submit", folder / "results.json", "--ref", bad)
    survives(check_dataset.main, folder, bad, "--img_dir", folder / "images", "--decode")


@many
@given(text=mutated(results_document()))
def test_results_files(folder, text):
    bad = folder / "bad.json"
    bad.write_text(text, encoding="utf-8")
    survives(eval_mscoco.main, folder, "--submit", bad, "--ref", folder / "coco.json", "--subset")
