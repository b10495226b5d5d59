"""Every broken or unusual file of the test data through every script that can meet it, as its manifest wants it.

`error`: status 2, a last line that names the file, nothing written. `skip with warning`: status 0 and a warning.
`accept`: status 0 without one. Never a traceback: whatever is no InputError fails the test.
"""

from util.cli import run

import itertools
import json
import logging
import sys
from pathlib import Path

import pytest

import train
from dataset.skeleton import COCO
from demo import demo_multiperson, singleperson
from nnet import load
from tools import (
    ai2coco_art_neckhead_json,
    aic2mat,
    benchmark,
    cache_scoremaps,
    coco2aic,
    eval_aic,
    eval_mscoco,
    eval_pck,
    make_mosaics,
    pairwise_stats,
    predict_multiperson,
    predict_singleperson,
    train_pairwise,
    vis_dataset,
)

DEMO = Path(__file__).parents[1] / "models/demo/pose_cfg.yaml"
CONFIG = """dataset: .
dataset_type: coco
dataset_ann: x
dataset_phase: t
pairwise_predict: true
multi_step: [[0.001, 1]]
num_joints: 17
global_scale: 0.3
"""


@pytest.fixture(scope="module")
def manifest(data_dir):
    return json.loads((data_dir / "bad/manifest.json").read_text())["files"]


@pytest.fixture(scope="module")
def networks():
    """The demo's network, loaded once."""
    return load.load_model(DEMO), load.build_single_estimator(load.load_config(DEMO))


@pytest.fixture
def status_of(monkeypatch, capsys, caplog, networks):
    """Runs a script in this process: exit status, what it printed as errors and warnings."""
    monkeypatch.setattr(load, "build_estimator", lambda *_: networks[0])
    monkeypatch.setattr(load, "build_single_estimator", lambda *_: networks[1])
    monkeypatch.setattr(train, "setup_logging", lambda *_: None)

    def call(main, *arguments):
        monkeypatch.setattr(sys, "argv", ["tool"])
        caplog.clear()
        with pytest.raises(SystemExit) as exit_:
            run(lambda: main([str(argument) for argument in arguments]))
        warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        return exit_.value.code, "\n".join([*warnings, capsys.readouterr().err])

    return call


def check(name, expected, out, outcome):
    """Compare an outcome (status, messages) with what is expected of a file."""
    status, messages = outcome
    shown = f"{name}: status {status}\n{messages}"
    if expected == "error":
        last = messages.splitlines()[-1]
        assert status == 2 and last.startswith("tool: ") and Path(name).name in last, shown
        assert not any(path.is_file() for path in out.rglob("*")), shown
    else:
        assert status == 0, shown
        assert bool(messages) == (expected == "skip with warning"), shown


@pytest.fixture
def fresh(tmp_path):
    """Endless empty folders."""

    def folders():
        for number in itertools.count():
            path = tmp_path / str(number)
            path.mkdir()
            yield path

    return folders()


def files_of(manifest, kind, images_count=True):
    """(name, case) of one kind; images_count: also those whose only fault is that images are not on disk."""
    return [
        (name, case)
        for name, case in manifest.items()
        if case["kind"] == kind and (images_count or "missing_on_disk" not in name)
    ]


AIC_COMMANDS = {
    "convert": lambda bad, images, out: (ai2coco_art_neckhead_json.main, "--keypoint_json", bad, "--img_dir", images,
                                         "--out", out / "coco.json"),
    "crops": lambda bad, images, out: (aic2mat.main, "--keypoint_json", bad, "--img_dir", images, "--out_dir", out),
    "boxes": lambda bad, images, out: (predict_singleperson.main, "--cfg", DEMO, "--ref", bad, "--img_dir", images,
                                       "--out_dir", out),
}  # fmt: skip


@pytest.mark.parametrize("command", AIC_COMMANDS.values(), ids=AIC_COMMANDS)
def test_aic_annotations(command, data_dir, manifest, status_of, fresh):
    for name, case in files_of(manifest, "aic_json"):
        out = next(fresh)
        done = status_of(*command(data_dir / "bad" / name, data_dir / case["images_dir"], out))
        # Whoever has no labelled joint cannot be cut out.
        unusual = command is AIC_COMMANDS["crops"] and "no_labelled_joint" in name
        check(name, "skip with warning" if unusual else case["expected"], out, done)


