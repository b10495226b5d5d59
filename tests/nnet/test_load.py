"""Models from Python."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from config import load_config
from multiperson import load_model
from nnet.load import find_weights
from util.errors import InputError

ROOT = Path(__file__).parents[2]


def test_the_example_of_the_readme_runs(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    exec(example, {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and all("confidence" in line for line in lines)


def test_a_single_person_network_is_refused():
    with pytest.raises(InputError, match="pairwise_predict is off.*build_single_estimator"):
        load_model(ROOT / "models" / "mpii" / "test")


def test_missing_pairwise_models_are_named(tmp_path):
    with pytest.raises(InputError, match=r"spatial_model_cidx_1_2\.mat: no such file; tools/train_pairwise\.py"):
        load_model(ROOT / "models" / "demo", {"pairwise_model_dir": str(tmp_path)})


def test_the_newest_snapshot_wins_over_init_weights(tmp_path):
    (tmp_path / "pose_cfg.yaml").write_text("num_joints: 2\ninit_weights: start")
    cfg = load_config(tmp_path / "pose_cfg.yaml")
    assert find_weights(cfg) == str(tmp_path / "start")
    for suffix in (".index", ".data-00000-of-00001"):
        (tmp_path / f"snapshot-30{suffix}").touch()
    assert find_weights(cfg) == str(tmp_path / "snapshot-30")


def test_weights_named_over_the_yaml_win_over_all(tmp_path):
    (tmp_path / "pose_cfg.yaml").write_text("num_joints: 2\ninit_weights: start")
    for suffix in (".index", ".data-00000-of-00001"):
        (tmp_path / f"snapshot-30{suffix}").touch()
    assert find_weights(load_config(tmp_path / "pose_cfg.yaml", ["init_weights=other"])) == str(tmp_path / "other")


def test_without_weights_one_learns_what_to_do(tmp_path):
    (tmp_path / "pose_cfg.yaml").write_text("num_joints: 2")
    with pytest.raises(InputError, match=r"train first \(train\.py\), or name weights \(init_weights=\.\.\.\)"):
        find_weights(load_config(tmp_path / "pose_cfg.yaml"))


def test_nothing_but_a_network_imports_tensorflow():
    code = """
import sys
import nnet.load
from config import load_config
from multiperson import load_model
cfg = nnet.load.load_config("models/demo/pose_cfg.yaml", ["cached_scoremaps=x"])
nnet.load.build_estimator(cfg)
assert not {"tensorflow", "keras"} & sys.modules.keys()
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
