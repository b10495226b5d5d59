"""Every broken or unusual file (tests/broken_files.py) through every script that can meet it.

`error`: status 2, a last line that names the file, nothing written; `skip with warning`: status 0 and a warning;
`accept`: status 0 and no warning. Any exception but InputError fails the test.
"""

from util.cli import run

import itertools
import json
import logging
import sys
from pathlib import Path

import pytest

import train
from demo import demo_multiperson, singleperson
from multiperson import load_model
from tests.annotations import aic_record, coco_document, write_coco
from tests.broken_files import ACCEPT, ERROR, SKIP
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
multi_step: [[0.001, 1]]
num_joints: 17
global_scale: 0.3
"""


@pytest.fixture(scope="module")
def networks():
    """The demo's network, loaded once."""
    return load_model(DEMO), load_model(DEMO, single_person=True)


@pytest.fixture
def status_of(monkeypatch, capsys, caplog, networks):
    """Runs a script in this process; returns its exit status and the errors and warnings that it printed."""
    for script in (demo_multiperson, singleperson, predict_multiperson, predict_singleperson):
        find_one = script in (singleperson, predict_singleperson)
        monkeypatch.setattr(script, "build_estimator", lambda *_, number=find_one, **__: networks[number])
    monkeypatch.setattr(train, "setup_logging", lambda *_: None)

    def call(main, *arguments):
        monkeypatch.setattr(sys, "argv", ["tool"])
        caplog.clear()
        with pytest.raises(SystemExit) as exit_:
            run(lambda: main([str(argument) for argument in arguments]))
        warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        return exit_.value.code, "\n".join([*warnings, capsys.readouterr().err])

    return call


def check(path, expected, out, outcome):
    """Compare an outcome (status, messages) with the one expected of a file."""
    status, messages = outcome
    shown = f"{path}: status {status}\n{messages}"
    if expected == ERROR:
        last = messages.splitlines()[-1]
        assert status == 2 and last.startswith("tool: ") and path.name in last, shown
        assert not any(path.is_file() for path in out.rglob("*")), shown
    else:
        assert status == 0, shown
        assert bool(messages) == (expected == SKIP), shown


@pytest.fixture
def fresh(tmp_path):
    """Endless empty folders."""

    def folders():
        for number in itertools.count():
            path = tmp_path / str(number)
            path.mkdir()
            yield path

    return folders()


def all_there(files):
    """The files but those whose only fault is that images are not on disk."""
    return [file for file in files if "missing_on_disk" not in file.path.name]


AIC_COMMANDS = {
    "convert": lambda bad, images, out: (ai2coco_art_neckhead_json.main, "--keypoint_json", bad, "--img_dir", images,
                                         "--out", out / "coco.json"),
    "crops": lambda bad, images, out: (aic2mat.main, "--keypoint_json", bad, "--img_dir", images, "--out_dir", out),
    "boxes": lambda bad, images, out: (predict_singleperson.main, "--cfg", DEMO, "--ref", bad, "--img_dir", images,
                                       "--out_dir", out),
}  # fmt: skip


@pytest.mark.parametrize("command", AIC_COMMANDS.values(), ids=AIC_COMMANDS)
def test_aic_annotations(command, broken_files, status_of, fresh):
    for file in broken_files.aic:
        out = next(fresh)
        done = status_of(*command(file.path, file.images, out))
        # A person without a labelled joint cannot be cut out.
        unusual = command is AIC_COMMANDS["crops"] and "no_labelled_joint" in file.path.name
        check(file.path, SKIP if unusual else file.expected, out, done)


@pytest.mark.parametrize("submitted", [False, True])
def test_aic_score(submitted, broken_files, status_of, fresh):
    for file in all_there(broken_files.aic):
        submit, ref = (file.path, broken_files.good_aic)[:: 1 if submitted else -1]
        # Boxes and flags of a submission are not read.
        unseen = submitted and any(word in file.path.name for word in ("box", "visibility"))
        done = status_of(eval_aic.main, "--submit", submit, "--ref", ref)
        check(file.path, ACCEPT if unseen else file.expected, next(fresh), done)


def test_aic_pck(broken_files, status_of, fresh):
    for file in all_there(broken_files.aic):
        done = status_of(eval_pck.main, "--submit", broken_files.good_aic, "--ref", file.path)
        check(file.path, file.expected, next(fresh), done)


def test_aic_files_for_the_benchmark_of_grouping(broken_files, status_of, fresh):
    for file in all_there(broken_files.aic):
        if file.expected == ERROR:
            check(file.path, ERROR, next(fresh), status_of(benchmark.main, "grouping", "--ref", file.path))


@pytest.fixture
def coco_layout(fresh):
    """Makes a model directory whose data set is a COCO file and its images."""

    def build(annotations, images):
        folder = next(fresh)
        for place, target in (("annotations/x_t.json", annotations), ("images/t", images)):
            (folder / place).parent.mkdir()
            (folder / place).symlink_to(target)
        (folder / "pose_cfg.yaml").write_text(CONFIG)
        return folder

    return build


