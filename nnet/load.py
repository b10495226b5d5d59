"""Trained models as callables, for one person or several. Importing this does not import TensorFlow: a network does."""

import logging
import os
from pathlib import Path

from config import load_config
from multiperson.estimator import PoseEstimator
from multiperson.network import Network
from multiperson.predict import SpatialModel
from multiperson.single_person import SinglePersonEstimator
from nnet.lite_file import SUFFIX as LITE_SUFFIX
from nnet.lite_file import checkpoint_id, read_notes
from nnet.model_skeleton import with_skeleton_of
from nnet.snapshots import latest_snapshot
from util.errors import InputError


def load_model(model: str | os.PathLike, overrides=(), weights: str | os.PathLike | None = None) -> PoseEstimator:
    """The estimator of a model directory, or of a YAML file:

        from multiperson import load_model

        estimator = load_model("models/demo")
        for person in estimator("photo.jpg").as_dict()["people"]:
            print(person["score"], person["keypoints"])

    overrides: texts "key=value" or a mapping, over the YAML
    weights: a checkpoint or a TensorFlow Lite model; by default what `find_weights` finds

    Raises InputError for whatever is missing or broken.
    """
    path = Path(model)
    if path.is_dir():
        path = path / "pose_cfg.yaml"
    return build_estimator(load_config(path.absolute(), overrides), weights)


def build_estimator(cfg, weights: str | os.PathLike | None = None) -> PoseEstimator:
    """The estimator of a configuration. Raises InputError as `load_model` does."""
    if not cfg.pairwise_predict:
        raise InputError(f"{cfg.config_file}: pairwise_predict is off: such a network cannot tell people apart; "
                         "demo/singleperson.py and nnet.load.build_single_estimator find a single person")  # fmt: skip
    # The cheap reading comes first, so that its errors do not wait for the network.
    if not cfg.cached_scoremaps:
        weights = weights or find_weights(cfg)
        cfg = with_skeleton_of(cfg, weights)
    spatial_model = SpatialModel(cfg).load()
    network = None if cfg.cached_scoremaps else _network(cfg, weights)
    return PoseEstimator(network, spatial_model, cfg)


def build_single_estimator(cfg, weights: str | os.PathLike | None = None) -> SinglePersonEstimator:
    """The estimator of a configuration for one person; multi-person networks will do. Raises InputError.

    weights: as in `load_model`
    """
    weights = weights or find_weights(cfg)
    # The offsets between joints group people: nothing to group here.
    cfg = type(cfg)(with_skeleton_of(cfg, weights), pairwise_predict=False)
    return SinglePersonEstimator(_network(cfg, weights), cfg)


def load_network(cfg, weights: str | os.PathLike | None = None) -> Network:
    """The network of a configuration, ready for `maps(image)`. Raises InputError.

    weights: as in `load_model`
    """
    weights = weights or find_weights(cfg)
    return _network(with_skeleton_of(cfg, weights), weights)


def _network(cfg, weights):
    weights = os.fspath(weights)
    if weights.endswith(LITE_SUFFIX):
        from nnet.lite import LitePredictor

        return LitePredictor(cfg, weights)

    from nnet.predict import setup_pose_prediction

    return setup_pose_prediction(cfg, weights)


def find_weights(cfg) -> str:
    """What inference runs: the checkpoint of `find_checkpoint`, or a TensorFlow Lite model <checkpoint>.tflite of it.

    That starts without TensorFlow. Where `precision` is not auto, the checkpoint itself is run. Raises InputError.
    """
    checkpoint = find_checkpoint(cfg)
    lite = checkpoint + LITE_SUFFIX
    if cfg.precision != "auto" or not os.path.isfile(lite):
        return checkpoint
    if checkpoint_id(checkpoint) not in (None, read_notes(lite).get("checkpoint")):
        logging.warning("%s: not used, since it was made of another checkpoint than %s; make it anew with "
                        "tools/export.py --tflite", lite, checkpoint)  # fmt: skip
        return checkpoint
    return lite


def find_checkpoint(cfg) -> str:
    """`init_weights` if it was named over the YAML, else the newest snapshot beside that, else its `init_weights`."""
    newest = latest_snapshot(Path(cfg.config_file).parent, cfg.snapshot_prefix)
    named = "init_weights" in cfg.overridden and cfg.init_weights
    if not (newest or cfg.init_weights):
        raise InputError(f"{cfg.config_file}: no snapshot ({cfg.snapshot_prefix}-<step>.index) and no init_weights; "
                         "train first (train.py), or name weights (init_weights=...)")  # fmt: skip
    return named or newest or cfg.init_weights
