"""Maps of an image kept in a file, as the lineage keeps them: <id>.mat with scoremaps, locreg_pred, pairwise_diff."""

import os
from pathlib import Path

import numpy as np

from util.checks import stays_inside
from util.errors import InputError
from util.maps import Maps
from util.matfile import read_mat, write_mat


def cache_path(folder: str | os.PathLike, image_id: int | str) -> Path:
    """Where the maps of an image are: the id is COCO's, or the name of the file without suffix.

    Raises InputError for an id that leads out of the folder.
    """
    if not stays_inside(str(image_id)):
        raise InputError(f"the image id {str(image_id)!r:.100} leads out of {folder}; give the image another one")
    return Path(folder) / f"{image_id}.mat"


def save_maps(path: str | os.PathLike, maps: Maps) -> None:
    """Write all maps, whole or not at all; pairwise offsets are evaluated at every cell."""
    rows, cols, _ = maps.part_prob.shape
    content = {"scoremaps": maps.part_prob.astype(np.float32)}
    if maps.locref is not None:
        content["locreg_pred"] = maps.locref.astype(np.float32)
    if maps.pairwise is not None:
        pairwise = maps.pairwise
        if callable(pairwise):
            cells = np.moveaxis(np.indices((rows, cols)), 0, -1).reshape(-1, 2)
            pairwise = pairwise(cells).reshape(rows, cols, -1, 2)
        content["pairwise_diff"] = pairwise.astype(np.float32)
    write_mat(path, content)


def load_maps(path: str | os.PathLike, num_joints: int) -> Maps:
    """Maps of `num_joints` parts from a file of ours or the lineage's. Raises InputError."""
    if not os.path.exists(path):
        raise InputError(f"{path}: no such file; tools/cache_scoremaps.py writes it")
    content = read_mat(path, "scoremaps")
    part_prob = _numbers(content["scoremaps"], path)
    if part_prob.ndim != 3 or part_prob.shape[2] != num_joints:
        raise InputError(f"{path}: scoremaps are {part_prob.shape}; expected (rows, cols, {num_joints})")
    rows, cols, _ = part_prob.shape
    shapes = {"locreg_pred": (rows, cols, num_joints, 2),
              "pairwise_diff": (rows, cols, num_joints * (num_joints - 1), 2)}  # fmt: skip
    more = {}
    for name, shape in shapes.items():
        more[name] = _numbers(content[name], path) if name in content else None
        if more[name] is not None and more[name].shape != shape:
            raise InputError(f"{path}: {name} is {more[name].shape}; expected {shape}")
    return Maps(part_prob, more["locreg_pred"], more["pairwise_diff"])


def _numbers(values, path) -> np.ndarray:
    values = np.asarray(values)
    if values.dtype.kind not in "fiu":
        raise InputError(f"{path}: expected arrays of numbers, found {values.dtype}")
    # MATLAB keeps columns together; what follows wants rows.
    return np.ascontiguousarray(values, np.float32)
