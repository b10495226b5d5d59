"""What a body is, as data: joint names, left/right pairs, limbs, part pairs for grouping, OKS sigmas.

`neckhead` is AIC in COCO's 17 slots: the neck in slot 0, the head top in slot 1, slots 2-4 never labelled.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from util.errors import InputError

Pairs = tuple[tuple[int, int], ...]

# Half of the official delta of each AIC joint (delta = 2 * sigma).
AIC_SIGMAS = (0.01388152, 0.01515228, 0.01057665, 0.01417709, 0.01497891, 0.01402144, 0.03909642,
              0.03686941, 0.01981803, 0.03843971, 0.03412318, 0.02415081, 0.01291456, 0.01236173)  # fmt: skip
# COCO's value for shoulders, in the middle of its range: for joints that nobody has measured.
DEFAULT_SIGMA = 0.079
# What the lineage calls MPII's upper neck and head top.
_AIC_NAMES = {"chin": "neck", "forehead": "head_top"}


@dataclass(frozen=True)
class Skeleton:
    """One kind of body with J joints; all pairs are of joint ids.

    symmetric_pairs: (left, right); limbs: drawn as lines; sparse_graph: pairs a < b worth an edge when
    detections are grouped (empty: all pairs); sigmas: per joint, for OKS (delta = 2 * sigma)
    """

    name: str
    keypoints: tuple[str, ...]
    symmetric_pairs: Pairs
    limbs: Pairs
    sparse_graph: Pairs
    sigmas: tuple[float, ...]

    @property
    def num_joints(self) -> int:
        return len(self.keypoints)

    @property
    def mirror_map(self) -> np.ndarray:
        """(J,) which joint takes each joint's place in the mirrored image."""
        return mirror_map(self.num_joints, self.symmetric_pairs)

    @property
    def to_aic(self) -> tuple[int, ...]:
        """For each of the 14 AIC joints, in their order, its id here. Raises InputError if one is missing."""
        ours = [_AIC_NAMES.get(name, name) for name in self.keypoints]
        missing = sorted(set(AIC.keypoints) - set(ours))
        if missing:
            raise InputError(f"skeleton {self.name} has no {', '.join(missing)}, which AI Challenger's format needs; "
                             "train on data converted by tools/ai2coco_art_neckhead_json.py")  # fmt: skip
        return tuple(map(ours.index, AIC.keypoints))


def mirror_map(num_joints: int, symmetric_pairs: Pairs) -> np.ndarray:
    """(J,) permutation that swaps the two joints of each pair and leaves the others."""
    swap = np.arange(num_joints)
    for a, b in symmetric_pairs:
        swap[a], swap[b] = b, a
    return swap


_TRUNK = ("left_shoulder right_shoulder, left_shoulder left_hip, right_shoulder right_hip, left_hip right_hip, "
          "left_shoulder left_elbow, left_elbow left_wrist, right_shoulder right_elbow, right_elbow right_wrist, "
          "left_hip left_knee, left_knee left_ankle, right_hip right_knee, right_knee right_ankle")  # fmt: skip
# The published graph: neighbours, and across one joint, so that a missing joint does not cut a limb off.
_TRUNK_GRAPH = _TRUNK + (", left_shoulder right_hip, right_shoulder left_hip, left_shoulder left_wrist, "
                         "right_shoulder right_wrist, left_hip left_ankle, right_hip right_ankle, "
                         "left_hip right_knee, right_hip left_knee, left_knee right_knee")  # fmt: skip
_NECK_GRAPH = _TRUNK_GRAPH + (
    ", head_top neck, head_top left_shoulder, head_top right_shoulder, neck left_shoulder, neck right_shoulder, "
    "neck left_elbow, neck right_elbow, neck left_hip, neck right_hip"
)
_NECK_LIMBS = _TRUNK + ", head_top neck, neck left_shoulder, neck right_shoulder"
_FACE = "nose left_eye right_eye left_ear right_ear"
_COCO_GRAPH = (
    _TRUNK_GRAPH + ", nose left_eye, nose right_eye, left_eye right_eye, left_eye left_ear, right_eye right_ear, "
    "nose left_ear, nose right_ear, left_ear left_elbow, right_ear right_elbow"
    + "".join(f", {part} left_shoulder, {part} right_shoulder" for part in _FACE.split())
)


