"""ResNet v1 with 18, 50, 101 or 152 layers at output stride 16, as slim defines it (He et al., arXiv 1512.03385).

Slim's peculiarities: the stride sits in the last unit of a block, strided convolutions are padded explicitly, and past
the output stride, strides become dilations.

Slim has no ResNet-18; here its units have two 3x3 convolutions, and the units of its fourth block belong to the third,
without growing wider, since the fourth would not subsample anyway.
"""

import keras
import tensorflow as tf

from nnet.layers import ConvBN

UNITS = {18: (2, 2, 4), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
OUTPUT_STRIDE = 16


def pyramid_levels(depth: int) -> dict[int, str]:
    """The deepest units at strides 4, 8 and 16: a block's last unit has the next block's stride already."""
    return {4: f"block1/unit_{UNITS[depth][0] - 1}", 8: f"block2/unit_{UNITS[depth][1] - 1}", 16: "features"}


def resnet_v1(image, depth: int, **options) -> dict[str, keras.KerasTensor]:
    """The outputs of all units, keyed "block3/unit_12"; "features" is the last, (B, h/16, w/16, 2048 or 256).

    image: (B, h, w, 3), mean subtracted
    options: of every ConvBN
    """
    scope = f"resnet_v1_{depth}"
    x = ConvBN(f"{scope}/conv1", 64, 7, 2, explicit_padding=True, **options)(image)
    x = keras.ops.max_pool(x, 3, 2, padding="same")
    residual_unit = _bottleneck if depth >= 50 else _basic
    outputs, stride, rate = {}, 4, 1
    for block, units in enumerate(UNITS[depth], start=1):
        for unit in range(1, units + 1):
            # Only the last unit of a block subsamples, and not in the last block.
            unit_stride = 2 if unit == units and block < 4 else 1
            within = stride * unit_stride <= OUTPUT_STRIDE
            x = residual_unit(
                x, f"{scope}/block{block}/unit_{unit}", 32 * 2**block, unit_stride if within else 1, rate, options
            )
            if within:
                stride *= unit_stride
            else:
                rate *= unit_stride
            outputs[f"block{block}/unit_{unit}"] = x
    return outputs | {"features": x}


def _bottleneck(x, scope, filters, stride, rate, options):
    """relu(shortcut(x) + conv3(conv2(conv1(x))))"""
    scope = f"{scope}/bottleneck_v1"
    y = ConvBN(f"{scope}/conv1", filters, 1, **options)(x)
    y = ConvBN(f"{scope}/conv2", filters, 3, stride, rate, explicit_padding=True, **options)(y)
    shortcut = _shortcut(x, y, scope, 4 * filters, stride, options)
    y = ConvBN(f"{scope}/conv3", 4 * filters, 1, activation=None, **options)(y)
    return keras.ops.relu(shortcut + y)


def _basic(x, scope, filters, stride, rate, options):
    """relu(shortcut(x) + conv2(conv1(x)))"""
    scope = f"{scope}/basic_v1"
    y = ConvBN(f"{scope}/conv1", filters, 3, stride, rate, explicit_padding=True, **options)(x)
    shortcut = _shortcut(x, y, scope, filters, stride, options)
    y = ConvBN(f"{scope}/conv2", filters, 3, 1, rate, activation=None, **options)(y)
    return keras.ops.relu(shortcut + y)


def _shortcut(x, y, scope, channels, stride, options):
    """The shortcut: the input x itself, or a projection where the number of channels changes, computed after y."""
    if x.shape[-1] == channels:
        return x if stride == 1 else keras.ops.max_pool(x, 1, stride)
    x = _After(dtype=options["dtype"])(x, y)
    return ConvBN(f"{scope}/shortcut", channels, 1, stride, activation=None, **options)(x)


class _After(keras.layers.Layer):
    """x, but not before y is computed: two convolutions at once compete for cores and cache (5 % of the time)."""

    def call(self, x, y):
        with tf.control_dependencies([y]):
            return tf.identity(x)
