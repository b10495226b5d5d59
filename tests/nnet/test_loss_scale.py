"""The factor on the loss grows and shrinks."""

import numpy as np
import tensorflow as tf

from nnet import loss_scale


def test_an_overflow_halves_the_scale():
    scale = loss_scale.LossScale()
    gradients, finite = scale.unscale([tf.constant([loss_scale.START, 1.0]), tf.constant([np.inf])])
    assert not finite and float(gradients[0][0]) == 1
    scale.update(finite)
    assert float(scale.scale) == loss_scale.START / 2


def test_many_good_steps_double_it(monkeypatch):
    monkeypatch.setattr(loss_scale, "PATIENCE", 3)
    scale = loss_scale.LossScale()
    history = []
    for finite in (True, True, False, True, True, True, True):
        scale.update(tf.constant(finite))
        history.append(float(scale.scale) / loss_scale.START)
    assert history == [1, 1, 0.5, 0.5, 0.5, 1, 1]
