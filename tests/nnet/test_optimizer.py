"""Steps follow the formulas of the papers; the state has TensorFlow's names."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from config import make_config
from nnet.optimizer import Optimizer

START, GRADIENTS = np.array([1.0, -2.0]), (np.array([0.5, 4.0]), np.array([-1.0, 2.0]))
RATES = 0.1, 0.02


def after_two_steps(name="resnet_v1_18/conv1/weights", **values):
    """The optimizer's state and the variable's values after each step."""
    variable = keras.Variable(START, dtype="float32")
    optimizer = Optimizer(make_config(num_joints=1, **values), {name: variable})
    history = []
    for gradient, rate in zip(GRADIENTS, RATES, strict=True):
        optimizer.descend([tf.constant(gradient, tf.float32)], tf.constant(rate))
        optimizer.count_step()
        history.append(variable.numpy())
    return {name: value.numpy() for name, value in optimizer.state().items()}, history


def adam(decay=0.0):
    first, second, value, values = 0.0, 0.0, START, []
    for step, (gradient, rate) in enumerate(zip(GRADIENTS, RATES, strict=True), start=1):
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        value = value * (1 - rate * decay)
        value = value - rate * (first / (1 - 0.9**step)) / np.sqrt(second / (1 - 0.999**step))
        values.append(value)
    return values


def test_momentum_sums_up_gradients():
    """As in TensorFlow 1, the learning rate of the step multiplies the sum."""
    state, (first, second) = after_two_steps()
    np.testing.assert_allclose(first, START - RATES[0] * GRADIENTS[0], rtol=1e-6)
    total = 0.9 * GRADIENTS[0] + GRADIENTS[1]
    np.testing.assert_allclose(second, START - RATES[0] * GRADIENTS[0] - RATES[1] * total, rtol=1e-6)
    assert state.keys() == {"resnet_v1_18/conv1/weights/Momentum", "optimizer_steps"}
    np.testing.assert_allclose(state["resnet_v1_18/conv1/weights/Momentum"], total, rtol=1e-6)
    assert state["optimizer_steps"] == 2


@pytest.mark.parametrize(
    ("name", "kind", "decay"),
    [("net/weights", "adam", 0), ("net/depthwise_weights", "adamw", 0.5), ("pose/part_pred/biases", "adamw", 0)],
)
def test_adamw_decays_kernels_alone(name, kind, decay):
    state, values = after_two_steps(name, optimizer=kind, weight_decay=0.5)
    np.testing.assert_allclose(values, adam(decay), rtol=1e-5)
    assert state.keys() == {f"{name}/Adam", f"{name}/Adam_1", "optimizer_steps"}


def test_the_backbones_rate_scales_step_and_decay():
    values = {"optimizer": "adamw", "weight_decay": 0.5}
    _, (half, _) = after_two_steps(backbone_rate=0.5, **values)
    for name in ("pose/part_pred/block4/weights", "pose/pyramid/join/weights"):
        _, (full, _) = after_two_steps(name, backbone_rate=0.5, **values)
        np.testing.assert_allclose(full, adam(0.5)[0], rtol=1e-5)
    # The decay comes first, so that the step by the gradient is the same but for its rate.
    np.testing.assert_allclose(half - START, (full - START) / 2, rtol=1e-5)
    _, still = after_two_steps(backbone_rate=0, **values)
    np.testing.assert_array_equal(still, [START, START])


def test_the_average_begins_as_the_first_weights():
    state, (first, second) = after_two_steps(ema_decay=0.75)
    average = state["resnet_v1_18/conv1/weights/ExponentialMovingAverage"]
    np.testing.assert_allclose(average, 0.75 * first + 0.25 * second, rtol=1e-6)


def test_a_skipped_first_step_does_not_spoil_the_average():
    optimizer = Optimizer(make_config(num_joints=1, ema_decay=0.75), {"w": keras.Variable(START, dtype="float32")})
    optimizer.count_step()
    np.testing.assert_array_equal(optimizer.averages["w"], START)
    assert optimizer.steps.numpy() == 1
