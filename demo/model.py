"""A trained model as one callable:

    from demo.model import load_model

    estimator = load_model("models/demo")
    for person in estimator("photo.jpg").as_dict()["people"]:
        print(person["score"], person["keypoints"])
"""

import os
from pathlib import Path

from config import load_config, require
from dataset.skeleton import from_config
from multiperson.estimator import PoseEstimator
from multiperson.predict import SpatialModel
from util.errors import InputError


def load_model(model: str | os.PathLike, overrides=(), weights: str | os.PathLike | None = None) -> PoseEstimator:
    """The estimator of a model directory, or of a YAML file.

    overrides: texts "key=value" or a mapping, over the YAML
    weights: checkpoint; by default the newest snapshot beside the YAML, else its `init_weights`

    Raises InputError for whatever is missing or broken.
    """
    path = Path(model)
    if path.is_dir():
        path = path / "pose_cfg.yaml"
    return build_estimator(load_config(path.absolute(), overrides), weights)


def build_estimator(cfg, weights: str | os.PathLike | None = None) -> PoseEstimator:
    """The estimator of a configuration. Raises InputError as `load_model` does."""
    require(cfg, "num_joints")
    if not cfg.pairwise_predict:
        raise InputError(f"{cfg.config_file}: pairwise_predict is off: such a network cannot tell people apart; "
                         "nnet.predict.argmax_pose_predict finds a single person")  # fmt: skip
    # The cheap reading comes first, so that its errors do not wait for TensorFlow.
    skeleton = from_config(cfg)
    spatial_model = SpatialModel(cfg).load()
    if cfg.cached_scoremaps:
        return PoseEstimator(None, spatial_model, cfg, skeleton.keypoints)

    from nnet.predict import setup_pose_prediction

    network = setup_pose_prediction(cfg, weights or find_weights(cfg))
    return PoseEstimator(network, spatial_model, cfg, skeleton.keypoints)


def find_weights(cfg) -> str:
    """The newest snapshot beside the YAML, else its `init_weights`: what was trained, or what it names."""
    from nnet.checkpoint import latest_snapshot

    newest = latest_snapshot(Path(cfg.config_file).parent, cfg.snapshot_prefix)
    if newest is None:
        require(cfg, "init_weights")
    return newest or cfg.init_weights
