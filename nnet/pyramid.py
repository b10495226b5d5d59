"""A feature pyramid: a backbone's outputs at several strides, joined at stride 8 (after Lin et al., arXiv 1612.03144).

The coarse levels know what is in the image, the fine ones know where. The heads read the result as they read a
backbone's features, so their maps have a stride of 4 pixels instead of 8.
"""

import keras
import tensorflow as tf

from nnet.layers import ConvBN

SCOPE = "pose/pyramid"
CHANNELS = 192
# Each 2x2 block of cells of the finest level becomes the channels of one cell, which keeps their arrangement.
DETAIL_CHANNELS = 48
CONTEXT_CHANNELS = 128
BLOCKS = 3


def feature_pyramid(levels: dict[int, keras.KerasTensor], **options) -> keras.KerasTensor:
    """Features (B, h/8, w/8, CHANNELS + 4 DETAIL_CHANNELS) from the levels of a backbone.

    levels: (B, h/stride, w/stride, any) by stride: 4, 8, 16 and perhaps 32; h and w multiples of the largest
    options: of every ConvBN
    """
    coarse_first = sorted(levels, reverse=True)
    x = None
    for stride in coarse_first[:-1]:
        lateral = ConvBN(f"{SCOPE}/lateral_{stride}", CONTEXT_CHANNELS, 1, activation=None, **options)(levels[stride])
        x = lateral if x is None else merge(x, lateral, CONTEXT_CHANNELS, f"{SCOPE}/merge_{stride}", **options)
    detail = ConvBN(f"{SCOPE}/detail", DETAIL_CHANNELS, 1, **options)(levels[coarse_first[-1]])
    detail = SpaceToDepth(dtype=options["dtype"])(detail)
    x = keras.ops.concatenate([x, detail], axis=-1)
    x = ConvBN(f"{SCOPE}/join", CHANNELS, 1, activation=None, **options)(x)
    for block in range(1, BLOCKS + 1):
        x = _residual_block(x, f"{SCOPE}/block_{block}", options)
    # The heads also read the detail directly: what the backbone has found need not pass through all the blocks.
    return keras.ops.concatenate([x, detail], axis=-1)


def merge(coarse, fine, channels: int, scope: str, **options) -> keras.KerasTensor:
    """The sum of `coarse`, doubled in size, and `fine`, then a separable 3x3 convolution to `channels`."""
    return separable(Double(dtype=options["dtype"])(coarse) + fine, channels, scope, **options)


def separable(x, channels: int, scope: str, **options) -> keras.KerasTensor:
    """A 3x3 convolution of each channel, then a 1x1 convolution of all."""
    x = ConvBN(f"{scope}/depthwise", None, 3, activation=None, depthwise=True, **options)(x)
    return ConvBN(f"{scope}/pointwise", channels, 1, **options)(x)


def _residual_block(x, scope, options):
    """A depthwise convolution, then two pointwise ones (as in Liu et al., arXiv 2201.03545)."""
    y = ConvBN(f"{scope}/depthwise", None, 3, activation=None, depthwise=True, **options)(x)
    y = ConvBN(f"{scope}/expand", 2 * CHANNELS, 1, **options)(y)
    y = ConvBN(f"{scope}/project", CHANNELS, 1, activation=None, **options)(y)
    return x + y


class Double(keras.layers.Layer):
    """Twice the height and width, by bilinear interpolation."""

    def call(self, x):
        height, width = tf.unstack(tf.shape(x)[1:3])
        # In float32, which is three times as fast on a processor as bfloat16.
        doubled = tf.image.resize(tf.cast(x, tf.float32), [2 * height, 2 * width])
        return tf.cast(tf.ensure_shape(doubled, [None, None, None, x.shape[-1]]), x.dtype)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return batch, height and 2 * height, width and 2 * width, channels


class SpaceToDepth(keras.layers.Layer):
    """(B, h, w, c) to (B, h/2, w/2, 4c): each 2x2 block of cells becomes the channels of one."""

    def call(self, x):
        return tf.nn.space_to_depth(x, 2)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return batch, height and height // 2, width and width // 2, 4 * channels