@pytest.mark.parametrize("submitted", [False, True])
def test_aic_score(submitted, data_dir, manifest, status_of, fresh):
    good = data_dir / "aic_sample/annotations.json"
    for name, case in files_of(manifest, "aic_json", images_count=False):
        submit, ref = (data_dir / "bad" / name, good)[:: 1 if submitted else -1]
        # Boxes and flags of a submission count for nothing.
        unseen = submitted and any(word in name for word in ("box", "visibility"))
        expected = "accept" if unseen else case["expected"]
        check(name, expected, next(fresh), status_of(eval_aic.main, "--submit", submit, "--ref", ref))


def test_aic_pck(data_dir, manifest, status_of, fresh):
    good = data_dir / "aic_sample/annotations.json"
    for name, case in files_of(manifest, "aic_json", images_count=False):
        done = status_of(eval_pck.main, "--submit", good, "--ref", data_dir / "bad" / name)
        check(name, case["expected"], next(fresh), done)


def test_aic_files_that_no_grouping_is_measured_on(data_dir, manifest, status_of, fresh):
    for name, case in files_of(manifest, "aic_json", images_count=False):
        if case["expected"] == "error":
            check(name, "error", next(fresh), status_of(benchmark.main, "grouping", "--ref", data_dir / "bad" / name))


@pytest.fixture
def coco_layout(data_dir, fresh):
    """Makes a model directory with a COCO file and its images as data set."""

    def build(annotations, images):
        folder = next(fresh)
        for place, target in (("annotations/x_t.json", annotations), ("images/t", images)):
            (folder / place).parent.mkdir()
            (folder / place).symlink_to(target)
        (folder / "pose_cfg.yaml").write_text(CONFIG)
        return folder

    return build


COCO_COMMANDS = {
    "pictures": lambda cfg, out: (vis_dataset.main, "--cfg", cfg, "--number", "8", "--out_dir", out),
    "statistics": lambda cfg, out: (pairwise_stats.main, "--cfg", cfg, "--out", out / "stats.mat"),
    "predict": lambda cfg, out: (predict_multiperson.main, "--cfg", cfg, "--snapshot", "none", "--out_dir", out),
}


@pytest.mark.parametrize("command", COCO_COMMANDS.values(), ids=COCO_COMMANDS)
def test_coco_data_sets(command, data_dir, manifest, status_of, fresh, coco_layout):
    for name, case in files_of(manifest, "coco_json", images_count=command is not COCO_COMMANDS["statistics"]):
        folder, out = coco_layout(data_dir / "bad" / name, data_dir / case["images_dir"]), next(fresh)
        status, messages = status_of(*command(folder / "pose_cfg.yaml", out))
        # The data set goes by the name that it has in its layout.
        check(name, case["expected"], out, (status, messages.replace("x_t.json", Path(name).name)))


@pytest.mark.parametrize("main", [train.main, train_pairwise.main, make_mosaics.main, cache_scoremaps.main])
def test_coco_data_sets_that_nothing_is_learnt_from(
    main, data_dir, manifest, status_of, fresh, coco_layout, monkeypatch
):
    for name, case in files_of(manifest, "coco_json"):
        if case["expected"] == "error":
            folder = coco_layout(data_dir / "bad" / name, data_dir / case["images_dir"])
            monkeypatch.chdir(folder)
            before = sorted(folder.rglob("*"))
            status, messages = status_of(main)
            check(name, "error", next(fresh), (status, messages.replace("x_t.json", Path(name).name)))
            assert sorted(folder.rglob("*")) == before


def test_coco_annotations_back_to_aic(data_dir, manifest, status_of, fresh):
    for name, case in files_of(manifest, "coco_json", images_count=False):
        out = next(fresh)
        done = status_of(coco2aic.main, "--coco_json", data_dir / "bad" / name, "--out", out / "aic.json")
        # A crowd is no fault, but AI Challenger has none.
        expected = "skip with warning" if "crowd" in name else case["expected"]
        check(name, expected, out, done)


