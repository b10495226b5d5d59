"""The names in checkpoints."""

import pytest

from nnet.checkpoint_names import head_of, inference_sources, is_kernel


@pytest.mark.parametrize("name, head, kernel", [
    ("resnet_v1_50/conv1/weights", None, True),
    ("MobilenetV2/expanded_conv/depthwise/depthwise_weights", None, True),
    ("resnet_v1_50/conv1/BatchNorm/gamma", None, False),
    ("pose/part_pred/block4/weights", "part_pred", True),
    ("pose/part_pred/block4/biases", "part_pred", False),
    ("pose/pyramid/join/weights", "pyramid", True),
])  # fmt: skip
def test_names_tell_heads_and_kernels(name, head, kernel):
    assert head_of(name) == head and is_kernel(name) == kernel


def test_inference_takes_averages_and_no_state_of_training():
    names = ["net/a", "net/a/ExponentialMovingAverage", "net/b", "net/b/Momentum", "net/b/Adam", "net/b/Adam_1",
             "pose/intermediate_supervision/block4/biases", "global_step", "optimizer_steps", "validation_score",
             "loss_scale", "loss_scale_good_steps"]  # fmt: skip
    assert inference_sources(names) == {"net/a": "net/a/ExponentialMovingAverage", "net/b": "net/b"}