COCO_COMMANDS = {
    "pictures": lambda cfg, out: (vis_dataset.main, "--cfg", cfg, "--number", "4", "--out_dir", out),
    "statistics": lambda cfg, out: (pairwise_stats.main, "--cfg", cfg, "--out", out / "stats.mat"),
    "predict": lambda cfg, out: (predict_multiperson.main, "--cfg", cfg, "--snapshot", "none", "--out_dir", out),
}


@pytest.mark.parametrize("command", COCO_COMMANDS.values(), ids=COCO_COMMANDS)
def test_coco_data_sets(command, broken_files, status_of, fresh, coco_layout):
    for file in all_there(broken_files.coco) if command is COCO_COMMANDS["statistics"] else broken_files.coco:
        folder, out = coco_layout(file.path, file.images), next(fresh)
        status, messages = status_of(*command(folder / "pose_cfg.yaml", out))
        # Messages name the link.
        check(file.path, file.expected, out, (status, messages.replace("x_t.json", file.path.name)))


@pytest.mark.parametrize("main", [train.main, train_pairwise.main, make_mosaics.main, cache_scoremaps.main])
def test_coco_data_sets_for_training(main, broken_files, status_of, fresh, coco_layout, monkeypatch):
    for file in broken_files.coco:
        if file.expected == ERROR:
            folder = coco_layout(file.path, file.images)
            monkeypatch.chdir(folder)
            before = sorted(folder.rglob("*"))
            needs_weights = main in (train_pairwise.main, cache_scoremaps.main)
            status, messages = status_of(main, *["--snapshot", "none"] * needs_weights)
            check(file.path, ERROR, next(fresh), (status, messages.replace("x_t.json", file.path.name)))
            assert sorted(folder.rglob("*")) == before


def test_coco_annotations_back_to_aic(broken_files, status_of, fresh):
    for file in all_there(broken_files.coco):
        out = next(fresh)
        done = status_of(coco2aic.main, "--coco_json", file.path, "--out", out / "aic.json")
        # A crowd is no fault, but AI Challenger has no crowds.
        check(file.path, SKIP if "crowd" in file.path.name else file.expected, out, done)


def test_coco_score(broken_files, status_of, fresh, tmp_path):
    true = json.loads(broken_files.good_coco.read_text())["annotations"]
    results = [{key: person[key] for key in ("image_id", "category_id", "keypoints")} | {"score": 1} for person in true]
    (tmp_path / "results.json").write_text(json.dumps(results))
    for file in all_there(broken_files.coco):
        done = status_of(eval_mscoco.main, "--submit", tmp_path / "results.json", "--ref", file.path)
        check(file.path, file.expected, next(fresh), done)


def image_record(image):
    """An AIC record of a person in one of the images, which have at least 64x8 pixels, but for one of one pixel."""
    keypoints = [x for joint in range(14) for x in (4 + 4 * joint, joint % 8, 1)]
    return aic_record(image.stem, {"human1": keypoints}, [0, 0, 60, 8])


def multiperson(folder, images, out):
    return predict_multiperson.main, "--cfg", DEMO, "--images", *images, "--out_dir", out


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
    """Pictures of what training gets."""
    (folder / "images").mkdir()
    (folder / "images/t").symlink_to(images[0].parent)
    people = [{"image_id": number, "keypoints": [5, 5, 2] * 17} for number in range(len(images))]
    write_coco(folder, "t", coco_document([{"file_name": image.name} for image in images], people))
    (folder / "pose_cfg.yaml").write_text(CONFIG.replace("dataset_ann: x\n", ""))
    return vis_dataset.main, "--cfg", folder / "pose_cfg.yaml", "--number", 2 * len(images), "--out_dir", out


@pytest.mark.parametrize("command", [multiperson, demo, single_demo, boxes, crops, training])
def test_images_that_are_decoded(command, broken_files, status_of, fresh):
    """Each image alone, and beside a good one."""
    for file in broken_files.images:
        if command is crops and file.size == (1, 1):
            continue  # nobody can be cut out of one pixel
        out = next(fresh)
        check(file.path, file.expected, out, status_of(*command(next(fresh), [file.path], out)))
        if file.expected == ERROR:
            done = status_of(*command(next(fresh), [file.path, broken_files.good_image], next(fresh)))
            check(file.path, SKIP, out, done)


def test_images_whose_headers_are_read(broken_files, status_of, fresh):
    for file in broken_files.images:
        folder, out = next(fresh), next(fresh)
        (folder / "aic.json").write_text(json.dumps([image_record(file.path)]))
        command = AIC_COMMANDS["convert"](folder / "aic.json", file.path.parent, out)
        status, messages = status_of(*command)
        # A cut-off JPEG has its header.
        expected = ACCEPT if "truncated" in file.path.name else file.expected
        check(file.path, expected, out, (status, messages.replace("aic.json", file.path.name)))
        if file.expected == ACCEPT:
            (image,) = json.loads((out / "coco.json").read_text())["images"]
            assert (image["height"], image["width"]) == file.size, file.path
