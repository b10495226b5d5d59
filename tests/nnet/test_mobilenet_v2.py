"""Names, widths and strides of MobileNet v2."""

import keras
import pytest

from nnet.layers import ConvBN
from nnet.mobilenet_v2 import LEVELS, mobilenet_v2

IMAGE = keras.Input((64, 96, 3))


def shapes_of(outputs):
    variables = {}
    for layer in keras.Model(IMAGE, outputs["features"]).layers:
        if isinstance(layer, ConvBN):
            variables |= {name: tuple(variable.shape) for name, variable in layer.slim_variables().items()}
    return variables


def test_variables_have_slims_names_and_shapes():
    shapes = shapes_of(mobilenet_v2(IMAGE, 1.0))
    assert "MobilenetV2/expanded_conv/depthwise/depthwise_weights" in shapes
    assert "MobilenetV2/expanded_conv/expand/weights" not in shapes
    assert shapes["MobilenetV2/expanded_conv_16/project/weights"] == (1, 1, 960, 320)
    assert shapes["MobilenetV2/Conv_1/weights"] == (1, 1, 320, 1280)
    assert len(shapes) == 52 * 5


@pytest.mark.parametrize("output_stride", [16, 32])
def test_layers_have_the_strides_that_a_pyramid_takes(output_stride):
    outputs = mobilenet_v2(IMAGE, 0.35, output_stride)
    for stride, name in LEVELS.items():
        assert outputs[name].shape[1:3] == (64 // stride, 96 // stride)
    assert outputs["features"].shape[1:] == (64 // output_stride, 96 // output_stride, 1280)
    # Slim's rule: multiples of 8, none of them much narrower than asked for.
    assert [outputs[f"layer_{number}"].shape[-1] for number in (1, 2, 3, 18)] == [16, 8, 8, 112]
