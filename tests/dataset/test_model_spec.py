"""What a model is, by YAML and statistics."""

import pytest

from config import make_config
from dataset.model_spec import from_config
from dataset.skeleton import AIC
from util.errors import InputError


def test_the_stride_follows_the_network():
    for net_type, stride in ("resnet_18", 8), ("resnet_18_fpn", 4), ("movenet_fpn", 4):
        assert from_config(make_config(net_type=net_type), AIC).stride == stride
    with pytest.raises(InputError, match="stride is 8, but the maps of resnet_18_fpn have 4"):
        from_config(make_config(net_type="resnet_18_fpn", stride=8), AIC)


def test_a_single_joint_has_no_pairs():
    with pytest.raises(InputError, match="a single joint has no offsets to others"):
        from_config(make_config(num_joints=1, pairwise_predict=True))


def test_heads_are_those_that_are_asked_for():
    spec = from_config(make_config(location_refinement=True, intermediate_supervision=True), AIC)
    assert spec.heads == {"part_pred": 14, "locref_pred": 28, "intermediate_supervision": 14}
    assert from_config(make_config(), AIC).heads == {"part_pred": 14}


def test_what_says_nothing_is_the_mean_pixel():
    assert from_config(make_config(), AIC).fill == (124, 117, 104)
