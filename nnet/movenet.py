"""The body of MoveNet MultiPose (Google, Apache-2.0) as a backbone; tools/convert_movenet.py converts its weights.

A MobileNet v2 of width 1.5 at its own stride of 32, a feature pyramid to stride 4, and heads for the heat maps and
offsets of COCO's 17 joints and for the way from a person's centre to its joints. MoveNet's decoding is not
included: a feature pyramid of this project reads all of these.
"""

import keras

from nnet.layers import ConvBN
from nnet.mobilenet_v2 import mobilenet_v2
from nnet.pyramid import merge, separable

SCOPE = "MoveNet"
WIDTH, OUTPUT_STRIDE, LAST_CHANNELS = 1.5, 32, 1280
# Of MoveNet's pyramid: stride, MobileNet's layer, channels of its lateral and of the merge at that stride.
PYRAMID = ((32, "features", 64, None), (16, "layer_11", 64, 32), (8, "layer_7", 32, 24), (4, "layer_4", 24, 24))
HIDDEN_CHANNELS = 96
# Channels of the outputs that are used directly: x and y of the offsets of each of 17 joints.
OUTPUTS = {"heatmap": 17, "offset": 34}


# What a feature pyramid reads: at stride 4 all that MoveNet computes there, then MobileNet's deepest layers.
LEVELS = {4: "finest", 8: "layer_7", 16: "layer_14", 32: "features"}


def movenet(image, **options) -> dict[str, keras.KerasTensor]:
    """MobileNet's outputs, and "finest": pyramid, hidden layers, heat maps and offsets, (B, h/4, w/4, 363).

    image: (B, h, w, 3), mean subtracted; h and w multiples of 32
    options: of every ConvBN
    """
    layers = mobilenet_v2(image, WIDTH, OUTPUT_STRIDE, LAST_CHANNELS, **options)
    x = None
    for stride, name, lateral_channels, channels in PYRAMID:
        lateral = ConvBN(f"{SCOPE}/lateral_{stride}", lateral_channels, 1, activation=None, **options)(layers[name])
        x = lateral if x is None else merge(x, lateral, channels, f"{SCOPE}/merge_{stride}", **options)
    hidden = {
        name: separable(x, HIDDEN_CHANNELS, f"{SCOPE}/{name}", **options)
        for name in ("heatmap", "offset", "regression")
    }
    outputs = [
        ConvBN(f"{SCOPE}/{name}/output", channels, 1, activation=None, **options)(hidden[name])
        for name, channels in OUTPUTS.items()
    ]
    return layers | {"finest": keras.ops.concatenate([x, *hidden.values(), *outputs], axis=-1)}
