"""The configuration: defaults, files, overrides, and how mistakes are told."""

from pathlib import Path

import pytest

from config import KEYS, WITHOUT_EFFECT, load_config, make_config, require, settings
from util.errors import InputError

MODELS = Path(__file__).parents[1] / "models"


@pytest.fixture
def write(tmp_path):
    def write_yaml(text, name="pose_cfg.yaml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write_yaml


def test_defaults_of_pose_tensorflow(write):
    cfg = load_config(write("num_joints: 3"))
    expected = {"weigh_part_predictions": False, "weigh_negatives": False, "fg_fraction": 0.25,
                "mean_pixel": [123.68, 116.779, 103.939], "shuffle": True, "snapshot_prefix": "snapshot",
                "log_dir": "log", "global_scale": 1, "location_refinement": False, "locref_stdev": 7.2801,
                "locref_loss_weight": 1, "locref_huber_loss": True, "optimizer": "sgd",
                "intermediate_supervision_layer": 12, "regularize": False, "weight_decay": 0.0001, "mirror": False,
                "crop": False, "crop_pad": 0, "scoremap_dir": "test", "dataset": "", "dataset_type": "default",
                "use_gt_segm": False, "batch_size": 1, "sparse_graph": [], "pairwise_predict": False,
                "pairwise_huber_loss": True, "pairwise_loss_weight": 1, "tensorflow_pairwise_order": True}  # fmt: skip
    assert {key: cfg[key] for key in expected} == expected


def test_keys_on_the_command_line_are_noted(write):
    cfg = load_config(write("num_joints: 3\nseed: 2"), ["init_weights=w", "seed=1"])
    assert cfg.overridden == ["init_weights", "seed"]


@pytest.mark.parametrize("suffix", ["", ".index", ".meta", ".data-00000-of-00001"])
def test_a_checkpoint_may_go_by_the_name_of_any_of_its_files(write, suffix):
    cfg = load_config(write("num_joints: 3"), [f"init_weights=w.ckpt{suffix}"])
    assert Path(cfg.init_weights).name == "w.ckpt"


def test_a_tilde_in_paths_is_the_home_folder(write, monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    cfg = load_config(write("num_joints: 3\ndataset: ~/coco\nlog_dir: ~/log"), ["init_weights=~/w"])
    assert [cfg.dataset, cfg.log_dir, cfg.init_weights] == [f"/home/somebody/{name}" for name in ("coco", "log", "w")]


def test_settings_do_not_depend_on_paths(write):
    here, there = (settings(load_config(write("num_joints: 3"), [f"dataset={place}", "stride=8"])) for place in "ab")
    assert here == there and here["num_joints"] == 3
    here, there = (settings(make_config(mixture=[{"dataset": place, "weight": 2}])) for place in "ab")
    assert here == there and here["mixture"] == [{"weight": 2.0}]


def test_every_load_is_fresh(write):
    path = write("num_joints: 3")
    load_config(path).mean_pixel.append(1)
    assert len(load_config(path).mean_pixel) == 3


def test_overrides_win_and_are_yaml(write):
    cfg = load_config(write("num_joints: 3\nbatch_size: 2"), ["batch_size=4", "multi_step=[[1e-3, 10]]", "dataset="])
    assert cfg.batch_size == 4 and cfg.multi_step == [[0.001, 10]] and cfg.dataset == ""


def test_paths_begin_at_the_file_or_else_at_the_current_directory(write, tmp_path, monkeypatch):
    path = write("dataset: data\ninit_weights: w\npairwise_stats_fn: stats.mat")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "w.index").touch()
    (tmp_path / "stats.mat").touch()
    (elsewhere / "stats.mat").touch()
    monkeypatch.chdir(elsewhere)
    cfg = load_config(path)
    assert cfg.dataset == str(tmp_path / "data")
    assert cfg.init_weights == "w"
    assert cfg.pairwise_stats_fn == str(tmp_path / "stats.mat")


def test_pose_param_path_names_another_directory(write, monkeypatch):
    monkeypatch.setenv("POSE_PARAM_PATH", str(write("num_joints: 7").parent))
    assert load_config().num_joints == 7


def test_joints_are_counted_from_their_groups(write):
    assert load_config(write("all_joints: [[0, 2], [1]]")).num_joints == 3


@pytest.mark.parametrize("text, message", [
    ("bach_size: 3", r"unknown key 'bach_size' \(did you mean batch_size\?\)"),
    ("batch_size: two", "batch_size: expected a whole number from 1 to 10000, found 'two'"),
    ("batch_size: 0", "batch_size: expected a whole number from 1 to 10000, found 0"),
    ("mirror: 1", "mirror: expected true or false, found 1"),
    ("mosaic: 0.5", "mosaic needs crop_size"),
    ("crop_size: 100", "crop_size: expected a multiple of 16"),
    ("background_weight: 0.5", "background_weight needs weigh_part_predictions"),
    ("net_type: resnet_19", "net_type: expected one of resnet_18"),
    ("global_scale: .nan", "global_scale: expected a number from 0.01 to 100"),
    ("multi_step: [[0.1, 20], [0.2, 10]]", "multi_step: expected .* with growing steps"),
    ("num_joints: 2\nall_joints: [[0], [1], [2]]", "num_joints is 2, but all_joints has 3"),
    ("all_joints: [[0], [2]]", "every joint id from 0 on exactly once"),
    ("sparse_graph: skeletons", "sparse_graph: expected skeleton, or a list of pairs"),
    ("skeleton: 5", "skeleton: expected a table of joints, pairs and limbs, or a path"),
    ("skeleton: {joints: 3}", "skeleton: 'joints' must be a list of names, found 3"),
    ("skeleton: {joints: [a, b]}\nnum_joints: 3", "num_joints is 3, but the skeleton own in .* has 2 joints"),
    ("skeleton: neckheat", "skeleton: 'neckheat' is neither one of aic, coco, mpii, neckhead nor a YAML file"),
    ("scale_jitter_lo: 2", "scale_jitter_lo 2.0 is above scale_jitter_up 1.0"),
    ("tta: [flop]", "tta: expected a list of views, each flip, or a number from 0.1 to 10"),
    ("tta: [flip, 0]", "tta: expected a list of views"),
    ("- a\n- b", "expected lines of 'key: value', found \\['a', 'b'\\]"),
    ("a: [", "line"),
    ("mirror: true\nseed: 1\nmirror: false", "line 3, column 1: .*: mirror stands twice, first in line 1"),
    ("lr_init: 1\nmulti_stage: false", "unknown keys 'lr_init', 'multi_stage'; tools/deeplabcut2cfg.py takes"),
    ("bach_size: 3\nnonsense_: 1", r"unknown keys 'bach_size' \(did you mean batch_size\?\), 'nonsense_'; config"),
])  # fmt: skip
def test_mistakes_are_named(write, text, message):
    path = write(text)
    with pytest.raises(InputError, match=message) as caught:
        load_config(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_mistakes_on_the_command_line_are_named(write):
    path = write("num_joints: 2")
    with pytest.raises(InputError, match="command line: .*expected key=value"):
        load_config(path, ["batch_size"])
    with pytest.raises(InputError, match="command line: unknown key 'nonsense'"):
        load_config(path, ["nonsense=1"])


def test_a_missing_file_names_the_remedy(tmp_path):
    with pytest.raises(InputError, match="run this in a model directory"):
        load_config(tmp_path / "nothing.yaml")


def test_yaml_cannot_run_code(write):
    with pytest.raises(InputError):
        load_config(write("dataset: !!python/object/apply:os.system ['true']"))


def test_require_names_what_is_missing():
    with pytest.raises(InputError, match="multi_step is missing"):
        require(make_config(num_joints=2), "num_joints", "multi_step")


def test_every_key_is_documented():
    assert all(key.doc for key in (KEYS | WITHOUT_EFFECT).values())


def test_every_default_is_a_value_of_its_key():
    for name, key in (KEYS | WITHOUT_EFFECT).items():
        assert key.default is None or key.kind.check(key.default) == key.default, name


@pytest.mark.parametrize("path", sorted(MODELS.glob("**/pose_cfg.yaml")), ids=lambda path: path.parent.name)
def test_the_model_directories_are_valid(path):
    load_config(path)


def extreme_values():
    """Numbers and texts far from any use."""
    values = {
        "seed": 2**32, "max_input_size": 10**400, "crop_size": 1_600_000, "pos_dist_thresh": 1e30,
        "batch_size": 10**30, "mean_pixel": [1e300] * 3, "locref_stdev": 1e300, "global_scale": 1e-300,
        "num_joints": 10**9, "multi_step": [[0.1, 10**30]], "nms_radius": 1e30, "weight_decay": 1e300,
        "dataset_ann": "a\0b", "snapshot_prefix": "\ud800",
    }  # fmt: skip
    return [pytest.param(key, value, id=key) for key, value in values.items()]


@pytest.mark.parametrize("key, value", extreme_values())
def test_extreme_values_are_refused(key, value):
    with pytest.raises(InputError, match=f"{key}: expected "):
        make_config(**{key: value})


HOSTILE = {
    "no date": ("seed: 2001-99-99", "not usable YAML"),
    "endless number": ("seed: " + "9" * 5000, "not usable YAML"),
    "endless hexadecimal": ("global_scale: 0x" + "f" * 5000, "found a number of thousands of digits"),
    "nesting": ("seed: " + "[" * 3000, "not usable YAML"),
    "control character": ("seed: \0", "not usable YAML: unacceptable character"),
    "contains itself": ("tta: &a [*a]", "recursive"),
    "long list": ("all_joints: [[" + "7, " * 9000 + "7]]", "exactly once, found"),
    "long key": ("x" * 900 + ": 1", "unknown key 'xxx"),
    "many keys": ("\n".join(f"key_{i}: 1" for i in range(900)), "and 870 others"),
}


@pytest.mark.parametrize("text, message", HOSTILE.values(), ids=HOSTILE)
def test_hostile_yaml_is_one_short_line(write, text, message):
    with pytest.raises(InputError, match=message) as error:
        load_config(write(text))
    assert len(str(error.value).splitlines()) == 1 and len(str(error.value)) < 1000


def test_hostile_overrides_are_refused(write):
    with pytest.raises(InputError, match="command line: .*not usable YAML"):
        load_config(write("num_joints: 3"), ["seed=2001-99-99"])


def test_a_mixture_names_its_data_sets(tmp_path):
    (tmp_path / "data").mkdir()
    path = tmp_path / "pose_cfg.yaml"
    path.write_text("mixture: [{dataset: data, global_scale: 2, weight: .5}]")
    assert load_config(path).mixture == [{"dataset": str(tmp_path / "data"), "global_scale": 2.0, "weight": 0.5}]
    for wrong in ("data", "[{global_scale: 2}]", "[{dataset: data, batch_size: 2}]", "[{dataset: data, weight: 0}]"):
        path.write_text(f"mixture: {wrong}")
        with pytest.raises(InputError, match="mixture: expected"):
            load_config(path)
