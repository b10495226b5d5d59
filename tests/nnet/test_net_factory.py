"""The arithmetic of a network."""

import numpy as np

from config import make_config
from nnet.net_factory import pose_net
from nnet.pose_net import PoseNet


def test_weights_and_maps_are_float32_in_any_arithmetic():
    net = pose_net(make_config(num_joints=2, net_type="resnet_18"), "bfloat16")
    assert isinstance(net, PoseNet)
    image = np.zeros((1, 32, 32, 3), np.uint8)
    assert net.features(image)["features"].dtype == "bfloat16"
    assert {variable.dtype for variable in net.slim_variables().values()} == {"float32"}
    assert net(image)["part_pred"].dtype == "float32"
