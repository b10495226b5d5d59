"""Skeletons: names of joints, left/right pairs, limbs, edges for grouping, OKS sigmas, colours.

A data set and the networks trained on it share one skeleton; whatever mirrors, draws, scores, groups or writes uses it.
It comes from a table in YAML (skeletons/aic.yaml shows how to write one), from `categories` in COCO's files
(dataset/category.py), or from `all_joints`, pose-tensorflow's key. It is part of a trained model's description
(dataset/model_spec.py).
"""

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
from PIL import ImageColor

from config import NAMED_SKELETONS, named_skeleton_table
from dataset.sides import left_right_pairs, plain_name, plain_names
from util.errors import InputError
from util.report import printable

Pairs = tuple[tuple[int, int], ...]

# COCO's value for shoulders, in the middle of its range: the default for other joints.
DEFAULT_SIGMA = 0.079
LEFT, RIGHT, MIDDLE = "#ff4632", "#3c82ff", "#3cdc5a"
TABLE_KEYS = ("name", "joints", "pairs", "limbs", "sparse_graph")
# pose-tensorflow's names for MPII's upper neck and head top.
_AIC_NAMES = {"chin": "neck", "forehead": "head_top"}


@dataclass(frozen=True)
class Skeleton:
    """One kind of body with J joints; all pairs are of joint ids.

    symmetric_pairs: (left, right), None if unknown; limbs: drawn as lines
    sparse_graph: pairs worth an edge when parts are grouped into people (empty: all pairs)
    sigmas: per joint, for OKS (delta = 2 * sigma); colours: per joint, names of CSS or "#rrggbb"
    Joints whose names begin with "unused" are slots of the network without labels.
    """

    name: str
    keypoints: tuple[str, ...]
    symmetric_pairs: Pairs | None
    limbs: Pairs
    sparse_graph: Pairs
    sigmas: tuple[float, ...]
    colours: tuple[str, ...]

    @property
    def num_joints(self) -> int:
        return len(self.keypoints)

    @property
    def named(self) -> bool:
        """Whether the joints have names."""
        return self.keypoints != numbered_names(self.num_joints)

    @property
    def used(self) -> tuple[int, ...]:
        """The joints that may be labelled."""
        return tuple(joint for joint, name in enumerate(self.keypoints) if not name.startswith("unused"))

    @property
    def mirror_map(self) -> np.ndarray:
        """(J,) which joint takes each joint's place in the mirrored image."""
        swap = np.arange(self.num_joints)
        for a, b in self.symmetric_pairs or ():
            swap[a], swap[b] = b, a
        return swap

    def require_sides(self, where: str, wish: str) -> None:
        """Raise InputError if left and right are unknown; wish: the setting of `where` that needs them."""
        if self.symmetric_pairs is None:
            names = ", ".join(self.keypoints[:3]) + ", ..." * (self.num_joints > 3)
            raise InputError(
                f"{where}: {wish} swaps left and right, but the joints' names ({names}) tell "
                "no sides: name the pairs in all_joints or in the skeleton's `pairs` ([] if there are "
                "none)"
            )

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {name: joint for joint, name in enumerate(plain_names(self.keypoints))}

    def joint(self, name: str) -> int | None:
        """The id of a joint by name, in any spelling; None if there is no such joint."""
        return self._ids.get(plain_name(name))

    def shared_joints(self, other: "Skeleton") -> list[int]:
        """The ids, in another skeleton, of its joints that exist here by name."""
        return [joint for joint, name in enumerate(other.keypoints) if self.joint(name) is not None]

    def convert(self, keypoints: np.ndarray, other: "Skeleton") -> np.ndarray:
        """People (K, J, 3) with the joints of another skeleton; zeros for those missing here."""
        shared = self.shared_joints(other)
        converted = np.zeros((len(keypoints), other.num_joints, 3), np.asarray(keypoints).dtype)
        converted[:, shared] = keypoints[:, [self.joint(other.keypoints[joint]) for joint in shared]]
        return converted

    def edges(self, cfg) -> list[tuple[int, int]]:
        """Pairs a < b of parts that have edges according to `cfg.sparse_graph`, in order.

        "skeleton": those of the skeleton; an empty list, in either place: all pairs of joints in use
        Raises InputError for what is no pair of two joints.
        """
        chosen = self.sparse_graph if cfg.sparse_graph == "skeleton" else cfg.sparse_graph
        for pair in chosen:
            if pair[0] == pair[1] or max(pair) >= self.num_joints:
                raise InputError(
                    f"{cfg.config_file}: sparse_graph: {pair} is no pair of two of the {self.num_joints} joints"
                )
        return sorted({(min(pair), max(pair)) for pair in chosen}) or list(combinations(self.used, 2))

    @property
    def has_aic_joints(self) -> bool:
        return not self._missing_aic()

    @property
    def to_aic(self) -> tuple[int, ...]:
        """For each of the 14 AIC joints, in their order, its id here. Raises InputError if one is missing."""
        missing = self._missing_aic()
        if missing:
            raise InputError(
                f"skeleton {self.name} has no {', '.join(missing)}, which AI Challenger's format needs; "
                "train on data converted by tools/ai2coco_art_neckhead_json.py"
            )
        return tuple(map(self._aic_ids.__getitem__, AIC.keypoints))

    @cached_property
    def _aic_ids(self) -> dict[str, int]:
        return {_AIC_NAMES.get(name, name): joint for name, joint in self._ids.items()}

    def _missing_aic(self) -> list[str]:
        return sorted(set(AIC.keypoints) - set(self._aic_ids))

    def as_table(self) -> dict[str, Any]:
        """The table that `from_table` makes the skeleton of."""
        names, usual = self.keypoints, side_colours(self.num_joints, self.symmetric_pairs)

        def named(pairs):
            return [[names[a], names[b]] for a, b in pairs]

        joints = [
            [name, sigma] + [colour] * (colour != usual[joint])
            for joint, (name, sigma, colour) in enumerate(zip(names, self.sigmas, self.colours, strict=True))
        ]
        table = {"name": self.name, "joints": joints}
        if self.symmetric_pairs is not None:
            table["pairs"] = named(self.symmetric_pairs)
        return table | {"limbs": named(self.limbs), "sparse_graph": named(self.sparse_graph)}


