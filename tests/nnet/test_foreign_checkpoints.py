"""Files with the names and shapes of pose-tensorflow and DeepLabCut, and what is loaded from them."""

import numpy as np
import pytest
import tensorflow as tf

from nnet import checkpoint
from nnet.pose_net import PoseNet
from tests.nnet.described import described

UNITS = {50: (3, 4, 6, 3), 152: (3, 8, 36, 3)}
BATCH_NORM = "beta", "gamma", "moving_mean", "moving_variance"


def backbone(depth):
    """Slim's names and shapes of ResNet v1."""
    root = f"resnet_v1_{depth}"
    shapes = {}

    def convolution(name, *shape):
        shapes[f"{root}/{name}/weights"] = shape
        shapes.update({f"{root}/{name}/BatchNorm/{moment}": shape[-1:] for moment in BATCH_NORM})

    convolution("conv1", 7, 7, 3, 64)
    size = 64
    for block, units in enumerate(UNITS[depth], start=1):
        width = 32 * 2**block
        for unit in range(1, units + 1):
            name = f"block{block}/unit_{unit}/bottleneck_v1"
            if unit == 1:
                convolution(f"{name}/shortcut", 1, 1, size, 4 * width)
            convolution(f"{name}/conv1", 1, 1, size, width)
            convolution(f"{name}/conv2", 3, 3, width, width)
            convolution(f"{name}/conv3", 1, 1, width, 4 * width)
            size = 4 * width
    return shapes


def heads(joints, pairwise):
    """The names and shapes of the heads; transposed convolutions have their input last."""
    channels = {
        "part_pred": (joints, 2048),
        "locref_pred": (2 * joints, 2048),
        "intermediate_supervision": (joints, 1024),
    }
    if pairwise:
        channels["pairwise_pred"] = 2 * joints * (joints - 1), 2048
    weights = {f"pose/{head}/block4/weights": (3, 3, *size) for head, size in channels.items()}
    return weights | {f"pose/{head}/block4/biases": size[:1] for head, size in channels.items()}


def arrays(shapes):
    """Each array has a value of its own."""
    return {name: np.full(shape, number / 1000, np.float32) for number, (name, shape) in enumerate(shapes.items())}


def variables_of(joints, depth=50, pairwise=False):
    model = described(
        pairwise,
        num_joints=joints,
        net_type=f"resnet_{depth}",
        location_refinement=True,
        intermediate_supervision=True,
        intermediate_supervision_layer=6,
    )
    return PoseNet(*model).slim_variables()


@pytest.fixture(scope="module")
def variables():
    """The variables of a single-person network with MPII's 14 joints."""
    return variables_of(14)


def test_names_and_shapes_of_the_deepest_network():
    """tests/nnet/test_pose_net.py compares the others with those of the original."""
    variables = variables_of(17, 152, pairwise=True)
    assert {name: tuple(var.shape) for name, var in variables.items()} == backbone(152) | heads(17, pairwise=True)


def test_imagenet_weights_are_read_from_the_old_single_file(tmp_path, variables, caplog):
    classifier = {
        "resnet_v1_50/logits/weights": (1, 1, 2048, 1000),
        "resnet_v1_50/logits/biases": (1000,),
        "resnet_v1_50/mean_rgb": (3,),
    }
    content = arrays(backbone(50) | classifier)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name, value in content.items():
            tf.compat.v1.get_variable(name, value.shape, initializer=tf.compat.v1.zeros_initializer())
        session.run([tf.compat.v1.assign(var, content[var.op.name]) for var in tf.compat.v1.global_variables()])
        saver = tf.compat.v1.train.Saver(write_version=tf.compat.v1.train.SaverDef.V1)
        saver.save(session, str(tmp_path / "resnet_v1_50.ckpt"), write_meta_graph=False)
    with caplog.at_level("INFO"):
        checkpoint.initialize(variables, tmp_path / "resnet_v1_50.ckpt")
    assert "265 of 271 variables loaded; heads that start at random: intermediate_supervision, locref" in caplog.text
    for name in backbone(50):
        assert (variables[name].numpy() == content[name].flat[0]).all(), name


@pytest.mark.parametrize(
    ("joints", "pairwise", "random"),
    [
        (14, False, None),  # mpii-single, or DeepLabCut with 14 body parts
        (17, True, "intermediate_supervision, locref_pred, part_pred"),  # coco; DeepLabCut with other body parts
    ],
)
def test_published_models_are_read_and_heads_that_fit_kept(tmp_path, variables, caplog, joints, pairwise, random):
    model = backbone(50) | heads(joints, pairwise)
    slots = {f"{name}/Momentum": shape for name, shape in model.items() if "moving" not in name and len(shape) == 1}
    content = arrays(model | slots) | {"global_step": np.int64(1030000)}
    checkpoint.write_checkpoint(tmp_path / "snapshot-1030000", content)
    with caplog.at_level("INFO"):
        checkpoint.initialize(variables, tmp_path / "snapshot-1030000")
    assert ("random" not in caplog.text) if random is None else f"random: {random}" in caplog.text
    taken = [name for name in variables if random is None or not name.startswith("pose/")]
    assert all((variables[name].numpy() == content[name].flat[0]).all() for name in taken)
