"""From images to maps with a trained network."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
import tensorflow as tf

from config import require
from dataset.model_spec import ModelSpec
from nnet import checkpoint
from nnet.description import describe
from nnet.layers import dense_maps
from nnet.net_factory import pose_net
from nnet.network import Network
from nnet.pose_net import PoseNet
from nnet.precision import compute_dtype
from util.errors import InputError
from util.frozen_weights import weights_are_frozen
from util.maps import Maps, argmax_pose_predict  # noqa: F401 - pose-tensorflow has the latter here


class Predictor(Network):
    """A network for inference: batch norm folded, the pairwise head evaluated only where it is needed.

    net: a network in training, to be used with the weights that it has at each call; by default one of its own,
        whose weights `load` takes and folds
    Its methods may be called from several threads.
    """

    def __init__(self, cfg, spec: ModelSpec, net: PoseNet | None = None):
        super().__init__(cfg, spec)
        # Only training needs the head of the intermediate layer; inference checkpoints may lack it.
        self.net = net or pose_net(cfg, replace(spec, intermediate_layer=None), compute_dtype(cfg.precision))
        # One graph for all sizes of image. Nothing here depends on tensors' values, and autograph takes a second.
        self._outputs = tf.function(
            self.dense, input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8)], autograph=False
        )
        if spec.pairwise is not None:
            features = self.net.source["features"]
            self._pairwise = tf.function(
                self.net.heads["pairwise_pred"].at_cells,
                input_signature=[tf.TensorSpec(features.shape, features.dtype), tf.TensorSpec([None, 3], tf.int32)],
                autograph=False,
            )

    def load(self, prefix: str | os.PathLike) -> "Predictor":
        """Take the weights of a checkpoint. Raises InputError."""
        checkpoint.load_weights(self.net.slim_variables(), prefix, averaged=True)
        self.spec = replace(self.spec, network=checkpoint.network_id(prefix))
        return self.freeze()

    def freeze(self) -> "Predictor":
        """Fold the current weights and build the graphs, so that the first image takes no longer than the others."""
        # A processor keeps weights in the layout that suits it: constants always, others if it may (frozen_weights).
        self.net.fold(constants=not weights_are_frozen() or bool(tf.config.list_physical_devices("GPU")))
        # Not smaller: of weights that suit the first image in another layout than those after, the layout is changed
        # for each of these (5 % of the time).
        maps = self.maps(np.zeros((128, 128, 3), np.uint8))
        if maps.pairwise is not None:
            maps.pairwise_at(np.zeros((1, 2), np.int32))
        return self

    def _maps_of(self, images):
        with _memory_for(*images[0].shape[:2]):
            outputs = self._outputs(tf.convert_to_tensor(np.stack(images)))
            part_prob = outputs["part_prob"].numpy()
        locref = outputs["locref"].numpy() if "locref" in outputs else None
        features = outputs.get("features")
        return [
            Maps(
                prob,
                self.spec.stride,
                None if locref is None else locref[number],
                None if features is None else partial(self._pairwise_at, features, number),
            )
            for number, prob in enumerate(part_prob)
        ]

    def dense(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """The dense outputs for images (B, h, w, 3), as far as the network has them.

        "part_prob" (B, rows, cols, J); "locref" (B, rows, cols, J, 2) px; "features", for the pairwise head
        """
        features = self.net.features(image)["features"]
        names = [name for name in ("part_pred", "locref_pred") if name in self.spec.heads]
        heads = dict(zip(names, dense_maps([self.net.heads[name] for name in names], features), strict=True))
        outputs = {"part_prob": tf.sigmoid(heads["part_pred"])}
        if self.spec.locref_stdev is not None:
            shape = tf.concat([tf.shape(outputs["part_prob"]), [2]], axis=0)
            outputs["locref"] = tf.reshape(heads["locref_pred"], shape) * self.spec.locref_stdev
        if self.spec.pairwise is not None:
            outputs["features"] = features
        return outputs

    def _pairwise_at(self, features, number, cells):
        """The offsets at cells (n, 2) of the image of that number in the batch."""
        cells = np.asarray(cells, np.int32).reshape(-1, 2)
        batched = np.pad(cells, ((0, 0), (1, 0)), constant_values=number)
        with _memory_for(*(self.net.feature_stride * side for side in features.shape[1:3])):
            raw = self._pairwise(features, tf.constant(batched)).numpy()
        return pairwise_pixels(raw.reshape(len(cells), len(self.spec.pairwise.means), 2), self.spec)


@contextmanager
def _memory_for(height: int, width: int) -> Iterator[None]:
    """Raises InputError if the memory does not suffice for an image of this size."""
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise InputError(f"no memory for an image of {width}x{height} pixels: lower max_input_size") from error


def pairwise_pixels(raw: np.ndarray | tf.Tensor, spec: ModelSpec) -> np.ndarray | tf.Tensor:
    """Undo the normalisation: raw values (..., J(J-1), 2) of the pairwise head as offsets in the input's pixels."""
    channels = spec.pairwise.channels
    if channels is not None:
        raw = tf.gather(raw, channels, axis=-2) if tf.is_tensor(raw) else raw[..., channels, :]
    means, std_devs = spec.pairwise_moments()
    return raw * std_devs + means


def setup_pose_prediction(cfg, weights: str | os.PathLike | None = None) -> Predictor:
    """The network of `cfg` with the weights of `weights`, by default `cfg.init_weights`. Raises InputError.

    multiperson.load.load_network also takes TensorFlow Lite models.
    """
    if weights is None:
        require(cfg, "init_weights")
        weights = cfg.init_weights
    return Predictor(cfg, describe(cfg, weights)).load(weights)


def extract_cnn_output(
    outputs: dict[str, np.ndarray], spec: ModelSpec
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Score maps (h, w, J), offsets (h, w, J, 2) and pairwise offsets (h, w, J(J-1), 2) in pixels.

    outputs: the raw heads of one image, each (1, h, w, channels), as `PoseNet` returns them
    The last two are None where the network has no such head.
    """
    scmap = 1 / (1 + np.exp(-np.asarray(outputs["part_pred"])[0]))
    locref = pairwise = None
    if "locref_pred" in spec.heads:
        locref = np.asarray(outputs["locref_pred"])[0].reshape(*scmap.shape, 2) * spec.locref_stdev
    if "pairwise_pred" in spec.heads:
        raw = np.asarray(outputs["pairwise_pred"])[0]
        pairwise = pairwise_pixels(raw.reshape(*raw.shape[:2], -1, 2), spec)
    return scmap, locref, pairwise
