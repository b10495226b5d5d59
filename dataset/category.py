"""Skeletons as COCO's files have them: entries of `categories`."""

import logging
from typing import Any

from dataset.sides import lonely_sides
from dataset.skeleton import DEFAULT_SIGMA, Pairs, Skeleton, by_names, from_table, is_sigma, refuse_equal_names
from util.errors import InputError


def from_category(category: dict, where: str) -> Skeleton:
    """The skeleton of an entry of COCO's `categories`: a known one with these joint names, or a new one.

    A new one takes left/right pairs from the names, limbs from "skeleton" (pairs of joints, counted from 1, or from 0
    if there is a joint 0), OKS sigmas from "sigmas"; what is missing or impossible is said in one warning.
    `where` begins every message.
    """
    name = str(category.get("name", "?"))
    where = f"{where}: category {name!r}"
    keypoints = category.get("keypoints")
    if not isinstance(keypoints, list) or not keypoints or not all(isinstance(k, str) and k for k in keypoints):
        raise InputError(f"{where}: 'keypoints' must be a list of joint names, found {str(keypoints)[:60]}")
    refuse_equal_names(keypoints, where)
    known = by_names(keypoints)
    if known:
        return known
    notes = _unpaired(keypoints)
    limbs = _own_limbs(category, len(keypoints), notes)
    sigmas = _own_sigmas(category, len(keypoints), where, notes)
    if notes:
        logging.warning("%s (%d joints of its own): %s", where, len(keypoints), "; ".join(notes))
    table = {
        "name": name,
        "joints": list(zip(keypoints, sigmas, strict=True)),
        "limbs": [(keypoints[a], keypoints[b]) for a, b in limbs],
    }
    return from_table(table, where)


def _unpaired(keypoints: list[str]) -> list[str]:
    alone = lonely_sides(keypoints)
    return [f"{', '.join(alone)} without a joint of the other side: not swapped in mirrored images"] if alone else []


def _own_limbs(category: dict, num_joints: int, notes: list[str]) -> Pairs:
    limbs = category.get("skeleton")
    if not limbs:
        notes.append("no 'skeleton': no limbs are drawn and every pair of parts is used for grouping")
        return ()
    if not isinstance(limbs, list):
        notes.append("'skeleton' is no list of pairs of joint numbers: dropped")
        return ()
    pairs = [tuple(pair) for pair in limbs if _is_pair(pair)]
    # COCO counts from 1. A joint 0 means that the list counts from 0, unless it holds the last joint's number too.
    numbers = {joint for pair in pairs for joint in pair}
    first = 0 if 0 in numbers and num_joints not in numbers else 1
    good = [(a - first, b - first) for a, b in pairs if {a - first, b - first} <= set(range(num_joints))]
    dropped = len(limbs) - len(good)
    if dropped:
        notes.append(f"'skeleton': {dropped} of {len(limbs)} limbs are no pairs of two of its joints: dropped")
    return tuple(good)


def _is_pair(pair: Any) -> bool:
    """Whether these may be the numbers of two joints."""
    return isinstance(pair, list) and len(pair) == 2 and set(map(type, pair)) == {int} and pair[0] != pair[1]


def _own_sigmas(category: dict, num_joints: int, where: str, notes: list[str]) -> tuple[float, ...]:
    sigmas = category.get("sigmas")
    if sigmas is None:
        notes.append(f"no 'sigmas': {DEFAULT_SIGMA} for every joint in OKS")
        return (DEFAULT_SIGMA,) * num_joints
    if not isinstance(sigmas, list) or len(sigmas) != num_joints or not all(map(is_sigma, sigmas)):
        raise InputError(f"{where}: 'sigmas' must be {num_joints} numbers > 0, one for each joint")
    return tuple(map(float, sigmas))
