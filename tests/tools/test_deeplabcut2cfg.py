"""Configurations of DeepLabCut made to fit here."""

import pytest

from config import load_config
from tools.deeplabcut2cfg import main
from util.errors import InputError

# What DeepLabCut 2 writes for a training, without some keys that stay as they are.
TRAIN = """
all_joints: [[0], [1], [2]]
all_joints_names: [snout, leftear, rightear]
apply_prob: 0.5
clahe: true
crop_size: [410, 400]
dataset: training-datasets\\iteration-0\\UnaugmentedDataSet_mouseMay1\\mouse_Ann95shuffle1.mat
dataset_type: imgaug
emboss: {alpha: [0.0, 1.0]}
global_scale: 0.8
init_weights: C:\\weights\\resnet_v1_50.ckpt
location_refinement: true
lr_init: 0.0005
metadataset: training-datasets/iteration-0/UnaugmentedDataSet_mouseMay1/Documentation.pickle
multi_stage: false
multi_step: [[0.005, 10000]]
net_type: resnet_50
num_joints: 3
project_path: C:\\projects\\mouse
rotation: true
snapshot_prefix: C:\\projects\\mouse\\train\\snapshot
stride: 8.0
some_other_key: 3
"""


@pytest.fixture
def source(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train/pose_cfg.yaml").write_text(TRAIN)
    return tmp_path / "train/pose_cfg.yaml"


def test_keys_are_kept_converted_or_left_out(source, tmp_path, capsys):
    main([str(source), "--out", str(tmp_path / "mine/pose_cfg.yaml")])
    cfg = load_config(tmp_path / "mine/pose_cfg.yaml")
    assert (cfg.num_joints, cfg.net_type, cfg.global_scale, cfg.dataset_type) == (3, "resnet_50", 0.8, "default")
    assert (cfg.multi_step, cfg.crop_size, cfg.rotation) == ([[0.005, 10000]], 400, 25)
    assert cfg.dataset.endswith(
        "C:/projects/mouse/training-datasets/iteration-0/UnaugmentedDataSet_mouseMay1/mouse_Ann95shuffle1.mat"
    )
    assert cfg.snapshot_prefix == "snapshot"
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if line.count(" ") > 1)
    assert lines["num_joints"] == "the same" and lines["crop_size"] == "now 400"
    assert lines["lr_init"].startswith("not here: multi_step") and lines["some_other_key"].endswith("left out")


def test_the_trained_snapshot_becomes_the_weights(source, tmp_path):
    for name in ("snapshot-50000.index", "snapshot-50000.data-00000-of-00001", "snapshot-50000.meta"):
        (source.parent / name).touch()
    main([str(source), "--out", str(tmp_path / "mine.yaml")])
    assert load_config(tmp_path / "mine.yaml").init_weights == str(source.parent / "snapshot-50000")


@pytest.mark.parametrize(
    "text, message",
    [("net_type: efficientnet-b0", "net_type: expected one of"), ("- a", "expected lines"), ("a: [", "line 2")],
)
def test_what_cannot_be_converted_is_named(source, tmp_path, text, message):
    source.write_text(text)
    with pytest.raises(InputError, match=f"train/pose_cfg.yaml: .*{message}"):
        main([str(source), "--out", str(tmp_path / "mine.yaml")])
    assert not (tmp_path / "mine.yaml").exists()


def test_the_input_is_not_overwritten(source):
    with pytest.raises(InputError, match="must not be the file"):
        main([str(source), "--out", str(source)])
    assert source.read_text() == TRAIN
