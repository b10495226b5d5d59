"""Trained networks for programs without this code: SavedModels (TensorFlow Serving) and TensorFlow Lite models."""

import os
import tempfile
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from dataset.model_spec import write_spec
from nnet.description import SPEC_FILE
from nnet.errors import disk_reason, tensorflow_path
from nnet.lite_file import checkpoint_id, seal
from nnet.predict import Predictor, pairwise_pixels
from util.files import atomic_path
from util.frozen_weights import require_no_promise
from util.logging import silent_stderr
from util.maps import map_size

CELLS = 64  # of a photo, at which the range of pairwise offsets is measured


def save_model(predictor: Predictor, folder: str | os.PathLike) -> None:
    """Write the SavedModel of a loaded predictor, whole or not at all; tools/export.py lists its signatures.

    Raises InputError when the folder cannot be written, and in a process whose weights are promised to be frozen.
    """
    with atomic_path(tensorflow_path(folder)) as temporary:
        _write(temporary, _signatures(predictor))
        # SavedModels have this folder for what is not part of their graphs.
        write_spec(temporary / "assets.extra" / SPEC_FILE, predictor.spec)


def save_tflite(
    predictor: Predictor,
    path: str | os.PathLike,
    *,
    photos: Sequence[np.ndarray] = (),
    half: bool = False,
    checkpoint: str | os.PathLike | None = None,
) -> None:
    """Write a TensorFlow Lite model with the same signatures, for one image at a time, whole or not at all.

    predictor: loaded, in float32
    photos: uint8 (H, W, 3) RGB as the network would see them; if given, the model computes in eight bits, and
        the range of each layer is the one seen on them (Jacob et al., arXiv 1712.05877)
    half: store the weights in half precision, which halves the file; the model still computes in float32
    checkpoint: that the weights come from; the model takes its place as long as it is the same (`find_weights`)
    Raises InputError when the file cannot be written, and in a process whose weights are promised to be frozen.
    """
    signatures = _signatures(predictor, batch=1)
    with atomic_path(path) as temporary, tempfile.TemporaryDirectory() as folder:
        _write(folder, signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(signatures))
        if photos or half:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if half:
            converter.target_spec.supported_types = [tf.float16]
        if photos:
            converter.representative_dataset = lambda: _inputs(predictor, photos)
        with silent_stderr():
            content = converter.convert()
        notes = {"checkpoint": checkpoint and checkpoint_id(checkpoint), "model": predictor.spec.as_table()}
        temporary.write_bytes(seal(content, notes))


def _inputs(predictor, photos):
    """Name and inputs of each signature, photo by photo."""
    random = np.random.default_rng(0)
    for photo in photos:
        yield "serving_default", {"image": photo[None]}
        if predictor.spec.pairwise is not None:
            features = predictor.dense(tf.constant(photo[None]))["features"].numpy()
            cells = random.integers(0, map_size(*photo.shape[:2], predictor.spec.stride), (CELLS, 2))
            yield "pairwise", {"features": features, "cells": np.pad(cells, ((0, 0), (1, 0))).astype(np.int32)}


def _write(folder, signatures):
    try:
        # The module holds no variables: the weights are constants of the graphs.
        tf.saved_model.save(tf.Module(), os.fspath(folder), signatures)
    except tf.errors.OpError as error:
        raise OSError(0, disk_reason(error)) from error


def _signatures(predictor, batch=None):
    """The functions by name, for a fixed number of images or any, of any size."""
    require_no_promise("to export")
    image = tf.TensorSpec([batch, None, None, 3], tf.uint8, "image")
    signatures = {"serving_default": tf.function(predictor.dense, input_signature=[image])}
    if predictor.spec.pairwise is not None:
        channels, dtype = predictor.net.source["features"].shape[-1], predictor.net.compute_dtype
        features = tf.TensorSpec(
            [batch, None, None, channels], tf.float32 if dtype == "float32" else tf.bfloat16, "features"
        )
        cells = tf.TensorSpec([None, 3], tf.int32, "cells")
        signatures["pairwise"] = tf.function(_pairwise(predictor), input_signature=[features, cells])
    return signatures


def _pairwise(predictor):
    head, spec = predictor.net.heads["pairwise_pred"], predictor.spec

    def offsets(features, cells):
        raw = tf.reshape(head.at_cells(features, cells), [-1, len(spec.pairwise.means), 2])
        return {"offsets": pairwise_pixels(raw, spec)}

    return offsets
