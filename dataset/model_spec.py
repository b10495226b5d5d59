"""What a trained model is: its joints, the geometry of its maps, and the units of what it predicts.

A configuration says what to do, a description what a model is. Training makes it once and writes it as model.yaml
beside the snapshots; exported models carry it inside (nnet/description.py).
"""

import os
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import yaml

from config import KEYS
from dataset import skeleton as skeletons
from dataset.pair_offsets import PairwiseStats, load_pairwise_stats
from dataset.skeleton import Skeleton
from util.errors import InputError
from util.files import atomic_path
from util.maps import joint_pairs

# The units of distances in pairwise models: pixels, as in the published ones, or shares of the distance at which a
# detection expects the other joints (`multiperson.detections.Nodes.reach`).
PIXELS, REACH = "", "reach"


@dataclass(frozen=True, eq=False)
class ModelSpec:
    """The description of a trained model.

    net_type: the backbone (`config.NET_TYPES`)
    mean_pixel: RGB, subtracted from the image
    locref_stdev: pixels, the unit of the offsets from cells to joints; None without that head
    intermediate_layer: the unit of ResNet's block 3 that training supervises, too; None without that head
    pairwise: statistics of the offsets between joints, by which the head normalises them; None without that head
    pairwise_scale: from their pixels to those of the network's input, where it learnt them: seen at another
        `global_scale`, the network still answers in the pixels it knows
    pairwise_unit: of distances, PIXELS or REACH, in the pairwise models to be learnt for it
    network: fingerprint of the weights (`nnet.checkpoint.network_id`); "" if unknown, or where there are several
    """

    skeleton: Skeleton
    net_type: str
    mean_pixel: tuple[float, float, float]
    locref_stdev: float | None
    intermediate_layer: int | None
    pairwise: PairwiseStats | None
    pairwise_scale: float
    pairwise_unit: str = REACH
    network: str = ""

    @property
    def num_joints(self) -> int:
        return self.skeleton.num_joints

    @property
    def stride(self) -> int:
        """Pixels per cell of the maps: half with a feature pyramid."""
        return 4 if self.net_type.endswith("_fpn") else 8

    @property
    def fill(self) -> tuple[int, int, int]:
        """The pixel that says nothing to the network, for what lies beyond an image."""
        return tuple(round(value) for value in self.mean_pixel)

    @property
    def heads(self) -> dict[str, int]:
        """Channels of each head."""
        joints = self.num_joints
        heads = {
            "part_pred": joints,
            "locref_pred": 2 * joints * (self.locref_stdev is not None),
            "pairwise_pred": 2 * joints * (joints - 1) * (self.pairwise is not None),
            "intermediate_supervision": joints * (self.intermediate_layer is not None),
        }
        return {name: channels for name, channels in heads.items() if channels}

    def pairwise_moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation (J(J-1), 2) of the offsets between joints, in pixels of the network's input."""
        return self.pairwise.means * self.pairwise_scale, self.pairwise.std_devs * self.pairwise_scale

    def as_table(self) -> dict[str, Any]:
        """The table that `from_table` makes the description of, readable, all in plain Python types."""
        table = {
            "network": self.network,
            "net_type": self.net_type,
            "stride": self.stride,
            "mean_pixel": list(self.mean_pixel),
            "skeleton": self.skeleton.as_table(),
            "locref_stdev": self.locref_stdev,
            "intermediate_supervision_layer": self.intermediate_layer,
        }
        if self.pairwise is not None:
            table |= {
                "pairwise_scale": self.pairwise_scale,
                "pairwise_unit": self.pairwise_unit,
                PAIRS: _pair_rows(self.pairwise, self.skeleton.keypoints),
            }
        return {key: value for key, value in table.items() if value not in ("", None)}


# From one joint to another: mean x, mean y, deviation x, deviation y; in the order of the network's channels.
PAIRS = "pairwise_offsets"
_OF_KEYS = "net_type", "mean_pixel", "locref_stdev", "intermediate_supervision_layer", "pairwise_scale"


def _pair_rows(stats: PairwiseStats, names: tuple[str, ...]) -> list[list]:
    pairs = joint_pairs(len(names))
    order = range(len(pairs)) if stats.channels is None else np.argsort(stats.channels).tolist()
    numbers = np.hstack([stats.means, stats.std_devs]).tolist()
    return [[names[pairs[row, 0]], names[pairs[row, 1]], *numbers[row]] for row in order]


def from_table(table: Any, where: str) -> ModelSpec:
    """The description that `ModelSpec.as_table` writes. Raises InputError; `where` begins its messages."""
    if not isinstance(table, dict) or not isinstance(table.get("skeleton"), dict):
        raise InputError(f"{where}: expected the description of a model, with net_type, mean_pixel and skeleton")
    values = {}
    for key in _OF_KEYS:
        try:
            values[key] = KEYS[key].kind.check(table[key]) if key in table else None
        except ValueError as error:
            raise InputError(f"{where}: {key}: expected {error}, found {table[key]!r:.100}") from None
    if None in (values["net_type"], values["mean_pixel"]) or table.get("pairwise_unit", REACH) not in (PIXELS, REACH):
        raise InputError(f"{where}: net_type, mean_pixel or pairwise_unit is missing or unknown")
    skeleton = skeletons.from_table(table["skeleton"], where)
    spec = ModelSpec(
        skeleton=skeleton,
        net_type=values["net_type"],
        mean_pixel=tuple(values["mean_pixel"]),
        locref_stdev=values["locref_stdev"],
        intermediate_layer=values["intermediate_supervision_layer"],
        pairwise=_read_pairs(table[PAIRS], skeleton, where) if PAIRS in table else None,
        pairwise_scale=values["pairwise_scale"] or 1.0,
        pairwise_unit=table.get("pairwise_unit", PIXELS),
        network=str(table.get("network", "")),
    )
    if table.get("stride", spec.stride) != spec.stride:
        raise InputError(
            f"{where}: stride is {table['stride']!r:.20}, but the maps of {spec.net_type} have {spec.stride}"
        )
    return spec


