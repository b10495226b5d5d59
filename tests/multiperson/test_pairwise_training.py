"""Owners of detections, what is learnt from few and from many people, and people grouped by learnt models."""

import numpy as np
import pytest

from config import make_config
from dataset.extent import joint_extent
from dataset.model_spec import REACH
from dataset.skeleton import from_config
from multiperson.detections import Nodes, extract_detections, flatten
from multiperson.pairwise_training import FALSE, UNKNOWN, auc, fit_logistic, make_scene, train_pairs
from multiperson.predict import SpatialModel, predict_people
from multiperson.simulate import NOISE_LEVELS, simulate_maps
from util.errors import InputError

JOINTS = 5
# Pixels from the middle of the person.
POSE = np.array([[0, -80], [-30, -40], [30, -40], [-20, 60], [20, 60]])
PAIRS = [(a, b) for a in range(JOINTS) for b in range(a + 1, JOINTS)]


def people_at(*middles, seed=0):
    rng = np.random.default_rng(seed)
    places = np.array(middles, float)[:, None] + POSE + rng.normal(scale=6, size=(len(middles), JOINTS, 2))
    return np.concatenate([places, np.ones((len(middles), JOINTS, 1))], axis=2)


def scene_of(people, noise="low", seed=0):
    maps = simulate_maps(people, 240, 400, 8, NOISE_LEVELS[noise], seed)
    return make_scene(flatten(extract_detections(make_config(), maps)), people, 17)


def nodes_at(part, coord):
    coord = np.array(coord, float)
    return Nodes(np.array(part), coord, coord, np.ones(len(coord)), np.zeros((len(coord), JOINTS - 1, 2)))


def model_of(models):
    model = SpatialModel(make_config(), from_config(make_config(num_joints=JOINTS)))
    model.use(models, REACH)
    return model


def test_the_owner_is_the_person_of_the_nearest_joint():
    people = people_at((100, 100), (130, 100))
    people[1, 4, 2] = 0
    x, y, _ = people[0, 0]
    near = people[1, 0, :2] + [1, 0]
    scene = make_scene(
        nodes_at([0, 0, 1, 0, 0, 4], [(x, y + 16), near, (x, y), (x, y + 20), (x, y + 50), (140, 110)]),
        people,
        threshold=17,
    )
    assert scene.owner.tolist() == [0, 1, FALSE, UNKNOWN, FALSE, UNKNOWN]


def test_large_people_own_detections_farther_from_their_joints():
    """The person is 140 px high; a fifth of that is 28. Beside the second joint stands a small person."""
    large, small = people_at((100, 100)), people_at((0, 0))
    small[..., :2] = large[0, 1, :2] + [14, 0] + small[..., :2] / 20
    people = np.concatenate([large, small])
    low, high = joint_extent(large)
    reach = 0.2 * (high - low).max()
    x, y, _ = large[0, 0]
    nodes = nodes_at([0, 0, 1], [(x, y - reach + 0.1), (x, y - reach - 0.1), people[1, 1, :2] - [4, 0]])
    assert make_scene(nodes, people, 5, share=0.2).owner.tolist() == [0, UNKNOWN, 0]
    assert make_scene(nodes, people, 5).owner.tolist() == [FALSE, FALSE, 1]


def test_detections_in_ignored_regions_are_unknown():
    known = np.array([False, True])
    scene = make_scene(nodes_at([0, 1], [(20, 20), (20, 100)]), np.zeros((1, JOINTS, 3)), 17, known=known)
    assert scene.owner.tolist() == [UNKNOWN, FALSE]
    assert scene.center.shape == (0, 2)


def test_the_logistic_fit_finds_the_model_that_made_the_data():
    rng = np.random.default_rng(0)
    truth = np.array([-1.5, -0.5, 0, -1, 0, 0.8, 0, 0.4, 0.7])
    features = rng.normal(size=(8, 20000))
    same = rng.random(20000) < 1 / (1 + np.exp(-(truth[:-1] @ features + truth[-1])))
    weights = fit_logistic(features, same, np.ones(20000), np.zeros(9), 0.1)
    np.testing.assert_allclose(weights, truth, atol=0.06)


def test_without_examples_the_fit_is_its_prior():
    mean = np.array([-1.0] * 4 + [1] * 4 + [0.5])
    np.testing.assert_allclose(fit_logistic(np.empty((8, 0)), np.empty(0, bool), np.empty(0), mean, 1.0), mean)


def test_auc_counts_pairs_in_order():
    score, same = np.array([3, 1, 2, 2]), np.array([True, False, False, True])
    assert auc(score, same) == (1 + 1 + 1 + 0.5) / 4
    assert np.isnan(auc(score, np.zeros(4, bool)))


@pytest.mark.parametrize("crowd", [False, True])
def test_learnt_models_group_people_again(crowd):
    """Learnt from three photos of one person each, without any pairs of strangers, and from eight of two people."""
    if crowd:
        scenes = [scene_of(people_at((120, 120), (220 + 10 * k, 110), seed=k), seed=k) for k in range(8)]
    else:
        scenes = [scene_of(people_at((200, 120), seed=k), seed=k) for k in range(3)]
    models, reports = train_pairs(scenes, PAIRS, JOINTS, REACH)
    assert [report.pair for report in reports] == list(models) == PAIRS
    assert all(report.auc > 0.95 for report in reports)
    assert all(report.negatives + report.synthetic >= 300 for report in reports)
    people = people_at((100, 120), (190, 110), (290, 130), seed=50)
    model = model_of(models)
    for noise in ("none", "low"):
        found = predict_people(model, make_config(), simulate_maps(people, 240, 400, 8, NOISE_LEVELS[noise], 9))
        assert len(found.score) == 3
        order = np.argsort(found.keypoints[:, 0, 0] + 1e4 * (found.keypoints[:, 0, 2] == 0))
        seen = found.keypoints[order][..., 2] > 0
        error = np.linalg.norm(found.keypoints[order][..., :2] - people[..., :2], axis=2)[seen]
        assert seen.mean() > 0.8 and error.max() < (1e-3 if noise == "none" else 10)


def test_an_unseen_part_takes_the_common_model():
    people = people_at((200, 120))
    people[0, 4, 2] = 0
    models, reports = train_pairs([scene_of(people, "none")], PAIRS, JOINTS, REACH)
    report = next(report for report in reports if report.pair == (0, 4))
    assert (report.positives, report.negatives, report.synthetic, report.own) == (0, 0, 0, False)
    assert np.isnan(report.auc)
    linear = models[0, 4].linear()
    assert (linear[:4] <= 0).all() and (linear[4:8] >= 0).all() and linear.any()


def test_scenes_without_people_are_refused():
    with pytest.raises(InputError, match="no two detections lie on joints of one annotated person"):
        train_pairs([scene_of(np.zeros((1, JOINTS, 3)))], PAIRS, JOINTS, REACH)