def left_right_pairs(keypoints: Sequence[str]) -> Pairs:
    """(left_x, right_x) of every joint x that has both."""
    return tuple((i, keypoints.index("right_" + name[5:])) for i, name in enumerate(keypoints)
                 if name.startswith("left_") and "right_" + name[5:] in keypoints)  # fmt: skip


def _named(name: str, keypoints: str, limbs: str, graph: str, sigmas: dict[str, float]) -> Skeleton:
    """A skeleton from names; limbs and graph are "joint joint, joint joint, ..."; sigmas without left_/right_."""
    names = tuple(keypoints.split())

    def pairs(text):
        return tuple(tuple(sorted(map(names.index, pair.split()))) for pair in text.split(","))

    values = tuple(sigmas.get(joint, sigmas.get(joint.split("_", 1)[-1], DEFAULT_SIGMA)) for joint in names)
    return Skeleton(name, names, left_right_pairs(names), pairs(limbs), pairs(graph), values)


_BODY = ("left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist "
         "left_hip right_hip left_knee right_knee left_ankle right_ankle")  # fmt: skip
_AIC_KEYPOINTS = ("right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist "
                  "right_hip right_knee right_ankle left_hip left_knee left_ankle head_top neck")  # fmt: skip
_AIC_SIGMA = dict(zip(_AIC_KEYPOINTS.split(), AIC_SIGMAS, strict=True))
_COCO_SIGMA = {"nose": 0.026, "eye": 0.025, "ear": 0.035, "shoulder": 0.079, "elbow": 0.072, "wrist": 0.062,
               "hip": 0.107, "knee": 0.087, "ankle": 0.089}  # fmt: skip

COCO = _named("coco", _FACE + " " + _BODY,
              _TRUNK + ", nose left_eye, nose right_eye, left_eye left_ear, right_eye right_ear, "
              "left_ear left_shoulder, right_ear right_shoulder", _COCO_GRAPH, _COCO_SIGMA)  # fmt: skip
NECKHEAD = _named("neckhead", "neck head_top unused_2 unused_3 unused_4 " + _BODY, _NECK_LIMBS, _NECK_GRAPH, _AIC_SIGMA)
AIC = _named("aic", _AIC_KEYPOINTS, _NECK_LIMBS, _NECK_GRAPH, _AIC_SIGMA)
MPII = _named("mpii", "right_ankle right_knee right_hip left_hip left_knee left_ankle right_wrist right_elbow "
              "right_shoulder left_shoulder left_elbow left_wrist chin forehead",
              _TRUNK + ", chin forehead, chin left_shoulder, chin right_shoulder",
              _NECK_GRAPH.replace("head_top", "forehead").replace("neck", "chin"),
              {**_COCO_SIGMA, "chin": 0.026, "forehead": 0.026})  # fmt: skip
SKELETONS = (COCO, NECKHEAD, AIC, MPII)


def by_names(keypoints: Sequence[str]) -> Skeleton | None:
    """The known skeleton with exactly these joints in this order, else None."""
    return next((skeleton for skeleton in SKELETONS if skeleton.keypoints == tuple(keypoints)), None)


def from_config(cfg) -> Skeleton:
    """The skeleton that `skeleton` names, else one of `num_joints`, `all_joints` and `all_joints_names`.

    There a group of two is a left/right pair; limbs and sparse graph are unknown (empty). Raises InputError when
    the number of joints is missing or not the named skeleton's.
    """
    if cfg.skeleton:
        known = next(skeleton for skeleton in SKELETONS if skeleton.name == cfg.skeleton)
        if cfg.num_joints not in (None, known.num_joints):
            raise InputError(f"{cfg.config_file}: num_joints is {cfg.num_joints}, but the skeleton {cfg.skeleton} has "
                             f"{known.num_joints} joints")  # fmt: skip
        return known
    if cfg.num_joints is None:
        raise InputError(f"{cfg.config_file}: num_joints is missing: how many joints has one person?")
    groups = cfg.all_joints or [[joint] for joint in range(cfg.num_joints)]
    names = [""] * cfg.num_joints
    for number, group in enumerate(groups):
        kind = cfg.all_joints_names[number] if cfg.all_joints_names else f"joint{number}"
        for i, joint in enumerate(group, start=1):
            names[joint] = kind if len(group) == 1 else f"{kind}_{i}"
    pairs = tuple(tuple(group) for group in groups if len(group) == 2)
    return Skeleton("own", tuple(names), pairs, (), (), (DEFAULT_SIGMA,) * cfg.num_joints)


