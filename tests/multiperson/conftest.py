"""The original system's pairwise models, as files and as a configuration."""

from types import SimpleNamespace

import numpy as np
import pytest

from config import make_config
from dataset.skeleton import from_config
from multiperson.pairwise_model import PairModel, model_path, save_model
from multiperson.predict import SpatialModel
from util.maps import Maps

LOCREF_STDEV = 7.2801


@pytest.fixture(scope="session")
def golden_model(golden_dir):
    with np.load(golden_dir / "pairwise_features_model.npz") as file:
        return dict(file)


@pytest.fixture(scope="session")
def model_dir(golden_model, tmp_path_factory):
    """A folder with the golden logistic models in the published layout."""
    folder = tmp_path_factory.mktemp("pairwise")
    fields = (golden_model[f"model/{name}"] for name in ("pairs", "w", "X_min", "X_max"))
    for (a, b), w, x_min, x_max in zip(*fields, strict=True):
        save_model(model_path(folder, a, b), PairModel(w, x_min, x_max))
    return folder


@pytest.fixture(scope="session", params=range(3))
def scene(request, golden_dir, golden_model, model_dir):
    """One golden scene: its maps in pixels, configuration and models, and the original's answers."""
    with np.load(golden_dir / f"pairwise_features_scene{request.param}.npz") as file:
        golden = dict(file)
    cfg = make_config(
        det_min_score=float(golden["det_min_score"]),
        pairwise_model_dir=str(model_dir),
        sparse_graph=golden_model["sparse_graph"].tolist() if golden["sparse"] else [],
    )
    skeleton = from_config(make_config(num_joints=17))
    rows, cols, _ = golden["part_prob"].shape
    # The original scales the offsets in single precision.
    means, std_devs = (golden_model[f"stats/{name}"].astype(np.float32) for name in ("means", "std_devs"))
    maps = Maps(
        golden["part_prob"],
        8,
        golden["locref"].reshape(rows, cols, 17, 2) * np.float32(LOCREF_STDEV),
        golden["pairwise_pred"].reshape(rows, cols, 272, 2) * std_devs + means,
    )
    return SimpleNamespace(cfg=cfg, maps=maps, model=SpatialModel(cfg, skeleton).load(), golden=golden)
