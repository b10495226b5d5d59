"""Trained networks as SavedModels, for TensorFlow Serving and other programs."""

import os

import tensorflow as tf

from nnet.predict import Predictor, pairwise_pixels
from util.files import atomic_path


def save_model(predictor: Predictor, folder: str | os.PathLike) -> None:
    """Write the SavedModel of a loaded predictor, whole or not at all; tools/export.py tells its signatures.

    Raises InputError when the folder cannot be written.
    """
    module = tf.Module()  # it holds nothing: the weights are constants of the graphs
    image = tf.TensorSpec([None, None, None, 3], tf.uint8, "image")
    signatures = {"serving_default": tf.function(predictor.dense, input_signature=[image])}
    if predictor.stats is not None:
        shape, dtype = predictor.net.backbone.output["features"].shape, predictor.net.compute_dtype
        features = tf.TensorSpec(shape, tf.float32 if dtype == "float32" else tf.bfloat16, "features")
        cells = tf.TensorSpec([None, 3], tf.int32, "cells")
        signatures["pairwise"] = tf.function(_pairwise(predictor), input_signature=[features, cells])
    with atomic_path(folder) as temporary:
        tf.saved_model.save(module, os.fspath(temporary), signatures)


def _pairwise(predictor):
    head, stats = predictor.net.heads["pairwise_pred"], predictor.stats

    def offsets(features, cells):
        raw = tf.reshape(head.at_cells(features, cells), [-1, len(stats.means), 2])
        return {"offsets": pairwise_pixels(raw, stats, predictor.cfg)}

    return offsets