def numbered_names(num_joints: int) -> tuple[str, ...]:
    """Names for joints without names."""
    return tuple(f"joint{joint}" for joint in range(num_joints))


def side_colours(num_joints: int, symmetric_pairs: Pairs | None) -> tuple[str, ...]:
    """A colour per joint: one for the left side, one for the right, one for the middle."""
    colours = [MIDDLE] * num_joints
    for left, right in symmetric_pairs or ():
        colours[left], colours[right] = LEFT, RIGHT
    return tuple(colours)


def from_table(table: dict[str, Any], where: str) -> Skeleton:
    """The skeleton of a YAML table with the keys

        name          of the whole
        joints        in the order of the score maps, each a name or [name, sigma, colour]
        pairs         [left, right] joints; by default those with matching names
        limbs         pairs of joints
        sparse_graph  pairs of joints; by default limbs and pairs, if these connect all joints

    where: begins every message. Raises InputError.
    """
    name = printable(table.get("name") or "own")
    where = f"{where}: skeleton {name}"
    unknown = [key for key in table if key not in TABLE_KEYS]
    if unknown:
        raise InputError(f"{where}: unknown key {str(unknown[0])[:60]!r}{_hint(unknown[0], TABLE_KEYS)}")
    if not isinstance(table.get("joints"), list | tuple) or not table["joints"]:
        raise InputError(f"{where}: 'joints' must be a list of names")
    rows = [_joint_row(row, f"{where}: joint {number}") for number, row in enumerate(table["joints"], start=1)]
    names = tuple(name for name, _, _ in rows)
    refuse_equal_names(names, where)
    pairs = _sides(names)
    if table.get("pairs") is not None:
        pairs = _pairs_of(table, "pairs", names, where)
        joints = [joint for pair in pairs for joint in pair]
        if len(joints) > len(set(joints)):
            raise InputError(f"{where}: 'pairs' has a joint in two pairs")
    limbs = _pairs_of(table, "limbs", names, where)
    graph = _pairs_of(table, "sparse_graph", names, where) or _graph(len(names), limbs, pairs)
    usual = side_colours(len(names), pairs)
    colours = tuple(colour or usual[joint] for joint, (_, _, colour) in enumerate(rows))
    sigmas = tuple(sigma for _, sigma, _ in rows)
    return Skeleton(name, names, pairs, limbs, sparse_graph=graph, sigmas=sigmas, colours=colours)


