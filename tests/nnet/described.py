"""Configurations with the descriptions of their models."""

from dataclasses import replace

import numpy as np
from easydict import EasyDict

from config import make_config
from dataset.model_spec import ModelSpec, from_config
from dataset.pair_offsets import PairwiseStats


def described(pairwise: bool = False, **values) -> tuple[EasyDict, ModelSpec]:
    """A configuration, and the model it describes; pairwise: with that head, whose statistics are 0 and 1."""
    cfg = make_config(**values)
    spec = from_config(cfg)
    if pairwise:
        size = spec.num_joints * (spec.num_joints - 1), 2
        spec = replace(spec, pairwise=PairwiseStats(np.zeros(size), np.ones(size)))
    return cfg, spec
