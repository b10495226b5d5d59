"""Models loaded from Python: which weights are taken, and what is told."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from config import load_config, make_config
from dataset.model_spec import from_config, write_spec
from multiperson import load_model
from multiperson.load import FEW_IMAGES, find_checkpoint, find_weights, network_fingerprint, tell_of_another_network
from nnet.lite_file import checkpoint_id, seal
from util.errors import InputError

ROOT = Path(__file__).parents[2]


def test_the_example_of_the_readme_runs(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    exec(example, {})
    lines = capsys.readouterr().out.splitlines()
    assert lines and all("confidence" in line for line in lines)


@pytest.mark.parametrize(("model", "overrides"), [("mpii/test", {}), ("demo", {"pairwise_predict": False})])
def test_a_single_person_network_is_refused(model, overrides):
    with pytest.raises(InputError, match=r"pairwise_predict is off.*load_model\(\.\.\., single_person=True\)"):
        load_model(ROOT / "models" / model, overrides)


@pytest.fixture
def cfg(tmp_path):
    """The configuration of a folder that holds the checkpoint "start"."""
    (tmp_path / "pose_cfg.yaml").write_text("num_joints: 2\ninit_weights: start\nprecision: auto")
    write(tmp_path / "start")
    return load_config(tmp_path / "pose_cfg.yaml")


def write(prefix):
    """Files that look like a checkpoint until they are read."""
    for suffix in (".index", ".data-00000-of-00001"):
        Path(f"{prefix}{suffix}").write_text(prefix.name)


def test_the_newest_snapshot_wins_over_init_weights(cfg, tmp_path):
    assert find_weights(cfg) == find_checkpoint(cfg) == str(tmp_path / "start")
    write(tmp_path / "snapshot-30")
    assert find_weights(cfg) == find_checkpoint(cfg) == str(tmp_path / "snapshot-30")


def test_a_tensorflow_lite_model_replaces_the_checkpoint_it_was_made_from(cfg, tmp_path, caplog):
    start, lite = tmp_path / "start", tmp_path / "start.tflite"
    lite.write_bytes(seal(b"lite", {"checkpoint": checkpoint_id(start), "model": {}}))
    assert find_weights(cfg) == str(lite) and find_checkpoint(cfg) == str(start)
    assert find_weights(type(cfg)(cfg, precision="float32")) == str(start)
    Path(f"{start}.index").write_text("trained on")
    assert find_weights(cfg) == str(start)
    assert "start.tflite: not used, since it was made from another checkpoint" in caplog.text
    caplog.clear()
    Path(f"{start}.index").unlink()  # only the TensorFlow Lite model was copied
    assert find_weights(cfg) == str(lite) and not caplog.text
    lite.write_bytes(lite.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"start.tflite: cut off"):
        find_weights(cfg)


def test_a_model_that_starts_quickly_is_for_few_images(cfg, tmp_path, caplog):
    start, quick = tmp_path / "start", tmp_path / "start.quick.tflite"
    quick.write_bytes(seal(b"lite", {"checkpoint": checkpoint_id(start), "model": {}}))
    assert find_weights(cfg, 1) == find_weights(cfg, FEW_IMAGES) == str(quick)
    assert find_weights(cfg, FEW_IMAGES + 1) == find_weights(cfg) == str(start)
    assert find_weights(type(cfg)(cfg, precision="float32"), 1) == str(start)
    lite = tmp_path / "start.tflite"
    lite.write_bytes(quick.read_bytes())
    assert find_weights(cfg, 1) == str(lite)
    lite.unlink()
    Path(f"{start}.index").write_text("trained on")
    assert find_weights(cfg, 1) == str(start)
    assert "start.quick.tflite: not used" in caplog.text and "tools/export.py --quick_start" in caplog.text


def test_weights_on_the_command_line_win_over_all(cfg, tmp_path):
    write(tmp_path / "snapshot-30")
    assert find_weights(load_config(tmp_path / "pose_cfg.yaml", ["init_weights=other"])) == str(tmp_path / "other")


def test_without_weights_the_remedy_is_named(tmp_path):
    (tmp_path / "pose_cfg.yaml").write_text("num_joints: 2")
    with pytest.raises(InputError, match=r"train first \(train\.py\), or name weights \(init_weights=\.\.\.\)"):
        find_weights(load_config(tmp_path / "pose_cfg.yaml"))


def test_only_networks_import_tensorflow():
    code = """
import sys
from config import load_config
from multiperson.load import find_weights, pairwise_models
from nnet.description import describe
cfg = load_config("models/demo/pose_cfg.yaml")
pairwise_models(cfg, describe(cfg, find_weights(cfg)))
assert not {"tensorflow", "keras"} & sys.modules.keys()
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_pairwise_models_of_another_network_are_told(caplog):
    spec = from_config(make_config(num_joints=2))
    for learnt_from, network in (("one", "one"), ("", "one"), ("two", ""), ("two", "one")):
        model = SimpleNamespace(network=learnt_from, folder="pairwise")
        tell_of_another_network(model, replace(spec, network=network), "weights")
    assert caplog.messages == [
        "pairwise: learnt from another network than weights; models of its own group people better "
        "(tools/train_pairwise.py)"
    ]


def test_the_fingerprint_depends_on_weights_description_and_settings(cfg, tmp_path):
    found = network_fingerprint(cfg, tmp_path / "start")
    values = {"tta": ["flip"], "global_scale": 2.0, "mean_pixel": [0.0, 0.0, 0.0], "nms_radius": 1.0}
    for key, value in values.items():
        changed = network_fingerprint(type(cfg)(cfg, **{key: value}), tmp_path / "start")
        assert (changed == found) == (key == "nms_radius")
    write(tmp_path / "other")
    (tmp_path / "other.index").write_text("other weights")
    assert network_fingerprint(cfg, tmp_path / "other") != found
    for suffix in (".index", ".data-00000-of-00001"):
        (tmp_path / f"copy{suffix}").write_bytes((tmp_path / f"start{suffix}").read_bytes())
    assert network_fingerprint(cfg, tmp_path / "copy.index") == found
    spec = from_config(cfg)
    for changes, same in (({"network": "one"}, True), ({"locref_stdev": 9.0}, False)):
        write_spec(tmp_path / "model.yaml", replace(spec, **changes))
        assert (network_fingerprint(cfg, tmp_path / "start") == found) == same
