"""Result files of whole data sets: what they hold, and that a run stopped at any point goes on."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from config import make_config
from dataset.model_spec import from_config
from dataset.skeleton import AIC, NECKHEAD
from multiperson.estimator import Estimator, PoseResult
from multiperson.predict import People, named_joints
from nnet.lite_file import seal
from tests.annotations import coco_document, write_coco
from tests.drawn import assert_people_drawn
from tools import predict_multiperson
from util.errors import InputError

CONFIG = "skeleton: neckhead\ninit_weights: weights\n"


def description(**values):
    """The table of a model of these values."""
    return from_config(make_config(skeleton="neckhead", **values)).as_table()


class OnePerson(Estimator):
    """Finds one person everywhere: joint j at (j, width of the image) with confidence .5; counts the images."""

    cfg, skeleton, network = make_config(), NECKHEAD, None

    def __init__(self):
        self.seen = 0

    def estimate(self, images):
        self.seen += len(images)
        return list(map(self.person_in, images))

    def person_in(self, image):
        keypoints = np.array([[[joint, image.shape[1], 0.5] for joint in range(17)]], float)
        keypoints[0, 2:5] = 0  # the unused slots
        return PoseResult(People(keypoints, np.array([0.4])), NECKHEAD, image.shape[:2], 0.1, 0.001)


@pytest.fixture
def estimator(monkeypatch):
    estimator = OnePerson()
    monkeypatch.setattr(predict_multiperson, "build_estimator", lambda cfg, weights: estimator)
    return estimator


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A model directory, and photos/ with seven pictures of different width."""
    (tmp_path / "pose_cfg.yaml").write_text(CONFIG)
    (tmp_path / "weights.index").write_text("1")
    (tmp_path / "photos").mkdir()
    for number in range(7):
        Image.new("RGB", (20 + number, 40)).save(tmp_path / f"photos/{number}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*options):
    return predict_multiperson.main(["--images", "photos", "--snapshot", "weights", *options])


def results(folder, name):
    return json.loads((folder / f"{name}.json").read_text())


def widths(folder):
    """Those of the images, which the people of COCO's results tell."""
    return [entry["keypoints"][4] for entry in results(folder, "results/coco")]


def test_result_files_and_pictures_have_all_people(estimator, folder, capsys):
    run("--draw")
    coco, aic = results(folder, "results/coco"), results(folder, "results/aic")
    assert [entry["image_id"] for entry in coco] == list(range(7))  # as COCO counts its images
    assert [record["image_id"] for record in aic] == list("0123456")
    assert coco[3]["score"] == pytest.approx(0.4) and coco[3]["keypoints"][3:5] == [1, 23]
    person = np.array(aic[3]["keypoint_annotations"]["human1"]).reshape(14, 3)
    for name, (x, y, _) in zip(AIC.keypoints, person, strict=True):
        assert (x, y) == (NECKHEAD.keypoints.index(name), 23), name
    pictures = {f"{number}_people.png" for number in range(7)}
    assert {path.name for path in (folder / "results").iterdir()} == pictures | {"coco.json", "aic.json"}
    people = [{"keypoints": named_joints(NECKHEAD.keypoints, np.reshape(coco[3]["keypoints"], (17, 3)))}]
    assert_people_drawn(folder / "results/3_people.png", np.zeros((40, 23, 3), np.uint8), people, ids=[0])
    assert "7 images, 7 people, 0.101 s an image" in capsys.readouterr().out


def test_a_run_and_its_parts_put_together_write_the_same_table(estimator, folder):
    (folder / "photos/2.png").write_text("no image")
    run("--csv", "--out_dir", "whole")
    run("--shard", "1/2")
    run("--shard", "2/2")
    predict_multiperson.main(["--merge", "--csv"])
    table = (folder / "results/people.csv").read_text()
    assert (folder / "whole/people.csv").read_text() == table
    rows = list(csv.DictReader(table.splitlines()))
    assert [row["file"] for row in rows] == [str(Path("photos", f"{number}.png")) for number in (0, 1, 3, 4, 5, 6)]
    person = rows[2]
    assert (person["frame"], person["seconds"], person["person"], person["score"]) == ("", "", "0", "0.4")
    for joint, name in enumerate(NECKHEAD.keypoints):
        expected = ["", "", ""] if joint in (2, 3, 4) else [f"{joint}.0", "23.0", "0.5"]
        assert [person[f"{name}_{what}"] for what in ("x", "y", "confidence")] == expected


def test_unreadable_images_are_told_and_tried_again(estimator, folder, capsys, caplog):
    (folder / "photos/2.png").write_text("no image")
    run()
    output = capsys.readouterr().out
    assert "2.png: not an image" in caplog.text and "6 images, 6 people" in output and "1 images could" in output
    Image.new("RGB", (22, 16)).save(folder / "photos/2.png")
    run()
    assert estimator.seen == 7 and widths(folder) == list(range(20, 27))
    assert not list((folder / "results").glob("*.jsonl"))


def test_nothing_readable_is_an_error(estimator, folder, caplog):
    for path in (folder / "photos").iterdir():
        path.write_bytes(b"")
    with pytest.raises(InputError, match="none of the 7 images can be read; the first: .*0.png"):
        run()
    assert caplog.text.count("skipped ") == 7 and not list((folder / "results").iterdir())


def test_shards_make_the_same_files_as_one_run(estimator, folder):
    run()
    whole = results(folder, "results/coco"), results(folder, "results/aic")
    for part in ("3/3", "1/3", "2/3"):
        run("--out_dir", "parts", "--shard", part)
    predict_multiperson.main(["--out_dir", "parts", "--merge"])
    assert estimator.seen == 14
    assert (results(folder, "parts/coco"), results(folder, "parts/aic")) == whole


def test_merging_needs_all_parts(estimator, folder):
    """tests/util/test_shards.py has the other ways in which parts do not belong together."""
    run("--shard", "1/3")
    with pytest.raises(InputError, match="run --shard 2/3, --shard 3/3"):
        predict_multiperson.main(["--merge"])
    assert not list((folder / "results").glob("*.json"))


@pytest.mark.parametrize("change, what", [
    ({"weights.index": "2"}, "weights"),
    ({"weights": "an old checkpoint"}, "weights"),
    ({"pose_cfg.yaml": CONFIG + "det_min_score: 0.3"}, "configuration"),
    ({"pairwise/spatial_model_cidx_1_2.mat": "1"}, "pairwise models"),
    ({"model.yaml": yaml.safe_dump(description(net_type="resnet_18"))}, "weights"),
])  # fmt: skip
def test_a_run_does_not_go_on_with_other_files(estimator, folder, change, what):
    """change: what is written between two runs"""
    run("--shard", "1/2")
    for name, text in change.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    with pytest.raises(InputError, match=f"another run .{what} differ"):
        run("--shard", "1/2")


def test_a_run_does_not_go_on_with_a_renamed_photo(estimator, folder):
    run("--shard", "1/2")
    (folder / "photos/1.png").rename(folder / "photos/x.png")
    with pytest.raises(InputError, match="another run .images differ"):
        run("--shard", "1/2")


def test_a_run_does_not_go_on_with_another_tflite_model(estimator, folder):
    for name in ("a", "b"):
        (folder / f"{name}.tflite").write_bytes(seal(name.encode(), {"model": description()}))
    predict_multiperson.main(["--images", "photos", "--snapshot", "a.tflite", "--shard", "1/2"])
    with pytest.raises(InputError, match="another run .weights differ"):
        predict_multiperson.main(["--images", "photos", "--snapshot", "b.tflite", "--shard", "1/2"])


def test_changed_photos_and_missing_pictures_are_done_again(estimator, folder, capsys):
    """One of each kind, of seven images that were done."""
    run("--shard", "1/2", "--draw")
    run("--shard", "2/2", "--draw")
    seen = estimator.seen
    Image.new("RGB", (40, 16)).save(folder / "photos/0.png")
    (folder / "results/4_people.png").unlink()
    run("--shard", "1/2", "--draw")
    assert "2 images are there already, 2 are left" in capsys.readouterr().out
    assert estimator.seen == seen + 2
    predict_multiperson.main(["--merge"])
    assert widths(folder) == [40, *range(21, 27)]


def test_images_of_one_name_are_told_apart(estimator, folder):
    """They have other suffixes, are in other folders, have one number, or are named twice."""
    Image.new("RGB", (50, 16)).save(folder / "photos/1.jpg")
    Image.new("RGB", (51, 16)).save(folder / "photos/001.png")
    (folder / "more").mkdir()
    Image.new("RGB", (52, 16)).save(folder / "more/2.png")
    predict_multiperson.main(["--snapshot", "weights", "--draw", "--images", "photos", "more", "./photos/3.png"])
    coco = {entry["image_id"]: entry["keypoints"][4] for entry in results(folder, "results/coco")}
    assert coco == {0: 20, "photos/001": 51, "photos/1.png": 21, "photos/1.jpg": 50, "photos/2": 22, "more/2": 52,
                    3: 23, 4: 24, 5: 25, 6: 26}  # fmt: skip
    names = {record["image_id"] for record in results(folder, "results/aic")}
    assert names == {name if isinstance(name, str) else f"photos/{name}" for name in coco}
    assert (folder / "results/more/2_people.png").exists() and (folder / "results/photos/1.jpg_people.png").exists()


def test_images_of_a_data_set_have_its_ids(estimator, folder):
    (folder / "images/val/b").mkdir(parents=True)
    (folder / "photos/5.png").rename(folder / "images/val/b/5.png")
    document = coco_document([{"id": 55, "file_name": "b/5.png"}], keypoints=NECKHEAD.keypoints)
    write_coco(folder, "val", document)
    predict_multiperson.main(["--snapshot", "weights", "dataset=.", "dataset_type=coco", "dataset_phase=val"])
    assert [entry["image_id"] for entry in results(folder, "results/coco")] == [55]
    assert [record["image_id"] for record in results(folder, "results/aic")] == ["b/5"]


def test_images_of_one_size_are_seen_together(estimator, folder, monkeypatch):
    for number in (2, 3):
        Image.new("RGB", (21, 40)).save(folder / f"photos/{number}.png")
    batches, estimate = [], estimator.estimate
    monkeypatch.setattr(estimator, "estimate", lambda images: batches.append(len(images)) or estimate(images))
    monkeypatch.setattr(estimator, "cfg", type(estimator.cfg)(estimator.cfg, predict_batch=2))
    (folder / "photos/0.png").write_bytes(b"no image")
    run()
    assert batches == [2, 1, 1, 1, 1]
    run("predict_batch=2")  # a run goes on in other batches
    assert batches == [2, 1, 1, 1, 1]
    assert widths(folder) == [21, 21, 21, 24, 25, 26]


SLOW = """
import sys, time
from tests.tools.test_predict_multiperson import OnePerson
from tools import predict_multiperson

class Slow(OnePerson):
    def estimate(self, images):
        time.sleep(0.3)
        return super().estimate(images)

predict_multiperson.build_estimator = lambda cfg, weights: Slow()
predict_multiperson.main(sys.argv[1:])
"""


def test_a_killed_run_goes_on_where_it_was(estimator, folder):
    command = [sys.executable, "-c", SLOW, "--images", "photos", "--snapshot", "weights"]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])})
    journal = folder / "results/people.jsonl"
    while process.poll() is None and not (journal.exists() and journal.read_bytes().count(b"\n") >= 4):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    done = journal.read_bytes().count(b"\n") - 1
    assert 3 <= done < 7 and not list((folder / "results").glob("*.json"))
    run()
    assert estimator.seen == 7 - done
    assert widths(folder) == list(range(20, 27))


def test_a_data_set_tells_the_category_and_needs_no_people(folder, estimator):
    """As in COCO's lists of images without annotations, and with a category that has an id of its own."""
    (folder / "images").mkdir()
    (folder / "images/val").symlink_to(folder / "photos")
    content = {"images": [{"id": f"i{number}", "file_name": f"{number}.png"} for number in range(2)]}
    data_set = ["dataset=.", "dataset_type=coco", "dataset_phase=val"]
    for category, expected in ([], 1), ([{"id": 7, "name": "p", "keypoints": list(NECKHEAD.keypoints)}], 7):
        write_coco(folder, "val", content | {"categories": category})
        predict_multiperson.main(["--snapshot", "weights", "--out_dir", f"results_{expected}", *data_set])
        found = [(entry["image_id"], entry["category_id"]) for entry in results(folder, f"results_{expected}/coco")]
        assert found == [("i0", expected), ("i1", expected)]
