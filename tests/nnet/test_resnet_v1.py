"""Strides and widths of ResNet-18; tests/nnet/test_pose_net.py compares the others with the original."""

import keras

from nnet.resnet_v1 import UNITS, pyramid_levels, resnet_v1


def test_strides_and_convolutions_of_resnet_18():
    image = keras.Input((70, 90, 3))
    outputs = resnet_v1(image, 18, dtype="float32")
    assert len(outputs) == sum(UNITS[18]) + 1
    for stride, name in pyramid_levels(18).items():
        assert outputs[name].shape[1:3] == (-(-70 // stride), -(-90 // stride))
    assert outputs["features"].shape[1:] == (5, 6, 256)
    scopes = [layer.scope for layer in keras.Model(image, outputs["features"]).layers if hasattr(layer, "scope")]
    assert sum("shortcut" not in scope for scope in scopes) == 17  # the 18th is the classifier
