"""COCO's measures against those of pycocotools, on made-up people."""

import io
import json
from contextlib import redirect_stdout

import numpy as np
import pytest

from dataset.coco import read_coco
from dataset.coco_results import people_to_coco
from dataset.coco_score import METRICS, score
from dataset.skeleton import COCO as SKELETON
from util.errors import InputError
from util.faults import Faults

PERSON = {"id": 1, "name": "person", "keypoints": list(SKELETON.keypoints)}


def made_up_people(seed=0):
    """40 people in 20 images, and results near them and elsewhere."""
    rng = np.random.default_rng(seed)
    images = [{"id": 100 - i, "file_name": f"{i}.jpg", "height": 400, "width": 500} for i in range(20)]
    annotations, results = [], []
    for number in range(1, 41):
        joints = np.concatenate([rng.uniform(0, 400, (17, 2)), rng.integers(0, 3, (17, 1))], axis=1)
        joints[joints[:, 2] == 0] = 0
        image_id = images[rng.integers(20)]["id"]
        box = [10, 10, *rng.uniform(20, 200, 2).tolist()]
        annotations.append({"id": number, "image_id": image_id, "category_id": 1, "keypoints": joints.ravel().tolist(),
                            "bbox": box, "area": box[2] * box[3], "num_keypoints": int((joints[:, 2] > 0).sum()),
                            "iscrowd": int(number % 10 == 0), "segmentation": []})  # fmt: skip
        near = joints + rng.normal(scale=rng.uniform(0, 12), size=joints.shape) * (joints[:, 2:] > 0)
        for keypoints in (near, rng.uniform(0, 400, (17, 3))):
            keypoints[:, 2] = np.abs(keypoints[:, 2])
            results += people_to_coco(image_id, keypoints[None], rng.uniform(size=1))
    return {"info": {}, "images": images, "annotations": annotations, "categories": [PERSON]}, results


def read(tmp_path, document):
    (tmp_path / "ref.json").write_text(json.dumps(document))
    return read_coco(tmp_path / "ref.json", Faults())


def official(path, results, only_predicted=False):
    """The measures of pycocotools."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with redirect_stdout(io.StringIO()):
        truth = COCO(str(path))
        evaluation = COCOeval(truth, truth.loadRes(results), "keypoints")
        if only_predicted:
            evaluation.params.imgIds = sorted({r["image_id"] for r in results})
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats.tolist()


@pytest.mark.parametrize("with_box, only_predicted", [(True, False), (False, True)])
def test_measures_equal_those_of_pycocotools(tmp_path, with_box, only_predicted):
    document, results = made_up_people()
    results = [r for r in results if r["image_id"] % 3] if only_predicted else results
    if not with_box:
        results = [{key: value for key, value in r.items() if key != "bbox"} for r in results]
    found = score(results, read(tmp_path, document), only_predicted=only_predicted)
    assert list(found.metrics.values()) == official(tmp_path / "ref.json", results, only_predicted)
    assert tuple(found.metrics) == METRICS and 0.1 < found.metrics["AP"] < 0.9
    assert found.by_category == {}


def test_categories_with_equal_joints_count_apart_if_the_results_have_them(tmp_path):
    document, results = made_up_people()
    document["categories"] = [{**PERSON, "id": number} for number in (3, 5, 8)]
    for number, entry in enumerate(document["annotations"]):
        entry["category_id"] = 3 if number % 3 else 5
    for number, entry in enumerate(results):
        entry["category_id"] = 3 if number % 4 else 5
    coco = read(tmp_path, document)
    apart = score(results, coco)
    assert list(apart.metrics.values()) == official(tmp_path / "ref.json", results)
    assert list(apart.by_category) == [3, 5, 8] and apart.by_category[8] == (-1, -1)
    for number, value in enumerate((apart.metrics["AP"], apart.metrics["AR"])):
        assert (apart.by_category[3][number] + apart.by_category[5][number]) / 2 == pytest.approx(value)
    together = score([{**entry, "category_id": 5} for entry in results], coco)
    one, same = made_up_people()
    read(tmp_path, one)
    assert together == (dict(zip(METRICS, official(tmp_path / "ref.json", same), strict=True)), {})
    assert together.metrics["AP"] > apart.metrics["AP"]


def test_ids_may_be_of_any_kind_and_zero(tmp_path):
    document, _ = made_up_people()
    names = {entry["id"]: f"{entry['id']:09}" if entry["id"] % 2 else entry["id"] for entry in document["images"]}
    document["images"] = [{**entry, "id": names[entry["id"]]} for entry in document["images"]]
    people = [
        {**entry, "id": number, "image_id": names[entry["image_id"]]}
        for number, entry in enumerate(document["annotations"])
    ]
    coco = read(tmp_path, {**document, "annotations": people})
    results = [{key: entry[key] for key in ("image_id", "category_id", "keypoints")} | {"score": 1} for entry in people]
    assert score(results, coco).metrics["AR"] == 1


def test_only_the_joints_asked_for_count(tmp_path):
    document, _ = made_up_people()
    results = [
        {**entry, "keypoints": [9999, 9999, 1] * 5 + entry["keypoints"][15:], "score": 1}
        for entry in document["annotations"]
    ]
    coco = read(tmp_path, document)
    assert score(results, coco, joints=range(5, 17)).metrics["AR"] == 1
    assert score(results, coco).metrics["AR"] < 1


def test_without_results_measures_are_zero_or_unknown(tmp_path):
    document, _ = made_up_people()
    metrics = score([], read(tmp_path, document)).metrics
    assert {name: value for name, value in metrics.items() if value > -1} == dict.fromkeys(
        (name for name in METRICS if "large" not in name or metrics[name] > -1), 0
    )
    assert metrics["AP"] == metrics["AR"] == 0


def test_results_of_another_file_are_refused(tmp_path):
    document, results = made_up_people()
    coco = read(tmp_path, document)
    for change in ({"image_id": "elsewhere"}, {"category_id": 7}):
        with pytest.raises(InputError, match=r"ref.json: has no image .* or no category .*, which 1 results are of"):
            score([results[0], {**results[1], **change}], coco)
    with pytest.raises(InputError, match="only lists images"):
        score([], read(tmp_path, {"images": document["images"]}))
