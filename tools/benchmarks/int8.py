"""What eight bits would gain: single convolutions of ResNet-101 at 640x480 in three precisions.

The network itself has no eight-bit mode, which would need the range of every layer's output measured on photos.
"""

import argparse
from functools import partial

import numpy as np

from tools.benchmarks.measure import run_times
from util.logging import silence_tensorflow
from util.report import table

# Rows, columns, channels in and out, kernel size, and how many such convolutions the network has.
CONVOLUTIONS = (
    (30, 40, 256, 256, 3, 22),
    (30, 40, 1024, 256, 1, 22),
    (30, 40, 256, 1024, 1, 23),
    (30, 40, 512, 512, 3, 3),
)


def add(commands) -> None:
    command = commands.add_parser("int8", help="single convolutions in float32, bfloat16 and int8")
    command.add_argument("--repeat", type=int, default=31, help="runs of each (31)")
    command.set_defaults(function=int8)


def int8(args: argparse.Namespace) -> None:
    silence_tensorflow()
    rows = []
    for *shape, count in CONVOLUTIONS:
        functions, _ = convolutions(*shape)
        times = [1000 * np.median(run_times(function, args.repeat)) for function in functions.values()]
        rows.append(["{}x{}, {} to {}, {k}x{k}".format(*shape[:4], k=shape[4]), count, *(f"{t:.2f}" for t in times)])
    print("Convolution, bias and ReLU, milliseconds (medians)")
    print(table(["convolution", "in ResNet-101", "float32", "bfloat16", "int8"], rows))


def convolutions(height: int, width: int, channels: int, filters: int, size: int, seed: int = 0):
    """One convolution with bias and ReLU on random input, as functions without arguments by precision.

    The second result is what the value 255 of "int8" stands for.
    """
    import tensorflow as tf

    random = np.random.default_rng(seed)
    x = random.random((1, height, width, channels), np.float32)
    kernel = random.normal(0, (2 / (size * size * channels)) ** 0.5, (size, size, channels, filters)).astype(np.float32)
    bias = random.normal(0, 0.1, filters).astype(np.float32)
    largest = np.abs(kernel).max(axis=(0, 1, 2))  # of each filter, as its scale
    kernel8 = np.round(kernel / largest * 127).astype(np.int8).view(tf.qint8.as_numpy_dtype)
    top = float(plain_convolution(tf.constant(x), kernel, bias).numpy().max())

    @tf.function
    def quantized(values):
        # The filter must be a constant of the graph.
        return tf.raw_ops.QuantizedConv2DWithBiasAndReluAndRequantize(
            input=values, filter=tf.constant(kernel8, tf.qint8), bias=bias, min_input=0.0, max_input=1.0,
            min_filter=-largest, max_filter=largest, min_freezed_output=0.0, max_freezed_output=top,
            out_type=tf.quint8, strides=[1, 1, 1, 1], padding="SAME",
        ).output  # fmt: skip

    functions = {}
    for dtype in (tf.float32, tf.bfloat16):
        arrays = [tf.cast(array, dtype).numpy() for array in (kernel, bias)]
        graph = tf.function(partial(plain_convolution, kernel=arrays[0], bias=arrays[1]))
        functions[dtype.name] = partial(graph, tf.cast(x, dtype))
    functions["int8"] = partial(quantized, tf.quantization.quantize(x, 0.0, 1.0, tf.quint8).output)
    return functions, top


def plain_convolution(values, kernel, bias):
    """relu(conv(values) + bias)"""
    import tensorflow as tf

    return tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(values, kernel, 1, "SAME"), bias))