def _joint_row(row: Any, where: str) -> tuple[str, float, str | None]:
    """Name, sigma and colour of a joint."""
    name, sigma, colour, *rest = [*row, None, None] if isinstance(row, list | tuple) and row else [row, None, None]
    if not _is_name(name) or any(value is not None for value in rest):
        raise InputError(f"{where}: expected a name or [name, sigma, colour], found {str(row)[:60]!r}")
    if sigma is not None and not is_sigma(sigma):
        raise InputError(f"{where}: the sigma of {name} must be a number above 0, found {str(sigma)[:60]!r}")
    if colour is not None:
        try:
            ImageColor.getrgb(colour)
        except (ValueError, AttributeError, TypeError):
            raise InputError(f"{where}: {str(colour)[:60]!r} is no colour; write one as red or '#ff8000'") from None
    return name, float(sigma or DEFAULT_SIGMA), colour


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def is_sigma(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0


def refuse_equal_names(names: Sequence[str], where: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{where}: joint names must differ, but {', '.join(twice)} occurs more than once")


def _pairs_of(table: dict[str, Any], key: str, names: tuple[str, ...], where: str) -> Pairs:
    pairs = table.get(key) or ()
    if not isinstance(pairs, list | tuple):
        raise InputError(f"{where}: '{key}' must be a list of pairs of joints")
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) != 2 or pair[0] == pair[1]:
            raise InputError(f"{where}: '{key}': {printable(pair)} is no pair of two joints")
        for name in pair:
            if name not in names:
                raise InputError(f"{where}: '{key}': {str(name)[:60]!r} is not one of its joints{_hint(name, names)}")
    return tuple(dict.fromkeys((names.index(a), names.index(b)) for a, b in pairs))


def _hint(word: Any, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(str(word)[:60], known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _sides(names: Sequence[str]) -> Pairs | None:
    """The left/right pairs by the names; a single joint has none."""
    return left_right_pairs(names) or (() if len(names) == 1 else None)


def _graph(num_joints: int, limbs: Pairs, pairs: Pairs | None) -> Pairs:
    """The limbs and the left/right pairs, if they connect all joints; otherwise nothing, which means all pairs."""
    graph = tuple(sorted({tuple(sorted(pair)) for pair in limbs + (pairs or ())}))
    return graph if _connected(num_joints, graph) else ()


def _connected(num_joints: int, pairs: Pairs) -> bool:
    reached = {0}
    for _ in range(num_joints):
        reached |= {joint for pair in pairs if reached & set(pair) for joint in pair}
    return len(reached) == num_joints


# Each file in skeletons/ is a skeleton.
SKELETONS = {name: from_table(named_skeleton_table(name), str(path)) for name, path in NAMED_SKELETONS.items()}
AIC, COCO, MPII, NECKHEAD = map(SKELETONS.__getitem__, ("aic", "coco", "mpii", "neckhead"))


def by_names(keypoints: Sequence[str]) -> Skeleton | None:
    """The known skeleton with these joints in this order, in any spelling, or None."""
    wanted = plain_names(keypoints)
    return next((known for known in SKELETONS.values() if plain_names(known.keypoints) == wanted), None)


def from_config(cfg) -> Skeleton:
    """The skeleton of a configuration: of `skeleton`, or else of `all_joints` and `num_joints`.

    Raises InputError if it has neither, or they contradict each other.
    """
    if cfg.num_joints is None:
        raise InputError(
            f"{cfg.config_file}: num_joints is missing: how many joints has one person? `skeleton` names them all"
        )
    if not cfg.skeleton:
        return _from_groups(cfg)
    return _with_groups(cfg, from_table(cfg.skeleton, cfg.skeleton_source), cfg.skeleton_source)


def _from_groups(cfg) -> Skeleton:
    """Of `all_joints` (a group of two is a left/right pair) and `all_joints_names`, or of mere numbers."""
    names = list(numbered_names(cfg.num_joints))
    for group, kind in zip(cfg.all_joints or (), cfg.all_joints_names or (), strict=False):
        for number, joint in enumerate(group, start=1):
            names[joint] = kind if len(group) == 1 else f"{kind}_{number}"
    refuse_equal_names(names, f"{cfg.config_file}: all_joints_names")
    # DeepLabCut's files have groups of one joint only; there the names may tell the sides.
    pairs = (_group_pairs(cfg) or left_right_pairs(names)) if cfg.all_joints else _sides(names)
    sigmas = (DEFAULT_SIGMA,) * cfg.num_joints
    colours = side_colours(cfg.num_joints, pairs)
    return Skeleton("own", tuple(names), pairs, limbs=(), sparse_graph=(), sigmas=sigmas, colours=colours)


def _group_pairs(cfg) -> Pairs:
    return tuple(tuple(group) for group in cfg.all_joints if len(group) == 2)


def _with_groups(cfg, skeleton: Skeleton, source: str) -> Skeleton:
    """The skeleton of `source` with the pairs of `all_joints`, which must match its own, if any."""
    if not cfg.all_joints:
        return skeleton
    return _with_pairs(skeleton, _group_pairs(cfg), source, f"all_joints of {cfg.config_file}")


def _with_pairs(skeleton: Skeleton, pairs: Pairs | None, source: str, other: str) -> Skeleton:
    """The skeleton of `source` with the left/right pairs of `other`; the two must not differ."""
    if pairs is None:
        return skeleton
    if skeleton.symmetric_pairs is None:
        usual = side_colours(skeleton.num_joints, pairs)
        colours = tuple(new if old == MIDDLE else old for old, new in zip(skeleton.colours, usual, strict=True))
        return replace(skeleton, symmetric_pairs=pairs, colours=colours)
    ours, theirs = ({frozenset(pair) for pair in known} for known in (skeleton.symmetric_pairs, pairs))
    for pair in sorted(map(sorted, ours ^ theirs)):
        names = " and ".join(skeleton.keypoints[joint] for joint in pair)
        has, lacks = (source, other) if frozenset(pair) in ours else (other, source)
        raise InputError(
            f"{names} (joints {pair[0]} and {pair[1]}) are left and right in {has}, but not in {lacks}; "
            "correct one of the two, or leave it out"
        )
    return skeleton


def agreed(cfg, found: Skeleton, source: str) -> Skeleton:
    """The common skeleton of a configuration and of data or weights, `found` in `source`.

    It is the configuration's, completed by the one found. Raises InputError if joints or left/right pairs of the two
    contradict each other.
    """
    if cfg.num_joints not in (None, found.num_joints):
        raise InputError(
            f"{cfg.config_file}: num_joints is {cfg.num_joints}, but {source} has {found.num_joints} joints"
        )
    if not cfg.skeleton:
        return _with_groups(cfg, found, source)
    own = from_config(cfg)
    if not found.named:
        return own
    spelled_alike = zip(plain_names(own.keypoints), plain_names(found.keypoints), strict=True)
    for joint, (ours, theirs) in enumerate(spelled_alike):
        if ours != theirs:
            raise InputError(
                f"{cfg.skeleton_source}: joint {joint} is {own.keypoints[joint]} in skeleton {own.name}, but "
                f"{found.keypoints[joint]} in {source}"
            )
    own = _with_pairs(own, found.symmetric_pairs, cfg.skeleton_source, source)
    unmeasured = set(own.sigmas) == {DEFAULT_SIGMA}
    return replace(
        own,
        limbs=own.limbs or found.limbs,
        sparse_graph=own.sparse_graph or found.sparse_graph,
        sigmas=found.sigmas if unmeasured else own.sigmas,
    )
