"""How likely two detections belong to one person: features, logistic model, its file.

Two detections of parts a < b, and the offsets that the network predicts from each to the other, give four
features: the distance and the angle between the observed offset and the predicted one, from a to b and from b
to a. These four, exp(-f) of each, scaled to [0, 1] by the range seen in training, and a constant enter a logistic
regression; one model per pair of parts.

Distances are in pixels in the published models, and in fifths of a detection's reach (`Nodes.reach`) in those learnt
here: what is far for somebody in the background is near for somebody in front.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dataset.model_spec import PIXELS, REACH
from multiperson.detections import Nodes
from util.errors import InputError
from util.matfile import read_mat, write_mat
from util.published import fetching_hint
from util.report import printable

NUM_FEATURES = 8
# Of the reach of the detection that expects the other: one unit of distance, where that is REACH.
SHARE_OF_REACH = 0.2
# (bias, slope): two detections of one part, d units apart, are one joint with the log-odds bias + slope * d.
SAME_PART = {PIXELS: (7.5, -0.2), REACH: (7.5, -10.0)}


class PairModel(NamedTuple):
    """P(same person) = 1 / (1 + exp(-w . [(features - x_min) / (x_max - x_min), 1]))."""

    w: np.ndarray  # (9,), the constant's weight last
    x_min: np.ndarray  # (8,)
    x_max: np.ndarray  # (8,)

    def linear(self) -> np.ndarray:
        """The same model on unscaled features: (9,) weights, the constant's last."""
        weights = self.w[:-1] / (self.x_max - self.x_min)
        return np.append(weights, self.w[-1] - weights @ self.x_min)


class Origin(NamedTuple):
    """What a model was learnt from; "" where unknown.

    first, second: names of the two parts
    network: fingerprint of the network that detected them (`nnet.checkpoint.network_id`)
    unit: of the distances, PIXELS or REACH
    """

    first: str = ""
    second: str = ""
    network: str = ""
    unit: str = PIXELS


UNKNOWN = Origin()


