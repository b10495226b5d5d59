"""From detections to people: the costs of a graph over the detections, and people from the clusters of its multicut."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from easydict import EasyDict

from dataset.model_spec import PIXELS
from dataset.skeleton import Skeleton
from lib import people_cython
from lib.pairwise_cython import pair_costs
from multiperson.detections import Detections, extract_detections, flatten
from multiperson.grouping import Graph, group
from multiperson.pairwise_model import (
    NUM_FEATURES,
    SAME_PART,
    PairModel,
    distance_units,
    load_model,
    model_path,
    require_origin,
)
from util.errors import InputError
from util.maps import Maps

MIN_PROBABILITY = 1e-7
MAX_COST = np.log((1 - MIN_PROBABILITY) / MIN_PROBABILITY)
# The confidence of a guessed joint is its score map's value there, but at least this, since 0 means missing.
MIN_GUESS_CONFIDENCE = 0.01
# The default of `min_keypoints`, unless a person has fewer joints.
FEWEST_PARTS = 3


class People(NamedTuple):
    """K people.

    keypoints: float64 (K, J, 3) x, y in pixels and confidence; all 0 where the person lacks the joint
    score: (K,) mean of the confidences over all J joints, so that a missing one counts as 0, and a guessed one, too
    """

    keypoints: np.ndarray
    score: np.ndarray

    @classmethod
    def of(cls, keypoints: np.ndarray) -> "People":
        """The people with these keypoints."""
        return cls(keypoints, keypoints[..., 2].mean(axis=1))


def named_joints(names: Sequence[str], keypoints: np.ndarray) -> dict[str, dict[str, float]]:
    """The joints (J, 3) of a person in plain Python types, for JSON; missing ones are left out."""
    return {
        name: {"x": round(x, 2), "y": round(y, 2), "confidence": round(confidence, 4)}
        for name, (x, y, confidence) in zip(names, keypoints.tolist(), strict=True)
        if confidence > 0
    }


class SpatialModel:
    """The logistic models of all pairs of a skeleton's parts that have edges (`Skeleton.edges`).

    Raises InputError if people of that skeleton would never be found.
    """

    def __init__(self, cfg: EasyDict, skeleton: Skeleton):
        self.skeleton, self.num_joints = skeleton, skeleton.num_joints
        most = len(self.skeleton.used)
        self.min_keypoints = cfg.min_keypoints or min(FEWEST_PARTS, most)
        if self.min_keypoints > most:
            raise InputError(
                f"{cfg.config_file}: nobody would be found: min_keypoints is {cfg.min_keypoints}, but the "
                f"number of joints is {most}"
            )
        self.folder = cfg.pairwise_model_dir
        self.pairs = self.skeleton.edges(cfg)
        self.joined = np.zeros((self.num_joints, self.num_joints), np.uint8)
        self.joined[tuple(np.reshape(self.pairs, (-1, 2)).T)] = 1
        # Weights of the features of the pair (a, b), a < b, and of the constant.
        self.weights = np.zeros((self.num_joints, self.num_joints, NUM_FEATURES + 1))
        self.unit = PIXELS
        # Fingerprint of the network whose detections the models were learnt from; "" if unknown.
        self.network = ""

    def load(self) -> "SpatialModel":
        """Read the models of all pairs from `cfg.pairwise_model_dir`.

        Raises InputError, also where they are of other pairs of joints, or of several networks.
        """
        names = self.skeleton.keypoints if self.skeleton.named else [""] * self.num_joints
        models, sources = {}, {}
        for a, b in self.pairs:
            path = model_path(self.folder, a, b)
            models[a, b], origin = load_model(path)
            require_origin(path, origin, names[a], names[b])
            sources.setdefault((origin.network, origin.unit), path)
        if len(sources) > 1:
            first, second, *_ = sources.values()
            raise InputError(
                f"{second}: learnt from another network than {first.name}, or in another way; train all models of the "
                "folder together (tools/train_pairwise.py)"
            )
        for network, unit in sources:
            self.network = network
            self.use(models, unit)
        return self

    def use(self, models: Mapping[tuple[int, int], PairModel], unit: str) -> None:
        """Take these models of pairs of parts; unit: of their distances, `model_spec.PIXELS` or REACH."""
        self.unit = unit
        for pair, model in models.items():
            self.weights[pair] = model.linear()


def eval_graph(spatial_model: SpatialModel, detections: Detections) -> Graph:
    """Costs of all detections and of all pairs that have edges: same-part pairs, and those of the model."""
    if len(detections.conf) != spatial_model.num_joints:
        raise ValueError(f"detections of {len(detections.conf)} parts for a model of {spatial_model.num_joints}")
    nodes = flatten(detections)
    same_bias, same_slope = SAME_PART[spatial_model.unit]
    edges, cost = pair_costs(
        np.cumsum([0, *map(len, detections.conf)]),
        nodes.coord,
        nodes.grid,
        nodes.outgoing,
        distance_units(nodes, spatial_model.unit),
        spatial_model.joined,
        spatial_model.weights,
        same_bias=same_bias,
        same_slope=same_slope,
        limit=MAX_COST,
    )
    probability = np.clip(nodes.conf, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    unary = np.log((1 - probability) / probability)
    return Graph(unary, edges, cost, nodes.part, nodes.conf, nodes.coord)


def get_person_conf_multicut(spatial_model: SpatialModel, graph: Graph, labels: np.ndarray) -> People:
    """One person per cluster, in the order of the labels.

    A joint lies at the mean of its detections in the cluster, weighted by their confidences; its confidence is the
    highest of these. Suppressed detections (label -1) take no part.
    """
    offsets = graph.offsets(spatial_model.num_joints)
    return People.of(people_cython.average_people(labels, offsets, graph.conf, graph.coord))


def drop_strays(spatial_model: SpatialModel, graph: Graph, labels: np.ndarray) -> np.ndarray:
    """The labels, but -1 where a person has a more certain detection of the same part that is probably another joint.

    Their other edges may keep two detections of one part in a cluster although they lie far apart; their mean would
    lie at neither of them.
    """
    offsets = graph.offsets(spatial_model.num_joints)
    return people_cython.drop_strays(labels, offsets, graph.conf, graph.edges, graph.cost)


def fill_missing_joints(maps: Maps, detections: Detections, labels: np.ndarray, people: People) -> People:
    """Guess missing joints: the mean of where the person's detections expect them, weighted by confidence.

    A guess outside the image stays missing. Guesses say nothing about whether there is a person: the scores stay.
    """
    nodes = flatten(detections)
    member = (labels[None] == np.arange(len(people.score))[:, None]) * nodes.conf
    guess = np.einsum("kn,njx->kjx", member, nodes.expected_joints()) / member.sum(axis=1)[:, None, None]
    cells = np.floor(guess / maps.stride).astype(int)
    shape = maps.part_prob.shape
    fill = (people.keypoints[..., 2] == 0) & np.all((cells >= 0) & (cells < [shape[1], shape[0]]), axis=2)
    keypoints = people.keypoints.copy()
    keypoints[fill, :2] = guess[fill]
    there = maps.part_prob[cells[fill, 1], cells[fill, 0], np.nonzero(fill)[1]]
    keypoints[fill, 2] = np.maximum(there, MIN_GUESS_CONFIDENCE)
    return people._replace(keypoints=keypoints)


def predict_people(spatial_model: SpatialModel, cfg: EasyDict, maps: Maps) -> People:
    """The people in an image's maps, the highest score first, in pixels of the network's input."""
    detections = extract_detections(cfg, maps)
    graph = eval_graph(spatial_model, detections)
    labels = drop_strays(spatial_model, graph, group(cfg, graph))
    people = get_person_conf_multicut(spatial_model, graph, labels)
    enough = np.count_nonzero(people.keypoints[..., 2], axis=1) >= spatial_model.min_keypoints
    enough &= people.score >= cfg.min_person_score
    if cfg.fill_missing_joints:
        people = fill_missing_joints(maps, detections, labels, people)
    order = np.argsort(-people.score, kind="stable")
    order = order[enough[order]]
    return People(people.keypoints[order], people.score[order])
