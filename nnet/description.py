"""Where a model's description (dataset.model_spec) is kept: beside a checkpoint, or inside a TensorFlow Lite model."""

import os
from pathlib import Path

from config import read_skeleton_table
from dataset import model_spec, skeleton
from dataset.model_spec import ModelSpec
from nnet.lite_file import SUFFIX as LITE_SUFFIX
from nnet.lite_file import read_notes
from util.errors import InputError
from util.yamlfile import read_yaml

SPEC_FILE = "model.yaml"
# What trainings wrote before they wrote SPEC_FILE.
SKELETON_FILE = "skeleton.yaml"


def describe(cfg, weights: str | os.PathLike | None) -> ModelSpec:
    """What the model of these weights is: by its own description, else (also without weights) by YAML and statistics.

    Raises InputError where the configuration contradicts the description, and where neither is complete.
    """
    if weights is None:
        return model_spec.from_config(cfg)
    found, source = read_spec(weights)
    if found:
        return model_spec.agreed(cfg, found, source)
    old = Path(weights).with_name(SKELETON_FILE)
    if not old.exists():
        return model_spec.from_config(cfg)
    of_weights = skeleton.from_table(read_skeleton_table(old), str(old))
    return model_spec.from_config(cfg, skeleton.agreed(cfg, of_weights, str(old)))


def read_spec(weights: str | os.PathLike) -> tuple[ModelSpec | None, str]:
    """The description that came with weights, and where it stands; None if there is none. Raises InputError."""
    path = Path(weights)
    if path.suffix == LITE_SUFFIX:
        return model_spec.from_table(read_notes(path)["model"], str(path)), str(path)
    path = path.with_name(SPEC_FILE)
    return (model_spec.from_table(read_yaml(path), str(path)) if path.exists() else None), str(path)


def keep_beside(weights: str | os.PathLike, spec: ModelSpec) -> None:
    """Write the description beside weights. Raises InputError if that of another model is there."""
    found, path = read_spec(weights)
    if found:
        ours, theirs = spec.as_table(), found.as_table()
        for key in sorted((ours | theirs).keys() - {"network"}):
            if ours.get(key) != theirs.get(key):
                raise InputError(
                    f"{path}: describes another model: its {key} differs; move it away with the snapshots beside it"
                )
    model_spec.write_spec(path, spec)
