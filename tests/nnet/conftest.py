"""The weights by formula and the dense targets that the golden numbers of the network were made with; a small model."""

import zlib

import numpy as np
import pytest

from config import make_config
from dataset.model_spec import from_config
from dataset.pair_offsets import save_pairwise_stats
from nnet.targets import Targets


def formula_weight(name: str, shape) -> np.ndarray:
    """Random weights that depend on the variable's name alone (He scaling; the root's variance undoes its input's)."""
    rng = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
    head = name.startswith("pose/")
    kind = name.rpartition("/")[2]
    if kind == "weights":
        inputs = shape[0] * shape[1] * shape[3 if head else 2]
        value = rng.standard_normal(shape) * np.sqrt(2 / inputs) * (0.1 if head else 1)
    elif kind == "gamma":
        value = rng.uniform(*(0.1, 0.3) if "conv3/" in name else (0.5, 1.5), shape)
    elif kind == "moving_variance":
        value = rng.uniform(0.5, 1.5, shape) * (1e4 if name.count("/") == 3 else 1)
    else:
        value = 0.1 * rng.standard_normal(shape)
    return value.astype(np.float32)


@pytest.fixture(scope="session")
def set_formula_weights():
    """A function that gives the variables (by slim name) of a network their weights by formula."""

    def assign(variables):
        for name, variable in variables.items():
            variable.assign(formula_weight(name, tuple(variable.shape)))

    return assign


@pytest.fixture(scope="module")
def small_model(tiny_resnet, set_formula_weights, tmp_path_factory):
    """The configuration of a small network of four joints with all heads; its weights and statistics are in files."""
    from nnet.checkpoint import write_checkpoint
    from nnet.pose_net import PoseNet

    folder = tmp_path_factory.mktemp("model")
    rng = np.random.default_rng(5)
    save_pairwise_stats(folder / "pairwise_stats.mat", rng.normal(0, 20, (12, 2)), rng.uniform(5, 9, (12, 2)))
    cfg = make_config(
        all_joints=[[0], [1, 3], [2]],
        all_joints_names=["neck", "hand", "foot"],
        net_type="resnet_18",
        location_refinement=True,
        pairwise_predict=True,
        pairwise_stats_fn=str(folder / "pairwise_stats.mat"),
        init_weights=str(folder / "weights"),
        global_scale=0.5,
    )
    variables = PoseNet(cfg, from_config(cfg)).slim_variables()
    set_formula_weights(variables)
    write_checkpoint(cfg.init_weights, {name: variable.numpy() for name, variable in variables.items()})
    return cfg


@pytest.fixture(scope="session")
def golden_targets():
    """A function that makes Targets of the original's dense maps of a batch, by their names."""

    def convert(batch):
        part = batch["part_score_targets"]
        positive = np.argwhere(part).astype(np.int32)
        cells, at = np.unique(positive[:, :3], axis=0, return_inverse=True)

        def offsets(name, *shape):
            return batch[name].reshape(*part.shape, *shape)[tuple(positive.T)]

        return Targets(
            part=part,
            part_weight=batch["part_score_weights"],
            positive=positive,
            locref=offsets("locref_targets", 2),
            cells=cells,
            at=at.ravel().astype(np.int32),
            pairwise=offsets("pairwise_targets", 16, 2),
            pairwise_mask=offsets("pairwise_mask", 16, 2)[..., 0],
        )

    return convert
