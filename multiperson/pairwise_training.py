"""Learning the logistic models of `pairwise_model` from detections on annotated images.

A pair of detections is an example of "same person" when both lie on joints of one person, and of "different" when
one lies on a person's joint and the other elsewhere. Photos of one person show hardly any of the second kind, so
pairs with few of them get synthetic ones: detections of two people (or of one, twice), moved to a random distance.

A common model is fitted to the examples of all pairs of parts together. Each pair's own model departs from it as far as
its examples support that: the prior is a Gaussian around the common weights. With few examples a pair keeps the common
model, without any threshold.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import rankdata
from tqdm import tqdm

from dataset.augment import prepare
from dataset.extent import joint_extent
from dataset.pose_dataset import PoseDataset
from multiperson.detections import Nodes, extract_detections, flatten
from multiperson.pairwise_model import NUM_FEATURES, PairModel, distance_units, pair_edges, pair_features
from nnet.network import Network
from util.errors import InputError, each_good

# Owner of a detection that is on no labelled joint: it is wrong, or nobody can tell.
FALSE, UNKNOWN = -1, -2
# Pairs of parts with fewer negative examples are filled up to this number with synthetic ones.
MIN_NEGATIVES = 300
# Synthetic neighbours stand at a distance uniform in this range, in mean sizes of the two people.
NEIGHBOUR_DISTANCE = 0.3, 3.0
# Standard deviation, in sizes of the person, of the error added to a second copy of every positive example: the
# network predicts better on the images it was trained on than it will on others.
UNSEEN_ERROR = 0.02
# Precision of the Gaussian priors on the weights of standardised features: of the common model around 0, and of each
# pair's around the common one.
COMMON_PRIOR, OWN_PRIOR = 0.1, 1.0
# A detection has many edges, and its errors affect all of them, so that the sum of their log-odds is too confident.
# Scaling each down groups better on simulated scenes: tools/benchmark.py grouping.
EVIDENCE_SHARE = 0.7
# A better match never lowers the probability: distances and angles have weights <= 0, their exp(-f) >= 0. Without
# this the weights of exp(-distance), which differs from 0 for a few pixels only, would be noise.
BOUNDS = [(None, 0)] * 4 + [(0, None)] * 4 + [(None, None)]
# A pair of parts with fewer positive examples is reported as using the common model.
FEW_POSITIVES = 10


class Scene(NamedTuple):
    """The detections of one image and their owners.

    owner: (N,) row of the person, FALSE or UNKNOWN
    center: (P, 2) middle of each person, size: (P,) diagonal of the joints' extent, pixels
    """

    nodes: Nodes
    owner: np.ndarray
    center: np.ndarray
    size: np.ndarray


class Examples(NamedTuple):
    """Pairs of detections: features (8, M), same (M,) bool, weight (M,)."""

    features: np.ndarray
    same: np.ndarray
    weight: np.ndarray


class PairReport(NamedTuple):
    """How one pair of parts was learnt.

    positives, negatives: seen in the images; synthetic: negatives added to them
    auc: area under the ROC curve of all of these, NaN without positives
    own: whether there were enough positives to say more than the common model
    """

    pair: tuple[int, int]
    positives: int
    negatives: int
    synthetic: int
    auc: float
    own: bool


def collect_scenes(dataset: PoseDataset, network: Network, cfg, number: int) -> list[Scene]:
    """What a network detects in `number` random images of a data set, with the owners of the detections.

    Images that cannot be read are named in the log and left out. Raises InputError if none is left.
    """

    def look_at(index):
        sample = prepare(dataset, network.spec, dataset[int(index)], cfg.global_scale, mirror=False)
        nodes = flatten(extract_detections(cfg, network.maps(sample.image)))
        cols, rows = (nodes.grid // network.spec.stride).astype(int).T
        known = sample.weight[rows, cols] > 0
        return make_scene(nodes, sample.people, cfg.pos_dist_thresh * sample.scale, cfg.pos_dist_share, known)

    order = np.random.default_rng(cfg.seed).permutation(len(dataset))[:number]
    images = tqdm(order, unit="image", disable=None)
    return [scene for _, scene in each_good(images, look_at, "images")]


def make_scene(
    nodes: Nodes, people: np.ndarray, threshold: float, share: float = 0.0, known: np.ndarray | None = None
) -> Scene:
    """Find the owner of each detection by the annotations.

    people: (P, J, 3) x, y, flag in the pixels of the detections
    threshold, share: pixels, and a share of the longer side of a person's extent; the larger one holds for that person
    known: (N,) bool, False where the annotations say nothing

    A detection belongs to a labelled joint of its part within the threshold, to the nearest one in thresholds. Others
    are FALSE, but UNKNOWN up to twice the threshold, where the annotations say nothing, and within the extent of a
    person whose joint of that part has no label.
    """
    people = np.asarray(people, float)
    people = people[(people[..., 2] > 0).any(axis=1)]
    low, high = joint_extent(people)
    reach = np.maximum(threshold, share * (high - low).max(axis=1, initial=0))
    owner = np.full(len(nodes.part), FALSE)
    if known is not None:
        owner[~known] = UNKNOWN
    if len(people):
        labelled = people[:, nodes.part, 2] > 0  # (P, N)
        inside = np.all((nodes.coord >= low[:, None]) & (nodes.coord <= high[:, None]), axis=2)
        owner[np.any(inside & ~labelled, axis=0)] = UNKNOWN
        distance = np.linalg.norm(people[:, nodes.part, :2] - nodes.coord, axis=2)
        distance = np.where(labelled, distance / reach[:, None], np.inf)
        nearest = distance.argmin(axis=0)
        near = distance.min(axis=0)
        owner[near <= 2] = UNKNOWN
        owner[near <= 1] = nearest[near <= 1]
    return Scene(nodes, owner, (low + high) / 2, np.maximum(np.linalg.norm(high - low, axis=1), 2 * reach))


def train_pairs(
    scenes: Sequence[Scene], pairs: Sequence[tuple[int, int]], num_joints: int, unit: str, seed: int = 0
) -> tuple[dict[tuple[int, int], PairModel], list[PairReport]]:
    """Models and reports of the pairs of parts (a < b), from the detections of many images.

    unit: of distances (`model_spec.PIXELS` or REACH)

    Raises InputError if no pair of detections belongs to one person.
    """
    rng = np.random.default_rng(seed)
    seen = _seen_examples(scenes, pairs, num_joints, unit, rng)
    pool = _Pool(scenes, unit)
    examples, counts = {}, {}
    for pair in pairs:
        negatives, positives, blurred = seen[pair]
        synthetic = pool.synthetic_negatives(pair, max(0, MIN_NEGATIVES - negatives.shape[1]), rng)
        counts[pair] = [features.shape[1] for features in (positives, negatives, synthetic)]
        examples[pair] = _balanced(np.hstack([negatives, synthetic]), np.hstack([positives, blurred]))
    every = Examples(*(np.concatenate(parts, axis=-1) for parts in zip(*examples.values(), strict=True)))
    if not every.same.any():
        raise InputError(
            "no two detections lie on joints of one annotated person: train the network longer, "
            "lower det_min_score, or check that people have several labelled joints"
        )
    scale = _Scale(every.features)
    common = fit_logistic(
        scale.standardise(every.features), every.same, every.weight, np.zeros(NUM_FEATURES + 1), COMMON_PRIOR
    )
    models, reports = {}, []
    for pair, (features, same, weight) in examples.items():
        own = fit_logistic(scale.standardise(features), same, weight, common, OWN_PRIOR)
        models[pair] = scale.model(own)
        area = auc(own[:-1] @ scale.standardise(features), same)
        reports.append(PairReport(pair, *counts[pair], area, counts[pair][0] >= FEW_POSITIVES))
    return models, reports


def _seen_examples(scenes, pairs, num_joints, unit, rng):
    """{pair: features (8, m) of the negatives, of the positives and of the positives with an error added}.

    From all pairs of detections in which one has an owner and neither is UNKNOWN.
    """
    features, kind, key = [np.empty((NUM_FEATURES, 0))], [np.empty(0, int)], [np.empty(0, int)]
    for nodes, owner, _, size in scenes:
        edges = pair_edges(pairs, np.bincount(nodes.part, minlength=num_joints))
        owners = owner[edges]
        # Two wrong detections may well belong to one person without annotation.
        edges = edges[(owners != UNKNOWN).all(axis=1) & (owners != FALSE).any(axis=1)]
        same = owner[edges[:, 0]] == owner[edges[:, 1]]
        error = UNSEEN_ERROR * rng.normal(size=(same.sum(), 2)) * size[owner[edges[same, 0]]][:, None]
        units = distance_units(nodes, unit)
        features += [pair_features(nodes, edges, units), pair_features(nodes, edges[same], units, error)]
        kind += [same.astype(int), np.full(same.sum(), 2)]
        edges = np.concatenate([edges, edges[same]])
        key.append(nodes.part[edges[:, 0]] * num_joints + nodes.part[edges[:, 1]])
    features, kind, key = np.concatenate(features, axis=1), np.concatenate(kind), np.concatenate(key)
    order = np.lexsort((kind, key))
    key = key[order] * 3 + kind[order]
    result = {}
    for a, b in pairs:
        bounds = np.searchsorted(key, 3 * (a * num_joints + b) + np.arange(4))
        result[a, b] = [features[:, order[start:end]] for start, end in itertools.pairwise(bounds)]
    return result


class _Pool:
    """All detections with an owner, from which to make pairs of strangers."""

    def __init__(self, scenes, unit):
        def owned(scene):
            kept = scene.owner >= 0
            owner = scene.owner[kept]
            return *(field[kept] for field in scene.nodes), scene.center[owner], scene.size[owner]

        *nodes, self.center, self.size = map(np.concatenate, zip(*map(owned, scenes), strict=True))
        self.nodes = Nodes(*nodes)
        self.units = distance_units(self.nodes, unit)

    def synthetic_negatives(self, pair, count, rng) -> np.ndarray:
        """Features (8, count) of pairs of strangers; empty if a part was never detected."""
        of_a, of_b = (np.flatnonzero(self.nodes.part == part) for part in pair)
        if not (len(of_a) and len(of_b)):
            count = 0
        edges = np.stack([rng.choice(part, count) if count else np.empty(0, int) for part in (of_a, of_b)], axis=1)
        direction = rng.uniform(0, 2 * np.pi, count)
        distance = rng.uniform(*NEIGHBOUR_DISTANCE, count) * self.size[edges].mean(axis=1)
        step = distance[:, None] * np.stack([np.cos(direction), np.sin(direction)], axis=1)
        # The second person is moved by this step away from the first.
        shift = self.center[edges[:, 0]] + step - self.center[edges[:, 1]]
        return pair_features(self.nodes, edges, self.units, shift)


def _balanced(negatives, positives):
    """Weighted examples: each class weighs as much as the smaller one has pairs; each positive occurs twice.

    A prior of one half is generous for a pair in a crowd. But the costs of many pairs add up in grouping, and only a
    balanced model is neutral where the features are uninformative.
    """
    counts = np.array([negatives.shape[1], positives.shape[1]])
    total = min(counts[0], counts[1] / 2)
    weight = np.repeat(total / np.maximum(counts, 1), counts)
    return Examples(np.hstack([negatives, positives]), np.repeat([False, True], counts), weight)


class _Scale:
    """Features to mean 0 and deviation 1, for fitting; the published models scale to [0, 1] by the range instead."""

    def __init__(self, features):
        self.mean, self.deviation = features.mean(axis=1), features.std(axis=1)
        # exp(-f) is in [0, 1] already. For a distance it hardly varies, which must not make its weight huge.
        self.deviation[NUM_FEATURES // 2 :] = 1
        self.deviation[self.deviation == 0] = 1
        self.x_min, self.x_max = features.min(axis=1), features.max(axis=1)
        # A feature that never varies is uninformative, but its range must not be empty.
        self.x_max[self.x_max == self.x_min] += 1

    def standardise(self, features) -> np.ndarray:
        return (features - self.mean[:, None]) / self.deviation[:, None]

    def model(self, weights) -> PairModel:
        """The model with these weights (9,) on standardised features, scaled down to the share of the evidence used."""
        weights = EVIDENCE_SHARE * weights
        slope = weights[:-1] / self.deviation
        constant = weights[-1] - slope @ self.mean
        return PairModel(
            np.append(slope * (self.x_max - self.x_min), constant + slope @ self.x_min), self.x_min, self.x_max
        )


def fit_logistic(
    features: np.ndarray, same: np.ndarray, weight: np.ndarray, mean: np.ndarray, precision: float
) -> np.ndarray:
    """Weights (9,), the constant's last, of a logistic regression on standardised features.

    features (8, M), same (M,) bool, weight (M,); mean (9,) and precision of the Gaussian prior
    """
    design = np.vstack([features, np.ones(len(same))])
    target = np.where(same, 1.0, -1.0)

    def loss_and_gradient(w):
        margin = target * (w @ design)
        loss = weight @ np.logaddexp(0, -margin) + precision / 2 * np.sum((w - mean) ** 2)
        return loss, -design @ (weight * target * expit(-margin)) + precision * (w - mean)

    return minimize(loss_and_gradient, mean, method="L-BFGS-B", jac=True, bounds=BOUNDS, options={"maxiter": 1000}).x


def auc(score: np.ndarray, same: np.ndarray) -> float:
    """Probability that a random example of "same" has a higher score than a random other one; NaN without either."""
    positives = np.count_nonzero(same)
    negatives = len(same) - positives
    if not (positives and negatives):
        return float("nan")
    return (rankdata(score)[same].sum() - positives * (positives + 1) / 2) / (positives * negatives)