def from_category(category: dict, where: str) -> Skeleton:
    """The skeleton of an entry of COCO's `categories`: a known one by its joint names, or one built from it.

    An own one takes left/right pairs from the names (left_x, right_x), limbs from "skeleton" (pairs counted from
    1), OKS sigmas from "sigmas"; what is missing is said in one warning. `where` stands at the head of messages.
    """
    name = str(category.get("name", "?"))
    where = f"{where}: category {name!r}"
    keypoints = category.get("keypoints")
    if not isinstance(keypoints, list) or not keypoints or not all(isinstance(k, str) and k for k in keypoints):
        raise InputError(f"{where}: 'keypoints' must be a list of joint names, found {str(keypoints)[:60]}")
    twice = sorted({k for k in keypoints if keypoints.count(k) > 1})
    if twice:
        raise InputError(f"{where}: joint names must differ, but {', '.join(twice)} stands there more than once")
    known = by_names(keypoints)
    if known:
        return known
    notes = _unpaired(keypoints)
    limbs = _own_limbs(category, len(keypoints), where, notes)
    sigmas = _own_sigmas(category, len(keypoints), where, notes)
    if notes:
        logging.warning("%s (%d joints of its own): %s", where, len(keypoints), "; ".join(notes))
    pairs = left_right_pairs(keypoints)
    graph = tuple(sorted({tuple(sorted(pair)) for pair in limbs + pairs}))
    if not _connected(len(keypoints), graph):
        graph = ()
    return Skeleton(name, tuple(keypoints), pairs, limbs, graph, sigmas)


def _unpaired(keypoints: list[str]) -> list[str]:
    other = {"left": "right_", "right": "left_"}
    alone = [k for k in keypoints for side, _, rest in [k.partition("_")]
             if side in other and rest and other[side] + rest not in keypoints]  # fmt: skip
    return [f"{', '.join(alone)} without a joint of the other side: not swapped in mirrored images"] if alone else []


def _own_limbs(category: dict, num_joints: int, where: str, notes: list[str]) -> Pairs:
    limbs = category.get("skeleton")
    if not limbs:
        notes.append("no 'skeleton': no limbs are drawn and every pair of parts is used for grouping")
        return ()
    try:
        pairs = tuple((int(a) - 1, int(b) - 1) for a, b in limbs)
    except (TypeError, ValueError):
        raise InputError(f"{where}: 'skeleton' must be a list of pairs of joint numbers") from None
    for a, b in pairs:
        if not (0 <= a < num_joints and 0 <= b < num_joints) or a == b:
            raise InputError(f"{where}: 'skeleton': [{a + 1}, {b + 1}] is no pair of two joints; "
                             f"joints count from 1 to {num_joints}")  # fmt: skip
    return pairs


def _own_sigmas(category: dict, num_joints: int, where: str, notes: list[str]) -> tuple[float, ...]:
    sigmas = category.get("sigmas")
    if sigmas is None:
        notes.append(f"no 'sigmas': {DEFAULT_SIGMA} for every joint in OKS")
        return (DEFAULT_SIGMA,) * num_joints
    good = isinstance(sigmas, list) and len(sigmas) == num_joints and all(
        isinstance(s, int | float) and not isinstance(s, bool) and math.isfinite(s) and s > 0 for s in sigmas
    )  # fmt: skip
    if not good:
        raise InputError(f"{where}: 'sigmas' must be {num_joints} numbers > 0, one for each joint")
    return tuple(map(float, sigmas))


def _connected(num_joints: int, pairs: Pairs) -> bool:
    reached = {0}
    for _ in range(num_joints):
        reached |= {joint for pair in pairs if reached & set(pair) for joint in pair}
    return len(reached) == num_joints
