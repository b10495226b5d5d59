"""Trained networks for programs without this code: SavedModels (TensorFlow Serving) and TensorFlow Lite models."""

import os
import tempfile

import tensorflow as tf

from nnet.predict import Predictor, pairwise_pixels
from nnet.resnet_v1 import OUTPUT_STRIDE
from util.files import atomic_path
from util.logging import silent_stderr


def save_model(predictor: Predictor, folder: str | os.PathLike) -> None:
    """Write the SavedModel of a loaded predictor, whole or not at all; tools/export.py tells its signatures.

    Raises InputError when the folder cannot be written.
    """
    with atomic_path(folder) as temporary:
        _write(os.fspath(temporary), _signatures(predictor, [None, None, None]))


def save_tflite(predictor: Predictor, path: str | os.PathLike, size: tuple[int, int]) -> None:
    """Write a TensorFlow Lite model with the same signatures, for one image of (height, width), whole or not at all.

    predictor: loaded, in float32
    Raises InputError when the file cannot be written.
    """
    signatures = _signatures(predictor, [1, *size])
    with tempfile.TemporaryDirectory() as folder:
        _write(folder, signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(signatures))
        with silent_stderr():
            content = converter.convert()
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def _write(folder, signatures):
    # The module holds nothing: the weights are constants of the graphs.
    tf.saved_model.save(tf.Module(), folder, signatures)


def _signatures(predictor, shape):
    """The functions by name, for images of a shape (B, height, width), each None for any."""
    image = tf.TensorSpec([*shape, 3], tf.uint8, "image")
    signatures = {"serving_default": tf.function(predictor.dense, input_signature=[image])}
    if predictor.stats is not None:
        batch, *sides = shape
        channels, dtype = predictor.net.backbone.output["features"].shape[-1], predictor.net.compute_dtype
        features = tf.TensorSpec([batch, *(side and -(-side // OUTPUT_STRIDE) for side in sides), channels],
                                 tf.float32 if dtype == "float32" else tf.bfloat16, "features")  # fmt: skip
        cells = tf.TensorSpec([None, 3], tf.int32, "cells")
        signatures["pairwise"] = tf.function(_pairwise(predictor), input_signature=[features, cells])
    return signatures


def _pairwise(predictor):
    head, stats = predictor.net.heads["pairwise_pred"], predictor.stats

    def offsets(features, cells):
        raw = tf.reshape(head.at_cells(features, cells), [-1, len(stats.means), 2])
        return {"offsets": pairwise_pixels(raw, stats, predictor.cfg)}

    return offsets
