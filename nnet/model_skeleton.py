"""The skeleton that travels with a network: skeleton.yaml beside a checkpoint, notes inside a TensorFlow Lite model."""

import os
from pathlib import Path

import yaml
from easydict import EasyDict

from config import SKELETON_FILE, read_skeleton_table, with_skeleton
from dataset.skeleton import Skeleton, agreed, from_config, from_table
from nnet.lite_file import SUFFIX as LITE_SUFFIX
from nnet.lite_file import read_notes
from util.errors import InputError
from util.files import atomic_path


def with_skeleton_of(cfg: EasyDict, weights: str | os.PathLike) -> EasyDict:
    """The configuration, completed by the skeleton that travels with `weights`, if one does.

    Raises InputError where they contradict each other, or neither says what the joints are.
    """
    found, source = read_skeleton(weights)
    skeleton = agreed(cfg, found, source) if found else from_config(cfg)
    return with_skeleton(cfg, skeleton.as_table(), source) if found else cfg


def read_skeleton(weights: str | os.PathLike) -> tuple[Skeleton | None, str]:
    """The skeleton beside a checkpoint or inside a TensorFlow Lite model, and its source; None if there is none."""
    path = Path(weights)
    table = read_notes(path).get("skeleton") if path.suffix == LITE_SUFFIX else None
    if not table:
        path = path.with_name(SKELETON_FILE)
        table = read_skeleton_table(path) if path.exists() else None
    return (from_table(table, str(path)) if table else None), str(path)


def keep_beside(weights: str | os.PathLike, skeleton: Skeleton) -> None:
    """Write skeleton.yaml beside a checkpoint. Raises InputError if one with other joints is there."""
    found, path = read_skeleton(weights)
    if found and found.keypoints != skeleton.keypoints:
        raise InputError(f"{path}: has other joints than {skeleton.name}; move it away with the snapshots beside it")
    write_skeleton(path, skeleton)


def write_skeleton(path: str | os.PathLike, skeleton: Skeleton) -> None:
    """Write the skeleton as YAML, one joint or pair per line, whole or not at all."""
    text = yaml.safe_dump(skeleton.as_table(), default_flow_style=None, sort_keys=False, allow_unicode=True, width=120)
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
