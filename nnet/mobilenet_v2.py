"""MobileNet v2 under slim's names (Sandler et al., arXiv 1801.04381)."""

import keras

from nnet.layers import ConvBN

# Expansion, channels, units and stride of each group; past the output stride, strides become dilations.
GROUPS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
OUTPUT_STRIDE = 16
EPSILON = 1e-3
# The deepest units at strides 4, 8 and 16: what a feature pyramid takes beside the last layer.
LEVELS = {4: "layer_4", 8: "layer_7", 16: "layer_14"}


def mobilenet_v2(
    image, width: float, output_stride: int = OUTPUT_STRIDE, last_channels: int | None = None, **options
) -> dict[str, keras.KerasTensor]:
    """The outputs of all units, keyed "layer_<n>"; "features" is the last, (B, h/stride, w/stride, last_channels).

    image: (B, h, w, 3), mean subtracted
    width: factor on all numbers of channels
    last_channels: of the last layer; by default slim's: 1280, and more if width > 1
    options: of every ConvBN
    """
    options["epsilon"] = EPSILON
    x = ConvBN("MobilenetV2/Conv", _channels(32, width), 3, 2, activation="relu6", **options)(image)
    outputs, stride, rate = {"layer_1": x}, 2, 1
    for expansion, channels, units, group_stride in GROUPS:
        for unit in range(units):
            unit_stride = group_stride if unit == 0 else 1
            within = stride * unit_stride <= output_stride
            number = len(outputs)
            scope = "MobilenetV2/expanded_conv" + (f"_{number - 1}" if number > 1 else "")
            x = _inverted_residual(
                x,
                scope,
                channels=_channels(channels, width),
                expansion=expansion,
                stride=unit_stride if within else 1,
                rate=rate,
                options=options,
            )
            if within:
                stride *= unit_stride
            else:
                rate *= unit_stride
            outputs[f"layer_{number + 1}"] = x
    # The last layer keeps its width when the others shrink.
    last_channels = last_channels or _channels(1280, max(width, 1.0))
    x = ConvBN("MobilenetV2/Conv_1", last_channels, 1, activation="relu6", **options)(x)
    return outputs | {"features": x}


def _inverted_residual(x, scope, *, channels, expansion, stride, rate, options):
    """Expand, filter each channel, project; added to the input where the shapes allow it."""
    y = x
    if expansion > 1:
        y = ConvBN(f"{scope}/expand", expansion * x.shape[-1], 1, activation="relu6", **options)(y)
    y = ConvBN(f"{scope}/depthwise", None, 3, stride, rate, "relu6", depthwise=True, **options)(y)
    y = ConvBN(f"{scope}/project", channels, 1, activation=None, **options)(y)
    return x + y if stride == 1 and x.shape[-1] == channels else y


def _channels(channels, width):
    """The multiple of 8 nearest to channels * width, at least 8 and at least nine tenths of it."""
    wanted = channels * width
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded
