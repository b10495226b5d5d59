"""MoveNet's convolutions in our layers."""

import numpy as np
import pytest

from config import make_config
from dataset.model_spec import from_config
from nnet.net_factory import pose_net
from nnet.tfjs import Convolution
from tools.convert_movenet import HEAT_MAP_DEVIATION, HEAT_MAP_MEAN, build_network, by_scope
from util.errors import InputError

# Our scopes and the names in MoveNet.
NAMES = {
    "MobilenetV2/Conv": "a/model/Conv1_relu/Relu6",
    "MobilenetV2/Conv_1": "a/model/out_relu/Relu6",
    "MoveNet/lateral_32": "a/model_1/conv2d/BiasAdd",
    "MoveNet/lateral_16": "a/model_1/conv2d_1/BiasAdd",
    "MoveNet/lateral_8": "a/model_1/conv2d_2/BiasAdd",
    "MoveNet/lateral_4": "a/model_1/conv2d_3/BiasAdd",
    "MoveNet/merge_16/depthwise": "a/model_1/separable_conv2d/separable_conv2d/depthwise",
    "MoveNet/merge_16/pointwise": "a/model_1/re_lu/Relu",
    "MoveNet/merge_8/depthwise": "a/model_1/separable_conv2d_1/separable_conv2d/depthwise",
    "MoveNet/merge_8/pointwise": "a/model_1/re_lu_1/Relu",
    "MoveNet/merge_4/depthwise": "a/model_1/separable_conv2d_2/separable_conv2d/depthwise",
    "MoveNet/merge_4/pointwise": "a/model_1/re_lu_2/Relu",
    "MoveNet/heatmap/depthwise": "b/kpt_heatmap_0/separable_conv2d_6/separable_conv2d/depthwise",
    "MoveNet/heatmap/pointwise": "b/kpt_heatmap_0/re_lu_6/Relu",
    "MoveNet/heatmap/output": "b/kpt_heatmap_0/conv2d_7/BiasAdd",
    "MoveNet/offset/depthwise": "b/kpt_offset_0/separable_conv2d_8/separable_conv2d/depthwise",
    "MoveNet/offset/pointwise": "b/kpt_offset_0/re_lu_8/Relu",
    "MoveNet/offset/output": "b/kpt_offset_0/conv2d_9/BiasAdd",
    "MoveNet/regression/depthwise": "b/kpt_regress_0/separable_conv2d_7/separable_conv2d/depthwise",
    "MoveNet/regression/pointwise": "b/kpt_regress_0/re_lu_7/Relu",
}


def name_in_movenet(scope):
    if scope in NAMES:
        return NAMES[scope]
    block, kind = scope.removeprefix("MobilenetV2/expanded_conv").split("/")
    return f"a/model/block{block}_{kind}_BN/x" if block else f"a/model/expanded_conv_{kind}_BN/x"


@pytest.fixture(scope="module")
def convolutions():
    """Random convolutions with MoveNet's names and shapes, and one of a head that we do not have."""
    random = np.random.default_rng(0)
    cfg = make_config(net_type="movenet_fpn", skeleton="aic")
    net = pose_net(cfg, from_config(cfg))
    found = {"b/center_0/re_lu_3/Relu": Convolution(np.ones((1, 1, 24, 96), np.float32), None)}
    for layer in net.backbone.layers:
        if hasattr(layer, "scope"):
            shape = tuple(layer.kernel.shape)
            kernel = random.normal(0, np.sqrt(2 / np.prod(shape[:3])), shape).astype(np.float32)
            bias = random.normal(0, 0.1, tuple(layer.beta.shape)).astype(np.float32)
            if layer.depthwise and layer.scope.startswith("MoveNet/"):
                bias = None
            found[name_in_movenet(layer.scope)] = Convolution(kernel, bias)
    return found


@pytest.fixture(scope="module")
def net(convolutions):
    return build_network(convolutions)


def test_every_layer_finds_its_convolution(convolutions, net):
    assert set(by_scope(convolutions)) == {layer.scope for layer in net.backbone.layers if hasattr(layer, "scope")}


def test_layers_compute_what_movenets_do(convolutions, net):
    pixel = np.float32([10, 200, 90])
    image = np.broadcast_to(pixel, (1, 32, 32, 3))
    kernel, bias = convolutions["a/model/Conv1_relu/Relu6"]
    theirs = np.clip(((pixel / 127.5 - 1)[:, None] * kernel.sum((0, 1))).sum(0) + bias, 0, 6)
    first = net.backbone.get_layer("MobilenetV2.Conv")
    ours = first(image - net.mean_pixel)[0, 5, 5]
    # 27 products of numbers up to 255.
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=27 * 255 * np.finfo(np.float32).eps)
    offset = net.backbone.get_layer("MoveNet.offset.output")
    x = np.random.default_rng(1).normal(size=(1, 1, 1, 96)).astype(np.float32)
    kernel, bias = convolutions["b/kpt_offset_0/conv2d_9/BiasAdd"]
    np.testing.assert_allclose(offset(x)[0, 0, 0], x[0, 0, 0] @ kernel[0, 0] + bias, rtol=0, atol=1e-4)


def test_the_head_begins_with_movenets_heat_maps(net):
    head = net.heads["part_pred"]  # without the random rest:
    head.kernel.assign(np.where(head.kernel.numpy() == HEAT_MAP_DEVIATION, HEAT_MAP_DEVIATION, 0))
    image = np.random.default_rng(2).integers(0, 256, (1, 64, 64, 3), np.uint8)
    finest = net.backbone(image - net.mean_pixel)["level_4"][0].numpy()
    heat_maps = finest[..., [312 + 6, 312 + 15]]  # COCO's right shoulder and left ankle
    parts = net(image)["part_pred"][0].numpy()
    np.testing.assert_allclose(parts[..., [0, 11]], np.maximum(heat_maps, HEAT_MAP_MEAN), rtol=1e-4, atol=1e-4)


def test_other_models_are_refused(convolutions):
    with pytest.raises(InputError, match="this is not MoveNet MultiPose"):
        build_network({name: convolution for name, convolution in convolutions.items() if "Conv1" not in name})