def pair_edges(pairs: Sequence[tuple[int, int]], counts: np.ndarray) -> np.ndarray:
    """Pairs of detections, (M, 2) int32, of the given pairs of parts a <= b; counts: detections of each part.

    Ordered by pair of parts, then by the first detection, then by the second; i < j within one part.
    """
    a, b = np.array(sorted(pairs), int).reshape(-1, 2).T
    first = np.cumsum(counts) - counts
    sizes = counts[a] * counts[b]
    block = np.repeat(np.arange(len(a)), sizes)
    local = np.arange(len(block)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    row, col = np.divmod(local, counts[b][block])
    edges = np.stack([first[a][block] + row, first[b][block] + col], axis=1).astype(np.int32)
    return edges[(a != b)[block] | (row < col)]


def distance_units(nodes: Nodes, unit: str) -> np.ndarray:
    """(N,) px: what distances from each detection are divided by; unit: PIXELS or REACH."""
    return SHARE_OF_REACH * nodes.reach() if unit == REACH else np.ones(len(nodes.part))


def pair_features(
    nodes: Nodes, edges: np.ndarray, unit: np.ndarray | float = 1.0, shift: np.ndarray | float = 0.0
) -> np.ndarray:
    """Features, float64 (8, M), of pairs (M, 2) of detections; meaningless for two of one part.

    unit: (N,) pixels, of distances from each detection
    shift: (M, 2) pixels by which the second detections are moved, together with their surroundings
    """
    i, j = edges.T
    a, b = nodes.part[i], nodes.part[j]
    observed = np.stack([nodes.coord[j] + shift - nodes.grid[i], nodes.coord[i] - nodes.grid[j] - shift])
    # In the list of the parts other than a, a later part b stands at b - 1; min for pairs of one part.
    last = nodes.outgoing.shape[1] - 1
    predicted = np.stack([nodes.outgoing[i, b - 1], nodes.outgoing[j, np.minimum(a, last)]])
    return _features(observed, predicted, np.broadcast_to(unit, len(nodes.part))[edges.T])


def _features(observed, predicted, unit):
    """Offsets (2, M, 2) forwards (a to b) and backwards, from a cell's centre to a refined position; unit: (2, M)."""
    features = np.empty((2, 4, observed.shape[1]))
    features[0, 0::2] = np.linalg.norm(observed - predicted, axis=2) / unit
    angle = np.abs(_direction(observed) - _direction(predicted))
    features[0, 1::2] = np.minimum(angle, 2 * np.pi - angle)
    np.exp(-features[0], out=features[1])
    return features.reshape(NUM_FEATURES, -1)


def _direction(offset):
    return np.arctan2(offset[..., 1], offset[..., 0])


def model_path(folder: str | os.PathLike, a: int, b: int) -> Path:
    """The file of the pair of parts a < b; the published names count from 1."""
    return Path(folder, f"spatial_model_cidx_{a + 1}_{b + 1}.mat")


def load_model(path: str | os.PathLike) -> tuple[PairModel, Origin]:
    """Read a model in the published layout, which has no origin. Raises InputError for anything else."""
    hint = fetching_hint(path) or "; tools/train_pairwise.py makes the models of all pairs"
    content = read_mat(path, "spatial_model", hint=hint)
    try:
        model = content["spatial_model"].ravel()[0]
        options, regression = (model[name].ravel()[0] for name in ("training_opts", "log_reg"))
        arrays = [np.asarray(x, np.float64).ravel() for x in (regression["w"], options["X_min"], options["X_max"])]
        origin = _read_origin(model)
    except (LookupError, AttributeError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: no spatial_model with log_reg.w and training_opts.X_min, X_max, or a damaged one: {error}"
        ) from error
    if origin.unit not in SAME_PART:
        raise InputError(f"{path}: distances in {printable(origin.unit)}, a unit unknown here; train the model again")
    if [x.shape for x in arrays] != [(NUM_FEATURES + 1,), (NUM_FEATURES,), (NUM_FEATURES,)]:
        raise InputError(f"{path}: expected 9 weights and 8 ranges, found {[x.size for x in arrays]}")
    if not all(np.isfinite(x).all() for x in arrays):
        raise InputError(f"{path}: the model has weights that are not finite; train it again")
    # This includes spans so small that weights divided by them would not be finite.
    if not (arrays[2] - arrays[1] > np.abs(arrays[0][:-1]) / np.finfo(np.float64).max).all():
        raise InputError(f"{path}: X_min is not below X_max in every feature; train the model again")
    return PairModel(*arrays), origin


def _read_origin(model) -> Origin:
    if "origin" not in model.dtype.names:
        return UNKNOWN
    fields = np.ravel(model["origin"])[0]
    known = [name for name in Origin._fields if name in fields.dtype.names]
    return Origin(**{name: "".join(map(str, np.ravel(fields[name]))) for name in known})


def require_origin(path: str | os.PathLike, origin: Origin, first: str, second: str) -> None:
    """Raise InputError if a model is known to be of other parts than these."""
    for found, wanted in ((origin.first, first), (origin.second, second)):
        if found and wanted and found != wanted:
            raise InputError(
                f"{path}: the model of {printable(origin.first)} and {printable(origin.second)}, in the "
                f"place of that of {first} and {second}; train the models of this skeleton "
                "(tools/train_pairwise.py)"
            )


def save_model(path: str | os.PathLike, model: PairModel, origin: Origin = UNKNOWN) -> None:
    """Write a model in the published layout, with its origin, whole or not at all."""
    content = {
        "training_opts": {"X_min": model.x_min[None], "X_max": model.x_max[None]},
        "log_reg": {"w": model.w[:, None]},
        "origin": origin._asdict(),
    }
    write_mat(path, {"spatial_model": content})
