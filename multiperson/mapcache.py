"""Maps of images kept in files, to group parts without running the network.

A cache is a folder of .mat files as pose-tensorflow writes them (scoremaps, locreg_pred, pairwise_diff), named like
the images, each with a fingerprint of its image, and source.json with the fingerprint of the network.
"""

import os
from pathlib import Path

import numpy as np

from dataset.model_spec import ModelSpec
from util.checks import stays_inside
from util.errors import InputError
from util.files import read_json, write_json
from util.fingerprint import fingerprint
from util.maps import Maps, check_maps
from util.matfile import read_mat, write_mat

SOURCE, NETWORK = "source.json", "network"
# pose-tensorflow's names for what is in util.maps.Maps.
MAPS = {"part_prob": "scoremaps", "locref": "locreg_pred", "pairwise": "pairwise_diff"}


class MapCache:
    """The maps of images by one network.

    folder: need not exist yet
    network: its fingerprint (`multiperson.load.network_fingerprint`); None: any, as long as all maps are of the same
    is_known: whether the folder says which network its maps are from; pose-tensorflow's do not
    Raises InputError where the folder holds the maps of another network.
    """

    def __init__(self, folder: str | os.PathLike, network: str | None):
        self.folder, self.network = Path(folder), network
        source = self.folder / SOURCE
        self.is_known = source.exists()
        if self.is_known and network is not None and read_json(source) != {NETWORK: network}:
            raise InputError(
                f"{self.folder}: holds the maps of another network, or of other settings of it; remove "
                "the folder, or choose another one (scoremap_dir, cached_scoremaps)"
            )

    def path(self, name: str) -> Path:
        """The file of the image of this name. Raises InputError for a name that leads out of the folder."""
        if not stays_inside(name):
            raise InputError(f"the image name {name!r:.100} leads out of {self.folder}; give the image another one")
        return self.folder / f"{name}.mat"

    def has(self, name: str, image: Path) -> bool:
        """Whether there are maps of the image, written since it last changed."""
        try:
            return self.is_known and self.path(name).stat().st_mtime_ns >= image.stat().st_mtime_ns
        except OSError:
            return False

    def save(self, name: str, image: Path, maps: Maps) -> None:
        """Write the maps of an image, whole or not at all. Raises InputError."""
        if not self.is_known:
            if any(self.folder.rglob("*.mat")):
                raise InputError(
                    f"{self.folder}: holds maps of an unknown network (no {SOURCE}); remove the folder, or "
                    "choose another one (scoremap_dir)"
                )
            write_json(self.folder / SOURCE, {NETWORK: self.network})
            self.is_known = True
        save_maps(self.path(name), maps, fingerprint(image))

    def load(self, name: str, image: Path, spec: ModelSpec) -> Maps:
        """The maps of an image by this model. Raises InputError, also where they are of another image."""
        return load_maps(self.path(name), spec, fingerprint(image))


def save_maps(path: str | os.PathLike, maps: Maps, image: str = "") -> None:
    """Write all maps, whole or not at all; pairwise offsets are evaluated at every cell. Raises InputError.

    image: fingerprint of the image
    """
    if callable(maps.pairwise):
        rows, cols, _ = maps.part_prob.shape
        cells = np.moveaxis(np.indices((rows, cols)), 0, -1).reshape(-1, 2)
        maps = maps._replace(pairwise=maps.pairwise(cells).reshape(rows, cols, -1, 2))
    arrays = {name: getattr(maps, field) for field, name in MAPS.items()}
    content = {name: array.astype(np.float32) for name, array in arrays.items() if array is not None}
    write_mat(path, content | ({"image": image} if image else {}))


def load_maps(path: str | os.PathLike, spec: ModelSpec, image: str = "") -> Maps:
    """Maps by a model from a file of ours or pose-tensorflow's. Raises InputError.

    image: expected fingerprint of the image; pose-tensorflow's files have none
    """
    content = read_mat(path, "scoremaps", hint="; tools/cache_scoremaps.py writes it")
    if image and "image" in content and str(np.ravel(content["image"])[0]) != image:
        raise InputError(
            f"{path}: the maps of another image of this name, or of an earlier version of it; "
            "tools/cache_scoremaps.py writes new ones"
        )
    arrays = {field: _numbers(content[name], path) for field, name in MAPS.items() if name in content}
    maps = Maps(stride=spec.stride, **arrays)
    try:
        check_maps(maps, spec.num_joints)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error
    return maps


def _numbers(values, path) -> np.ndarray:
    values = np.asarray(values)
    if values.dtype.kind not in "fiu":
        raise InputError(f"{path}: expected arrays of numbers, found {values.dtype}")
    if not np.isfinite(values).all():
        raise InputError(f"{path}: holds values that are not finite; remove it, and check the weights")
    # MATLAB stores columns contiguously; the code here needs rows.
    return np.ascontiguousarray(values, np.float32)
