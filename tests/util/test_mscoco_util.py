import io
import json
from contextlib import redirect_stdout

import numpy as np
import pytest

from dataset.skeleton import COCO as SKELETON
from util import mscoco_util
from util.errors import InputError
from util.faults import Faults


def content(annotations=(), images=({"id": 7, "file_name": "a.jpg", "height": 50, "width": 60},), joints=2):
    return {"images": list(images), "annotations": list(annotations),
            "categories": [{"id": 1, "name": "person", "keypoints": [f"j{i}" for i in range(joints)]},
                           {"id": 2, "name": "cat"}]}  # fmt: skip


def annotation(number=1, **changes):
    person = {"id": number, "image_id": 7, "category_id": 1, "keypoints": [1, 2, 2, 30, 40, 1], "num_keypoints": 2,
              "bbox": [1, 2, 30, 40], "area": 700.5, "iscrowd": 0, "segmentation": [[1, 2, 3, 4, 5, 6]]}  # fmt: skip
    return {key: value for key, value in {**person, **changes}.items() if value is not ...}


def read(tmp_path, document):
    (tmp_path / "ref.json").write_text(json.dumps(document))
    notes = Faults()
    return mscoco_util.read_coco(tmp_path / "ref.json", notes), notes.counts


@pytest.mark.parametrize("change", [
    {"keypoints": [1, 2, 2]}, {"keypoints": [1, 2, 2, 3, 4, None]}, {"keypoints": [1, 2, 2, 3, 4, 7]},
    {"keypoints": [1, float("nan"), 2, 3, 4, 1]}, {"keypoints": [1, 10**400, 2, 3, 4, 1]}, {"keypoints": "x"},
    {"bbox": [1, 2, 0, 4]}, {"bbox": [1, 2, 3]}, {"bbox": "abcd"}, {"bbox": [float("inf"), 2, 3, 4]},
    {"image_id": 8}, {"image_id": [7]}, {"image_id": ...}, {"category_id": ...}, {"id": ...}, {"id": 1.5},
    {"bbox": ..., "keypoints": ...},
])  # fmt: skip
def test_unusable_annotations(tmp_path, change):
    coco, counts = read(tmp_path, content([annotation(1), annotation(2, **change)]))
    assert [a["id"] for a in coco.annotations] == [1]
    assert sum(counts.values()) == 1


@pytest.mark.parametrize("change, key, value", [
    ({"num_keypoints": 5}, "num_keypoints", 2),
    ({"area": ...}, "area", 1200),
    ({"area": "x"}, "area", 1200),
    ({"segmentation": [[1, 2, 3, 4]]}, "segmentation", []),
    ({"segmentation": [[1, 2, 3, 4, 5, 6], [1, 2, 3, None, 5, 6], 3]}, "segmentation", [[1, 2, 3, 4, 5, 6]]),
    ({"segmentation": 5}, "segmentation", []),
    ({"segmentation": {"size": [1, 1], "counts": [1]}}, "segmentation", []),
])  # fmt: skip
def test_corrected_annotations(tmp_path, change, key, value):
    coco, counts = read(tmp_path, content([annotation(**change)]))
    assert coco.annotations[0][key] == value
    assert sum(counts.values()) == 1


def test_legal_oddities(tmp_path):
    rle = {"size": [50, 60], "counts": [0, 3000]}
    coco, counts = read(tmp_path, content([
        annotation(1, iscrowd=1, keypoints=..., num_keypoints=0, segmentation=rle), annotation(2, category_id=2),
        annotation(3, bbox=...), annotation("x", num_keypoints=..., segmentation=...),
    ]))  # fmt: skip
    assert [a["id"] for a in coco.annotations] == [1, 3, "x"]
    assert coco.annotations[0]["segmentation"] == rle
    assert coco.annotations[0]["keypoints"] == [0] * 6
    assert coco.annotations[1]["bbox"] == [1, 2, 29, 38]
    assert not counts


@pytest.mark.parametrize("images", [[], [3], [{"id": 1}], [{"file_name": "a.jpg"}], [{"id": [], "file_name": "a.jpg"}],
                                    [{"id": 1, "file_name": "../a.jpg"}]])  # fmt: skip
def test_refuses_without_images(tmp_path, images):
    with pytest.raises(InputError):
        read(tmp_path, content(images=images))


@pytest.mark.parametrize("categories", [None, [], [{"id": 1}], [{"keypoints": ["a"]}], [{"id": 1, "keypoints": "abc"}],
                                        [{"id": 1, "keypoints": [1]}],
                                        [{"id": 1, "keypoints": ["a"]}, {"id": 2, "keypoints": ["b"]}]])  # fmt: skip
def test_refuses_without_skeleton(tmp_path, categories):
    with pytest.raises(InputError):
        read(tmp_path, {**content([annotation()]), "categories": categories})


