"""What a checkpoint holds, and what fits a network."""

import numpy as np
import pytest

from config import make_config
from dataset.model_spec import from_config
from nnet import checkpoint
from nnet.net_factory import pose_net
from tools.inspect_checkpoint import contents_table, group_of, main
from util.errors import InputError


@pytest.fixture(scope="module")
def folder(tiny_resnet, tmp_path_factory):
    """A small network's configuration, its weights, and those of its backbone."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "pose_cfg.yaml").write_text("num_joints: 3\nnet_type: resnet_18\nlocation_refinement: true\n")
    cfg = make_config(num_joints=3, net_type="resnet_18", location_refinement=True)
    net = pose_net(cfg, from_config(cfg))
    arrays = {name: np.zeros(var.shape, np.float32) for name, var in net.slim_variables().items()}
    checkpoint.write_checkpoint(folder / "whole", arrays | {"pose/part_pred/block4/biases/Momentum": np.zeros(3, "f")})
    backbone = {name: value for name, value in arrays.items() if not name.startswith("pose/")}
    checkpoint.write_checkpoint(folder / "backbone", backbone)
    checkpoint.write_checkpoint(folder / "half", dict(list(backbone.items())[:20]))
    return folder


@pytest.mark.parametrize("name, group", [
    ("resnet_v1_50/block1/unit_1/bottleneck_v1/conv1/weights", "backbone resnet_v1_50"),
    ("resnet_v1_50/logits/weights", "ImageNet's classifier (left aside)"),
    ("pose/part_pred/block4/biases", "head part_pred"),
    ("pose/part_pred/block4/biases/Momentum", "optimizer"),
    ("resnet_v1_50/conv1/weights/ExponentialMovingAverage", "moving averages of weights"),
    ("global_step", "other"),
])  # fmt: skip
def test_variables_are_grouped_by_their_use(name, group):
    assert group_of(name) == group


def test_contents_are_counted():
    rows = contents_table({"net/a": (2, 3), "net/b": (4,), "global_step": ()}).splitlines()[2:]
    assert [row.split() for row in rows] == [["backbone", "net", "2", "10"], ["other", "1", "1"]]


@pytest.mark.parametrize(
    ("name", "options", "status", "texts"),
    [
        ("whole", [], 0, ["joints: 3", "49 of the network's 49", "start from it: yes\n", "predict: yes"]),
        ("whole", ["--set", "num_joints=4"], 0, ["of another shape: 4", "is (3,) there and (4,) here",
                                        "yes, but for the heads locref_pred, part_pred", "predict: no"]),
        ("backbone", [], 0, ["heads: none", "missing there: 4", "yes, but for the heads", "predict: no"]),
        ("half", [], 1, ["20 of the network's 49", "  ...", "start from it: no", "predict: no"]),
    ],
)  # fmt: skip
def test_what_fits_the_network_is_told(folder, capsys, name, options, status, texts):
    assert main([str(folder / name), "--cfg", str(folder / "pose_cfg.yaml"), *options]) == status
    out = capsys.readouterr().out
    assert all(text in out for text in texts), out


def test_without_a_configuration_nothing_is_said_of_a_network(folder, capsys):
    assert main([str(folder / "whole")]) == 0
    assert "fit" not in capsys.readouterr().out


@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001", ".meta"])
def test_a_checkpoint_by_the_name_of_one_of_its_files(folder, suffix, capsys):
    main([f"{folder / 'whole'}{suffix}"])
    assert "joints: 3" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["nothing", "nothing.index", "pose_cfg.yaml", ""])
def test_what_is_no_checkpoint_is_an_error(folder, name):
    with pytest.raises(InputError, match="no such checkpoint|not a readable checkpoint"):
        main([str(folder / name)])
