"""Networks with a feature pyramid: sizes, names, what is trained, and the pairwise head at cells."""

import numpy as np
import pytest
import tensorflow as tf

from nnet.pose_net import PoseNet
from nnet.pyramid import CHANNELS, DETAIL_CHANNELS, Double
from tests.nnet.described import described
from util.maps import map_size


def network(**values):
    return PoseNet(*described(pairwise=True, num_joints=3, location_refinement=True, **values))


@pytest.fixture(scope="module", params=["resnet_18_fpn", "mobilenet_v2_1.0_fpn", "movenet_fpn"])
def net(request):
    return network(net_type=request.param)


def test_maps_have_a_stride_of_4_whatever_the_size(net):
    image = np.zeros((1, 45, 70, 3), np.uint8)
    heads = net(image)
    rows, cols = map_size(45, 70, stride=4)
    assert (rows, cols) == (12, 18)
    assert {name: tuple(head.shape) for name, head in heads.items()} == {
        "part_pred": (1, rows, cols, 3),
        "locref_pred": (1, rows, cols, 6),
        "pairwise_pred": (1, rows, cols, 12),
    }
    assert net.features(image)["features"].shape == (1, rows // 2, cols // 2, CHANNELS + 4 * DETAIL_CHANNELS)


def test_the_pyramid_has_names_of_its_own_and_trains_on_a_frozen_backbone():
    net = network(net_type="resnet_18_fpn", freeze_backbone=True)
    pyramid = {name for name in net.slim_variables() if name.startswith("pose/pyramid/")}
    assert "pose/pyramid/lateral_16/weights" in pyramid
    assert "pose/pyramid/block_3/project/BatchNorm/moving_mean" in pyramid
    trained = {name for name, variable in net.slim_variables().items() if variable.trainable}
    assert {name.split("/")[1] for name in trained} == {"pyramid", "part_pred", "locref_pred", "pairwise_pred"}
    assert all(layer.train_moments for layer in net.pyramid.layers if hasattr(layer, "train_moments"))


def test_doubling_interpolates_between_the_centres_of_cells():
    row = tf.reshape(tf.constant([0.0, 4.0]), [1, 1, 2, 1])
    np.testing.assert_array_equal(Double()(row)[0, :, :, 0], [[0, 1, 3, 4]] * 2)
