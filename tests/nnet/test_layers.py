"""Layers against their formulas, on small arrays."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from nnet.layers import ConvBN, Head, dense_maps
from tests.rounding import rounding

RNG = np.random.default_rng(0)
CODE = """
import numpy as np
from nnet.layers import ConvBN
layer = ConvBN("net/conv1", 5, 3, stride=2)
print(layer(np.zeros((1, 8, 6, 3), "float32")).shape, {variable.dtype for variable in layer.weights})
"""


def test_environment_and_keras_json_change_nothing(tmp_path):
    (tmp_path / "keras.json").write_text(
        json.dumps({"floatx": "float16", "epsilon": 0.1, "backend": "jax", "image_data_format": "channels_first"})
    )
    environment = os.environ | {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": "torch"}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True)
    assert done.stdout == "(1, 4, 3, 5) {'float32'}\n", done.stderr


def random_values(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def pointwise(**options):
    """A 1x1 convolution of 3 channels to 4, and its random weights and moments."""
    layer = ConvBN("net/conv", 4, 1, **options)
    layer.build((None, None, None, 3))
    values = {"kernel": random_values(1, 1, 3, 4), "gamma": random_values(4), "beta": random_values(4),
              "moving_mean": random_values(4), "moving_variance": random_values(4) ** 2 + 0.5}  # fmt: skip
    for name, value in values.items():
        getattr(layer, name).assign(value)
    return layer, values


def normalised(y, mean, variance, values):
    return (y - mean) / np.sqrt(variance + 1e-5) * values["gamma"] + values["beta"]


def test_stored_moments_normalise_before_and_after_folding():
    layer, values = pointwise()
    x = random_values(2, 5, 6, 3)
    y = x @ values["kernel"][0, 0]
    expected = np.maximum(normalised(y, values["moving_mean"], values["moving_variance"], values), 0)
    tolerance = rounding(3, layers=3) * np.abs(expected).max()
    np.testing.assert_allclose(layer(x, training=True), expected, rtol=0, atol=tolerance)
    layer.fold()
    np.testing.assert_allclose(layer(x), expected, rtol=0, atol=tolerance)


def test_training_normalises_by_the_batch_and_averages_its_moments():
    layer, values = pointwise(train_moments=True, decay=0.75, activation=None)
    x = random_values(2, 5, 6, 3)
    y = x @ values["kernel"][0, 0]
    mean, variance = y.mean(axis=(0, 1, 2)), y.var(axis=(0, 1, 2))
    expected = normalised(y, mean, variance, values)
    tolerance = rounding(60, layers=3) * np.abs(expected).max()
    np.testing.assert_allclose(layer(x, training=True), expected, rtol=0, atol=tolerance)
    np.testing.assert_allclose(layer.moving_mean, 0.75 * values["moving_mean"] + 0.25 * mean, atol=tolerance)
    # The stored variance is the unbiased estimate.
    averaged = 0.75 * values["moving_variance"] + 0.25 * variance * 60 / 59
    np.testing.assert_allclose(layer.moving_variance, averaged, atol=tolerance)


@pytest.mark.parametrize("size", [8, 9])
def test_explicit_padding_depends_on_the_kernel_alone(size):
    """A kernel with a 1 in its middle takes every second cell, since the original pads its input by one."""
    layer = ConvBN("net/conv", 1, 3, stride=2, explicit_padding=True, activation=None, epsilon=0)
    layer.build((None, None, None, 1))
    kernel = np.zeros((3, 3, 1, 1), np.float32)
    kernel[1, 1] = 1
    layer.kernel.assign(kernel)
    x = np.arange(size * size, dtype=np.float32).reshape(1, size, size, 1)
    np.testing.assert_array_equal(layer(x), x[:, ::2, ::2])


def slow_head(features, kernel, bias):
    """The transposed convolution as a sum over all cells and taps; the last row and column are cut off."""
    batch, height, width, _ = features.shape
    result = np.zeros((batch, 2 * height + 1, 2 * width + 1, kernel.shape[2]))
    for row, col in np.ndindex(height, width):
        for tap in np.ndindex(3, 3):
            result[:, 2 * row + tap[0], 2 * col + tap[1]] += features[:, row, col] @ kernel[tap].T
    return result[:, :-1, :-1] + bias


@pytest.mark.parametrize("folded", [False, True])
def test_a_head_doubles_the_map_and_agrees_with_itself_at_cells(folded):
    heads = [Head(f"pose/{name}/block4", filters) for name, filters in (("part_pred", 2), ("locref_pred", 4))]
    features = random_values(2, 3, 4, 5)
    expected = []
    for head in heads:
        head.build(features.shape)
        kernel, bias = random_values(*head.kernel.shape), random_values(head.filters)
        head.kernel.assign(kernel)
        head.bias.assign(bias)
        expected.append(slow_head(features, kernel, bias))
        if folded:
            head.fold()
    tolerance = rounding(4 * 5) * max(np.abs(part).max() for part in expected)
    for found, part in zip(dense_maps(heads, features), expected, strict=True):
        np.testing.assert_allclose(found, part, rtol=0, atol=tolerance)
    cells = np.argwhere(np.ones((2, 6, 8))).astype(np.int32)
    at_cells = heads[1].at_cells(features, cells)
    np.testing.assert_allclose(at_cells, expected[1][tuple(cells.T)], rtol=0, atol=tolerance)