def made_up_people(seed=0):
    """40 people of COCO's kind in 20 images, and results near them and elsewhere."""
    rng = np.random.default_rng(seed)
    images = [{"id": 100 - i, "file_name": f"{i}.jpg", "height": 400, "width": 500} for i in range(20)]
    annotations, results = [], []
    for number in range(1, 41):
        joints = np.concatenate([rng.uniform(0, 400, (17, 2)), rng.integers(0, 3, (17, 1))], axis=1)
        joints[joints[:, 2] == 0] = 0
        image_id = images[rng.integers(20)]["id"]
        box = [10, 10, *rng.uniform(20, 200, 2).tolist()]
        annotations.append(annotation(number, image_id=image_id, keypoints=joints.ravel().tolist(), bbox=box,
                                      area=box[2] * box[3], num_keypoints=int((joints[:, 2] > 0).sum()),
                                      iscrowd=int(number % 10 == 0), segmentation=[]))  # fmt: skip
        near = joints + rng.normal(scale=rng.uniform(0, 12), size=joints.shape) * (joints[:, 2:] > 0)
        for keypoints in (near, rng.uniform(0, 400, (17, 3))):
            keypoints[:, 2] = np.abs(keypoints[:, 2])
            results += mscoco_util.people_to_coco(image_id, keypoints[None], rng.uniform(size=1))
    return content(annotations, images, 17), results


@pytest.mark.parametrize("with_box, only_predicted", [(True, False), (False, True)])
def test_equals_pycocotools(tmp_path, with_box, only_predicted):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    document, results = made_up_people()
    document["info"] = {}
    results = [r for r in results if r["image_id"] % 3] if only_predicted else results
    if not with_box:
        results = [{key: value for key, value in r.items() if key != "bbox"} for r in results]
    coco, counts = read(tmp_path, document)
    assert not counts
    found = mscoco_util.evaluate(coco, results, SKELETON.sigmas, only_predicted)
    with redirect_stdout(io.StringIO()):
        truth = COCO(str(tmp_path / "ref.json"))
        official = COCOeval(truth, truth.loadRes(results), "keypoints")
        official.params.catIds = [1]
        if only_predicted:
            official.params.imgIds = sorted({r["image_id"] for r in results})
        official.evaluate()
        official.accumulate()
        official.summarize()
    assert list(found.values()) == official.stats.tolist()
    assert 0.1 < found["AP"] < 0.9


def test_results_that_cannot_be_used(tmp_path):
    coco, _ = read(tmp_path, content([annotation()]))
    good = {"image_id": 7, "category_id": 1, "keypoints": [1, 2, 2, 30, 40, 1], "score": 1}
    bad = [3, {}, {**good, "image_id": 8}, {**good, "category_id": 2}, {**good, "score": None},
           {**good, "score": float("nan")}, {**good, "keypoints": [1]}, {**good, "keypoints": None}]  # fmt: skip
    (tmp_path / "results.json").write_text(json.dumps([*bad, good]))
    notes = Faults()
    assert mscoco_util.read_results(tmp_path / "results.json", coco, notes) == [good]
    assert sum(notes.counts.values()) == len(bad)
    for content_of_file in ("[]", "{}", "[3]"):
        (tmp_path / "results.json").write_text(content_of_file)
        with pytest.raises(InputError, match=r"results\.json"):
            mscoco_util.read_results(tmp_path / "results.json", coco, Faults())


def test_people_to_coco():
    keypoints = np.zeros((2, 17, 3))
    keypoints[0, 5] = [100.5, 20.25, 0.75]
    keypoints[0, 6] = [80, 30, 0.5]
    [entry] = mscoco_util.people_to_coco("x", keypoints, np.array([0.25, 0.5]))
    assert json.loads(json.dumps(entry)) == entry
    assert entry["keypoints"][15:21] == [100.5, 20.25, 0.75, 80, 30, 0.5]
    assert sum(entry["keypoints"][:15] + entry["keypoints"][21:]) == 0
    assert (entry["score"], entry["bbox"]) == (0.25, [80, 20.25, 20.5, 9.75])
    assert mscoco_util.people_to_coco("x", keypoints[:0], np.zeros(0)) == []


def test_manifest(data_dir, tmp_path):
    for name, entry in json.loads((data_dir / "bad/manifest.json").read_text())["files"].items():
        if entry["kind"] != "coco_json" or "missing_on_disk" in name:
            continue
        notes = Faults()
        if entry["expected"] == "error":
            with pytest.raises(InputError):
                mscoco_util.read_coco(data_dir / "bad" / name, notes)
            continue
        coco = mscoco_util.read_coco(data_dir / "bad" / name, notes)
        assert sum(not a["iscrowd"] for a in coco.annotations) == entry["usable_annotations"], name
        assert sum(a["iscrowd"] for a in coco.annotations) == entry.get("crowd_regions", 0), name
        assert bool(notes.counts) == (entry["expected"] != "accept"), name