def _read_pairs(rows: Any, skeleton: Skeleton, where: str) -> PairwiseStats:
    names, pairs = skeleton.keypoints, joint_pairs(skeleton.num_joints)
    try:
        joints = np.array([[names.index(row[0]), names.index(row[1])] for row in rows]).reshape(len(rows), 2)
        numbers = np.array([row[2:] for row in rows], np.float64).reshape(len(rows), 4)
    except (TypeError, ValueError, LookupError, OverflowError):
        raise InputError(
            f"{where}: {PAIRS}: expected rows of two joints and four numbers: mean x and y, deviation x and y"
        ) from None
    channels = np.lexsort((joints[:, 1], joints[:, 0]))
    if not np.array_equal(joints[channels], pairs) or not np.isfinite(numbers).all() or not (numbers[:, 2:] > 0).all():
        raise InputError(
            f"{where}: {PAIRS}: expected each pair of joints once, with finite numbers, deviations above 0"
        )
    in_order = np.array_equal(channels, np.arange(len(pairs)))
    return PairwiseStats(numbers[channels, :2], numbers[channels, 2:], None if in_order else channels)


def write_spec(path: str | os.PathLike, spec: ModelSpec) -> None:
    """Write a description as YAML, one joint or pair a line, whole or not at all."""
    text = yaml.safe_dump(spec.as_table(), default_flow_style=None, sort_keys=False, allow_unicode=True, width=200)
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def from_config(cfg, skeleton: Skeleton | None = None) -> ModelSpec:
    """The description that YAML and statistics give: of a model to be trained, or whose weights came without one.

    skeleton: that of the data; by default the configuration's
    Raises InputError, also where the statistics are missing.
    """
    skeleton = skeleton or skeletons.from_config(cfg)
    pairwise = None
    if cfg.pairwise_predict:
        if skeleton.num_joints == 1:
            raise InputError(
                f"{cfg.config_file}: pairwise_predict: a single joint has no offsets to others; leave the key out"
            )
        pairwise = load_pairwise_stats(cfg.pairwise_stats_fn, skeleton.num_joints, cfg.tensorflow_pairwise_order)
    spec = ModelSpec(
        skeleton=skeleton,
        net_type=cfg.net_type,
        mean_pixel=tuple(cfg.mean_pixel),
        locref_stdev=cfg.locref_stdev if cfg.location_refinement else None,
        intermediate_layer=cfg.intermediate_supervision_layer if cfg.intermediate_supervision else None,
        pairwise=pairwise,
        pairwise_scale=cfg.pairwise_scale or cfg.global_scale,
    )
    if cfg.stride not in (None, spec.stride):
        raise InputError(
            f"{cfg.config_file}: stride is {cfg.stride}, but the maps of {spec.net_type} have {spec.stride}"
        )
    return spec


def agreed(cfg, found: ModelSpec, source: str) -> ModelSpec:
    """The description found in `source`, without the heads that the configuration switches off.

    Raises InputError where the configuration asks for something else than the model is.
    """
    known = {
        "net_type": found.net_type,
        "stride": found.stride,
        "mean_pixel": list(found.mean_pixel),
        "locref_stdev": found.locref_stdev or cfg.locref_stdev,
        "pairwise_scale": found.pairwise_scale,
        "location_refinement": found.locref_stdev is not None,
        "pairwise_predict": found.pairwise is not None,
    }
    for key in known.keys() & set(cfg.given):
        if cfg[key] not in (known[key], False):
            raise InputError(
                f"{cfg.config_file}: {key} is {cfg[key]}, but the model in {source} has {known[key]}: leave the key "
                "out, or name other weights (init_weights)"
            )
    if "pairwise_stats_fn" in cfg.overridden and found.pairwise is not None:
        _require_equal_statistics(cfg, found, source)
    switched_off = {key for key in ("location_refinement", "pairwise_predict") if key in cfg.given and not cfg[key]}
    return replace(
        found,
        skeleton=skeletons.agreed(cfg, found.skeleton, source),
        locref_stdev=None if "location_refinement" in switched_off else found.locref_stdev,
        pairwise=None if "pairwise_predict" in switched_off else found.pairwise,
    )


def _require_equal_statistics(cfg, found: ModelSpec, source: str) -> None:
    given = load_pairwise_stats(cfg.pairwise_stats_fn, found.num_joints)
    if not (np.allclose(given.means, found.pairwise.means) and np.allclose(given.std_devs, found.pairwise.std_devs)):
        raise InputError(
            f"{cfg.pairwise_stats_fn}: other offsets between joints than the model in {source} was trained with; "
            "leave pairwise_stats_fn out"
        )
