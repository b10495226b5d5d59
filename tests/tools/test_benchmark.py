"""The benchmarks run and measure what they name; perfect maps give the people back."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from easydict import EasyDict

from config import make_config
from dataset.skeleton import AIC
from dataset.toy import make_scenes, record
from multiperson.predict import named_joints, predict_people
from multiperson.simulate import NOISE_LEVELS, simulate_maps
from tests.annotations import aic_record
from tests.drawn import STANDING, assert_people_drawn
from tests.rounding import rounding
from tools.benchmark import main
from tools.benchmarks.decode import STRIDE, crowd_maps, decode_stages, learnt_model
from tools.benchmarks.everything import run_all
from tools.benchmarks.grouping import draw_misses, simulated_image
from tools.benchmarks.tables import Table, with_ratios
from tools.benchmarks.train import batch_table, data_table, drawn_data, step_stages
from util.errors import InputError

pytestmark = pytest.mark.usefixtures("tiny_resnet")


@pytest.fixture
def table(capsys):
    """The rows, in words, of the table that a benchmark prints."""

    def run(*arguments):
        main(list(map(str, arguments)))
        return [line.split() for line in capsys.readouterr().out.splitlines()[3:]]

    return run


def written_records(folder, number=4, people=2):
    scenes = make_scenes(0, (people, people), (640, 480))
    records = [record(next(scenes), (640, 480), f"image{k}") for k in range(number)]
    path = folder / "annotations.json"
    path.write_text(json.dumps(records))
    return path


def test_grouping_scores_every_method_at_every_level_of_noise(tmp_path, table):
    ref = written_records(tmp_path)
    rows = table("grouping", "--ref", ref, "--images", 3)
    assert [row[0] for row in rows] == [level for level in NOISE_LEVELS for _ in range(4)]
    methods = {"multicut", "multicut, edges between all parts", "multicut, missing joints filled", "greedy"}
    assert {" ".join(row[1:-3]) for row in rows} == methods
    scores = [float(row[-3]) for row in rows]
    assert min(scores[:4]) > 0.95 and scores[0] > scores[12]


def test_misses_are_drawn_beside_the_true_people(tmp_path):
    person = np.column_stack([STANDING + [40, 30], np.ones(14)])
    far = person + [60, 20, 0]
    truth, answer = (aic_record(keypoints={"human1": joints.astype(int).ravel().tolist()}) for joints in (person, far))
    draw_misses(tmp_path, [("a", person[None], 260, 320)], [truth], [answer])
    people = [{"keypoints": named_joints(AIC.keypoints, joints)} for joints in (person, far + [320, 0, 0])]
    assert_people_drawn(tmp_path / "a.png", np.full((260, 640, 3), 255, np.uint8), people, ids=[0, 1])


def test_conversion_counts_images(table):
    rows = table("convert", "--images", 40)
    assert [row[-5] for row in rows] == ["40", "40"] and all(int(row[-1]) > 0 for row in rows)


def test_evaluation_counts_images_and_people(table):
    (row,) = table("evaluate", "--images", 20)
    assert row[0] == "20" and 20 <= int(row[1]) < 80


def test_decoding_has_a_time_for_each_stage(table):
    rows = table("decode", "--detections", 20, "--repeat", 2)
    assert [row[0] for row in rows] == ["NMS", "detections", "graph", "solver", "people", "maps"]


def test_decode_measures_a_crowd_that_is_found():
    cfg, model, maps = crowd_maps(40)
    (detections, edges, people), stages = decode_stages(cfg, model, maps)
    assert detections >= 40 and edges > detections and people >= 3
    assert len(stages[-1]().score) == people


def test_networks_are_measured_in_every_precision(table):
    rows = table("network", "--net_types", "resnet_18", "--size", 64, 48, "--repeat", 1)
    assert [row[1] for row in rows if row and row[0] == "resnet_18,"] == ["float32", "bfloat16", "bfloat16"]
    changes = [float(value) for value in rows[-1][2:]]
    assert len(changes) == 3 and 0 < changes[0] < rounding(1, layers=18, precision="bfloat16") and min(changes) > 0


def test_the_demo_is_measured(table):
    values = [float(row[-1]) for row in table("demo", "--images", 2, "--repeat", 1)]
    assert len(values) == 6 and min(values) > 0


def test_greedy_groups_easy_people_as_the_multicut_does():
    scene = next(make_scenes(1, (2, 2), (640, 480)))
    people = np.concatenate([scene.joints, scene.flags[..., None] < 3], axis=2)
    cfg = make_config(sparse_graph="skeleton")
    model = learnt_model(cfg, AIC, [(people, 480, 640)], NOISE_LEVELS["low"])
    maps = simulate_maps(people, 480, 640, STRIDE)
    greedy, multicut = (predict_people(model, EasyDict(cfg, solver=solver), maps) for solver in ("greedy", "fast"))
    by_place = [found.keypoints[np.argsort(found.keypoints[:, 13, 0])] for found in (greedy, multicut)]
    np.testing.assert_allclose(*by_place)


def test_a_simulated_image_holds_everybody():
    person = SimpleNamespace(keypoints=[100, 50, 1] * 13 + [0, 0, 3], box=[10, 20, 300, 200])
    image_id, people, height, width = simulated_image(SimpleNamespace(image_id="a", people=[person]))
    assert image_id == "a" and people.shape == (1, 14, 3) and people[0, 13, 2] == 0
    assert height >= 200 and width >= 300


def test_the_start_of_a_training_is_measured(table):
    (row,) = table("startup", "--images", 40)
    assert row[0] == "40" and 40 <= int(row[1]) < 160 and int(row[-1]) > 0


def test_training_is_measured_from_the_image_to_the_step(tmp_path):
    small = ["net_type=resnet_18", "intermediate_supervision=false", "global_scale=0.2", "precision=float32"]
    path = drawn_data(tmp_path)
    assert [row[0] for row in data_table(path, small, 1).rows] == ["reading the image", "the whole sample, mirrored"]
    # 128x96 pixels each, which need no padding.
    rows = batch_table(path, [*small, "scale_jitter_lo=1", "scale_jitter_up=1"], [1, 4]).rows
    assert rows == [[1, 1, "0.0 %"], [4, 1, "0.0 %"]]
    name, (targets, forward, step, rate, _) = step_stages(path, [*small, "batch_size=2"], 1)
    assert name == "resnet_18, 2 of 128x96, float32"
    assert min(targets, forward, step) > 0 and rate == 2 / step


def test_labels_of_limited_accuracy_limit_the_score(tmp_path, table):
    rows = table("labels", "--ref", written_records(tmp_path), "--noise", 0, 0.03, 0.06)
    assert [float(row[0]) for row in rows] == [0, 0.03, 0.06] and rows[1][1] == "5.0"
    for score in np.array([row[-2:] for row in rows], float).T:
        assert score[0] == 1 and score[0] > score[1] > score[2]


def test_eight_bits_are_a_smaller_file_with_nearly_the_same_maps(table):
    rows = table("tflite", "--net_types", "resnet_18", "--size", 160, 128, "--repeat", 1)
    plain, small = ([float(value) for value in row[-3:]] for row in rows)
    assert small[0] < plain[0] / 3
    # Eight bits have steps of 2**-8; the roundings of several layers add up to a few of them.
    assert plain[1] < rounding(9 * 512, layers=18) < small[1] and plain[2] < small[2] < 4 * 2**-8


def test_the_solver_is_compared_with_the_original(table):
    rows = table("multicut", "--instances", "hard_inst0", "--repeat", 1)
    assert [row[0] for row in rows] == [f"hard_inst{k:02}" for k in range(10)]
    assert all(float(row[-2]) <= 0 for row in rows), "no objective is above the original's"
    assert [int(row[1]) for row in rows[:2]] == [11, 12] and all(np.isfinite(float(row[4])) for row in rows)


def run_page(folder, seconds, reference=None):
    """The page of one benchmark that finds this number of seconds."""
    args = SimpleNamespace(out=folder / "page.md", reference=reference, ref=None, only=["evaluate"])
    run_all(args, lambda command: [Table(command[0], ["images", "seconds"], [[20, seconds]])])
    return args.out


def test_all_writes_a_page_and_the_run_that_another_is_compared_with(tmp_path, capsys):
    page = run_page(tmp_path, 2.0)
    end = "`python tools/benchmark.py evaluate`\n\nevaluate\n\n| images | seconds |\n| --- | --- |\n| 20 | 2 |\n"
    assert page.read_text().endswith(end)
    capsys.readouterr()
    run_page(tmp_path, 3.0, page.with_suffix(".json"))
    assert "3 (x1.50)" in capsys.readouterr().out


def test_ratios_follow_the_numbers_of_equal_rows():
    old = Table("t", ["", "seconds", "images"], [["a", "0.50 (0.40)", 4], ["b", 1.0, 2]])
    new = Table("t", ["", "seconds", "images"], [["a", "0.25 (0.20)", 4], ["c", 1.0, 2]])
    assert with_ratios(new, old).rows == [["a", "0.25 (0.20) (x0.50)", "4 (x1.00)"], ["c", 1.0, 2]]
    assert with_ratios(new, old._replace(header=["", "ms", "images"])) is new


@pytest.mark.parametrize("content", ["[]", '{"tables": {"demo": [[1]]}}', '{"tables": 3}'])
def test_a_reference_that_is_no_run_is_refused(tmp_path, content):
    path = tmp_path / "run.json"
    path.write_text(content)
    with pytest.raises(InputError, match="not a run"):
        main(["all", "--only", "evaluate", "--reference", str(path)])


@pytest.mark.parametrize(("only", "message"), [("demos", "demos is not on the page"), ("grouping", "need annotations")])
def test_benchmarks_that_cannot_run_are_refused(tmp_path, only, message):
    with pytest.raises(InputError, match=message):
        main(["all", "--only", only, "--out", str(tmp_path / "page.md")])