def test_coco_score(data_dir, manifest, status_of, fresh, tmp_path):
    true = json.loads((data_dir / "coco_sample/annotations/person_keypoints_val2017.json").read_text())["annotations"]
    results = [{key: person[key] for key in ("image_id", "category_id", "keypoints")} | {"score": 1} for person in true]
    (tmp_path / "results.json").write_text(json.dumps(results))
    for name, case in files_of(manifest, "coco_json", images_count=False):
        done = status_of(eval_mscoco.main, "--submit", tmp_path / "results.json", "--ref", data_dir / "bad" / name)
        check(name, case["expected"], next(fresh), done)


def image_record(name):
    """An AIC record of a person in an image of the manifest, which has 8 rows or more (but for one of one pixel)."""
    keypoints = [x for joint in range(14) for x in (20 + 10 * joint, joint % 8, 1)]
    return {
        "image_id": Path(name).stem,
        "keypoint_annotations": {"human1": keypoints},
        "human_annotations": {"human1": [10, 0, 160, 8]},
    }


def multiperson(folder, images, out):
    return predict_multiperson.main, "--cfg", DEMO, "--snapshot", "none", "--images", *images, "--out_dir", out


def demo(folder, images, out):
    return demo_multiperson.main, *images, "--out_dir", out


def single_demo(folder, images, out):
    return singleperson.main, *images, "--out_dir", out


def boxes(folder, images, out):
    (folder / "aic.json").write_text(json.dumps([image_record(image) for image in images]))
    return (predict_singleperson.main, "--cfg", DEMO, "--ref", folder / "aic.json", "--img_dir", images[0].parent,
            "--out_dir", out)  # fmt: skip


def crops(folder, images, out):
    (folder / "aic.json").write_text(json.dumps([image_record(image) for image in images]))
    return (aic2mat.main, "--keypoint_json", folder / "aic.json", "--img_dir", images[0].parent, "--out_dir", out)


def training(folder, images, out):
    """What training gets, drawn."""
    (folder / "annotations").mkdir()
    (folder / "images").mkdir()
    (folder / "images/t").symlink_to(images[0].parent)
    person = {"category_id": 1, "keypoints": [5, 5, 2] * 17}
    (folder / "annotations/x_t.json").write_text(
        json.dumps(
            {
                "images": [{"id": number, "file_name": image.name} for number, image in enumerate(images)],
                "annotations": [person | {"image_id": number} for number in range(len(images))],
                "categories": [{"id": 1, "keypoints": COCO.keypoints}],
            }
        )
    )
    (folder / "pose_cfg.yaml").write_text(CONFIG)
    return vis_dataset.main, "--cfg", folder / "pose_cfg.yaml", "--number", 2 * len(images), "--out_dir", out


@pytest.mark.parametrize("command", [multiperson, demo, single_demo, boxes, crops, training])
def test_images(command, data_dir, manifest, status_of, fresh):
    """Each image alone, and beside a good one."""
    for name, case in files_of(manifest, "image"):
        if command is crops and case.get("people") == 0:
            continue  # nobody can be cut out of one pixel
        image, good = data_dir / "bad" / name, data_dir / "bad/images/rgba.png"
        out = next(fresh)
        check(name, case["expected"], out, status_of(*command(next(fresh), [image], out)))
        if case["expected"] == "error":
            done = status_of(*command(next(fresh), [image, good], next(fresh)))
            check(name, case["expected_in_batch"], out, done)


def test_images_converted_by_their_headers(data_dir, manifest, status_of, fresh):
    for name, case in files_of(manifest, "image"):
        folder, out = next(fresh), next(fresh)
        (folder / "aic.json").write_text(json.dumps([image_record(name)]))
        done = status_of(
            ai2coco_art_neckhead_json.main,
            "--keypoint_json",
            folder / "aic.json",
            "--img_dir",
            data_dir / "bad/images",
            "--out",
            out / "coco.json",
        )
        # A cut-off JPEG has its header.
        expected = "accept" if "truncated" in name else case["expected"]
        status, messages = done
        check(name, expected, out, (status, messages.replace("aic.json", Path(name).name)))
        if expected == "accept" and "width" in case:
            (image,) = json.loads((out / "coco.json").read_text())["images"]
            assert (image["width"], image["height"]) == (case["width"], case["height"]), name
