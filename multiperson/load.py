"""Trained models as callables, for one person or several. Importing this does not import TensorFlow: a network does."""

import logging
import os
from dataclasses import replace
from pathlib import Path

from config import checkpoint_prefix, load_config
from dataset.model_spec import ModelSpec
from multiperson.estimator import Estimator, PoseEstimator
from multiperson.predict import SpatialModel
from multiperson.single_person import SinglePersonEstimator
from nnet.description import describe
from nnet.lite_file import SUFFIX as LITE_SUFFIX
from nnet.lite_file import checkpoint_id, read_notes
from nnet.network import Network
from nnet.snapshots import INDEX, latest_snapshot, require_checkpoint, whole_generation
from util.errors import InputError
from util.fingerprint import fingerprint

# What the demos start with: a TensorFlow Lite model beside the checkpoint, made by tools/export.py --quick_start.
QUICK_START = ".quick" + LITE_SUFFIX
# For up to this many images TensorFlow takes longer to load than it saves on them.
FEW_IMAGES = 20


def load_model(
    model: str | os.PathLike,
    overrides=(),
    weights: str | os.PathLike | None = None,
    num_images: int | None = None,
    single_person: bool = False,
) -> Estimator:
    """The model of a directory, or of a YAML file, ready for images:

        from multiperson import load_model

        model = load_model("models/demo")
        for person in model("photo.jpg").as_dict()["people"]:
            print(person["score"], person["keypoints"])

    overrides: texts "key=value" or a mapping, over the YAML
    weights: a checkpoint or a TensorFlow Lite model; by default what `find_weights` finds
    num_images: the number of images it is for, if known; for a few it loads faster
    single_person: find the one person of each image; also networks without pairwise head can do that

    Raises InputError for whatever is missing or broken.
    """
    path = Path(model)
    if path.is_dir():
        path = path / "pose_cfg.yaml"
    return build_estimator(load_config(path.absolute(), overrides), weights, num_images, single_person)


def build_estimator(
    cfg, weights: str | os.PathLike | None = None, num_images: int | None = None, single_person: bool = False
) -> Estimator:
    """The model of a configuration, as `load_model` gives it. Raises InputError."""
    weights = weights or find_weights(cfg, num_images)
    spec = describe(cfg, weights)
    if single_person:
        return SinglePersonEstimator(_network(cfg, spec, weights), cfg)
    # The cheap reading comes first, so that its errors do not wait for the network.
    spatial_model = pairwise_models(cfg, spec)
    network = _network(cfg, spec, weights)
    tell_of_another_network(spatial_model, network.spec, weights)
    return PoseEstimator(network, spatial_model, cfg)


def pairwise_models(cfg, spec: ModelSpec) -> SpatialModel:
    """The pairwise models of a model. Raises InputError where it cannot tell people apart."""
    if spec.pairwise is None:
        raise InputError(
            f"{cfg.config_file}: pairwise_predict is off: such a network cannot tell people apart; "
            "demo/singleperson.py and load_model(..., single_person=True) find a single person"
        )
    return SpatialModel(cfg, spec.skeleton).load()


def load_network(cfg, weights: str | os.PathLike | None = None) -> Network:
    """The network of a configuration, ready for `maps(image)`. Raises InputError.

    weights: as in `load_model`
    """
    weights = weights or find_weights(cfg)
    return _network(cfg, describe(cfg, weights), weights)


def _network(cfg, spec: ModelSpec, weights: str | os.PathLike) -> Network:
    weights = os.fspath(weights)
    if weights.endswith(LITE_SUFFIX):
        from nnet.lite import LitePredictor

        return LitePredictor(cfg, spec, weights)

    require_checkpoint(weights)  # before TensorFlow is loaded

    from nnet.predict import Predictor

    return Predictor(cfg, spec).load(weights)


def find_weights(cfg, num_images: int | None = None) -> str:
    """What inference runs: the checkpoint of `find_checkpoint`, or a TensorFlow Lite model of it beside it.

    <checkpoint>.tflite always takes its place; <checkpoint>.quick.tflite only for few images (num_images; None:
    unknown): it starts without TensorFlow, but is slower then. Where `precision` is not auto, the checkpoint itself is
    run. Raises InputError.
    """
    checkpoint = find_checkpoint(cfg)
    if cfg.precision != "auto":
        return checkpoint
    kinds = {LITE_SUFFIX: "--tflite"}
    if num_images is not None and num_images <= FEW_IMAGES:
        kinds[QUICK_START] = "--quick_start"
    for suffix, option in kinds.items():
        lite = checkpoint + suffix
        if is_made_of(lite, checkpoint):
            return lite
        if os.path.isfile(lite):
            logging.warning(
                "%s: not used, since it was made from another checkpoint than %s; make a new one: tools/export.py %s",
                lite,
                checkpoint,
                option,
            )
    return checkpoint


def is_made_of(lite: str | os.PathLike, checkpoint: str | os.PathLike) -> bool:
    """Whether there is a TensorFlow Lite model, and of this checkpoint, as far as that is there itself.

    Raises InputError for a file that is damaged.
    """
    return os.path.isfile(lite) and checkpoint_id(checkpoint) in (None, read_notes(lite).get("checkpoint"))


def find_checkpoint(cfg) -> str:
    """`init_weights` if it was named over the YAML, else the newest snapshot beside that, else its `init_weights`."""
    newest = latest_snapshot(Path(cfg.config_file).parent, cfg.snapshot_prefix)
    named = "init_weights" in cfg.overridden and cfg.init_weights
    if not (newest or cfg.init_weights):
        raise InputError(
            f"{cfg.config_file}: no snapshot ({cfg.snapshot_prefix}-<step>.index) and no init_weights; "
            "train first (train.py), or name weights (init_weights=...)"
        )
    return named or newest or cfg.init_weights


def weights_file(weights: str | os.PathLike) -> Path:
    """A file of a checkpoint or model that changes with any of its weights: an index holds checksums of all arrays."""
    prefix = whole_generation(checkpoint_prefix(weights))
    return Path(weights) if os.path.isfile(prefix) else Path(prefix + INDEX)


# What changes maps, beside the model itself.
_OF_MAPS = "precision", "global_scale", "max_input_size", "tta"


def network_fingerprint(cfg, weights: str | os.PathLike) -> str:
    """What maps come from: weights, description and settings. Equal ones give the same maps of an image."""
    spec = replace(describe(cfg, weights), network="")
    return fingerprint([weights_file(weights), spec.as_table(), {key: cfg[key] for key in _OF_MAPS}])


def tell_of_another_network(spatial_model: SpatialModel, spec: ModelSpec, weights: str | os.PathLike) -> None:
    """A warning where pairwise models are known to be of another network than these weights."""
    if spatial_model.network and spec.network and spatial_model.network != spec.network:
        logging.warning(
            "%s: learnt from another network than %s; models of its own group people better (tools/train_pairwise.py)",
            spatial_model.folder,
            weights,
        )
