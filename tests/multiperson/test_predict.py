"""Graph and people equal the original's and those of slow twins."""

import numpy as np
import pytest
from easydict import EasyDict
from hypothesis import given, settings
from hypothesis import strategies as st

from config import make_config
from dataset.model_spec import PIXELS, REACH
from dataset.skeleton import AIC, NECKHEAD, from_config
from lib.multicut_cython import solve_multicut
from multiperson.detections import Detections, extract_detections
from multiperson.grouping import Graph
from multiperson.pairwise_model import Origin, PairModel, model_path, save_model
from multiperson.predict import (
    SpatialModel,
    drop_strays,
    eval_graph,
    fill_missing_joints,
    get_person_conf_multicut,
    predict_people,
)
from util.errors import InputError
from util.maps import Maps, pair_index


def objective(graph, labels):
    chosen = labels >= 0
    i, j = graph.edges.T
    together = chosen[i] & chosen[j] & (labels[i] == labels[j])
    return graph.unary[chosen].sum() + graph.cost[together].sum()


def golden_labels(golden):
    """The reference's clusters, numbered from 0, -1 for suppressed detections; and its person rows for them."""
    kept = golden["suppressed"] == 0
    rows, numbers = np.unique(golden["cluster"][kept], return_inverse=True)
    labels = np.full(len(kept), -1)
    labels[kept] = numbers
    return labels, golden["person_conf"][rows]


def slow_graph(model, detections):
    """`eval_graph` by its definition, one pair at a time."""
    nodes = [(part, k) for part, conf in enumerate(detections.conf) for k in range(len(conf))]
    edges, cost = [], []
    for a in range(model.num_joints):
        for b in range(a, model.num_joints):
            if a != b and (a, b) not in model.pairs:
                continue
            for first, (part_1, k1) in enumerate(nodes):
                for second, (part_2, k2) in enumerate(nodes):
                    if part_1 == a and part_2 == b and (a != b or k1 < k2):
                        edges.append((first, second))
                        cost.append(slow_cost(model, detections, a, k1, b, k2))
    return np.array(edges).reshape(-1, 2), np.array(cost)


def slow_cost(model, detections, a, k1, b, k2):
    position_a, position_b = detections.coord[a][k1], detections.coord[b][k2]
    if a == b:
        probability = 1 / (1 + np.exp(0.2 * np.linalg.norm(position_a - position_b) - 7.5))
    else:
        forward = position_b - detections.coord_grid[a][k1]
        backward = position_a - detections.coord_grid[b][k2]
        features = []
        for seen, expected in (
            (forward, detections.pairwise[a][k1, pair_index(a, b, model.num_joints)]),
            (backward, detections.pairwise[b][k2, pair_index(b, a, model.num_joints)]),
        ):
            angle = abs(np.arctan2(seen[1], seen[0]) - np.arctan2(expected[1], expected[0]))
            features += [np.hypot(*(seen - expected)), min(angle, 2 * np.pi - angle)]
        features += [np.exp(-f) for f in features]
        probability = 1 / (1 + np.exp(-(model.weights[a, b] @ [*features, 1])))
    probability = np.clip(probability, 1e-7, 1 - 1e-7)
    return np.log((1 - probability) / probability)


def random_detections(rng, counts, num_joints):
    def each(shape, scale=1.0):
        return [rng.uniform(0, scale, (n, *shape)) for n in counts]

    return Detections(each((2,), 100), each((2,), 100), each((1,)), each((num_joints * (num_joints - 1), 2), 50))


def joints(number):
    return from_config(make_config(num_joints=number))


def random_model(rng, num_joints, sparse_graph=()):
    model = SpatialModel(make_config(sparse_graph=list(sparse_graph)), joints(num_joints))
    for a, b in model.pairs:
        model.weights[a, b] = rng.normal(scale=0.1, size=9)
    return model


def test_the_graph_equals_the_originals(scene):
    graph = eval_graph(scene.model, extract_detections(scene.cfg, scene.maps))
    np.testing.assert_array_equal(graph.edges, scene.golden["pair_index"])
    np.testing.assert_allclose(graph.unary, scene.golden["unary_cost"], rtol=1e-4)
    np.testing.assert_allclose(graph.cost, scene.golden["pair_cost"], rtol=1e-4)
    np.testing.assert_allclose(1 / (1 + np.exp(graph.cost)), scene.golden["pair_prob"], atol=1e-5)


def test_people_equal_the_originals(scene):
    graph = eval_graph(scene.model, extract_detections(scene.cfg, scene.maps))
    labels, positions = golden_labels(scene.golden)
    people = get_person_conf_multicut(scene.model, graph, labels)
    np.testing.assert_allclose(people.keypoints[..., :2], positions, atol=1e-3)
    np.testing.assert_allclose(people.score, people.keypoints[..., 2].sum(axis=1) / 17)


def test_the_solution_is_as_good_as_the_reference(scene):
    graph = eval_graph(scene.model, extract_detections(scene.cfg, scene.maps))
    reference = objective(graph, golden_labels(scene.golden)[0])
    assert objective(graph, solve_multicut(graph.unary, graph.edges, graph.cost)) <= reference + 1e-6 * abs(reference)


@pytest.mark.parametrize("sparse_graph", [(), [(3, 1), (0, 2)]])
def test_the_graph_equals_its_slow_twin(sparse_graph):
    rng = np.random.default_rng(3)
    for counts in ([3, 0, 4, 2], [0, 0, 0, 0], [0, 0, 1, 0], [1, 1, 1, 5]):
        model = random_model(rng, 4, sparse_graph)
        detections = random_detections(rng, counts, 4)
        graph = eval_graph(model, detections)
        edges, cost = slow_graph(model, detections)
        np.testing.assert_array_equal(graph.edges, edges)
        np.testing.assert_allclose(graph.cost, cost, rtol=1e-7)


@given(st.integers(0, 10**6), st.floats(-500, 500), st.floats(-500, 500))
@settings(max_examples=30, deadline=None)
def test_costs_do_not_depend_on_the_place_in_the_image(seed, x, y):
    rng = np.random.default_rng(seed)
    model = random_model(rng, 3)
    detections = random_detections(rng, rng.integers(0, 6, 3), 3)
    moved = detections._replace(
        coord=[coord + [x, y] for coord in detections.coord],
        coord_grid=[grid + [x, y] for grid in detections.coord_grid],
    )
    np.testing.assert_allclose(eval_graph(model, moved).cost, eval_graph(model, detections).cost, rtol=1e-6, atol=1e-6)


def test_suppressed_detections_belong_to_nobody():
    model = random_model(np.random.default_rng(0), 3)
    graph = eval_graph(model, random_detections(np.random.default_rng(1), [2, 1, 2], 3))
    people = get_person_conf_multicut(model, graph, np.array([0, -1, -1, 0, 1]))
    assert (people.keypoints[..., 2] > 0).tolist() == [[True, False, True], [False, False, True]]
    nobody = get_person_conf_multicut(model, graph, np.full(5, -1))
    assert nobody.keypoints.shape == (0, 3, 3) and nobody.score.shape == (0,)


def test_a_joint_of_two_detections_is_their_weighted_mean():
    detections = Detections(
        [np.array([[10.0, 20], [16, 8]]), np.zeros((0, 2))],
        [np.zeros((2, 2)), np.zeros((0, 2))],
        [np.array([[0.9], [0.3]]), np.zeros((0, 1))],
        [np.zeros((2, 2, 2)), np.zeros((0, 2, 2))],
    )
    model = random_model(np.random.default_rng(0), 2)
    people = get_person_conf_multicut(model, eval_graph(model, detections), np.array([0, 0]))
    np.testing.assert_allclose(people.keypoints, [[[11.5, 17, 0.9], [0, 0, 0]]])
    np.testing.assert_allclose(people.score, [0.45])


def test_a_stray_is_dropped_and_a_neighbour_is_not():
    """In person 0: the surest of part 0 is node 1, node 0 may be it, node 2 hardly; person 1 has only a weak one."""
    graph = Graph(
        unary=np.zeros(6),
        edges=np.array([[0, 1], [0, 2], [1, 2], [2, 3], [2, 5]]),
        cost=np.array([-1.0, 9, 0.5, 9, 9]),
        part=np.array([0, 0, 0, 0, 0, 1]),
        conf=np.array([0.5, 0.9, 0.8, 0.3, 0.2, 0.4]),
        coord=np.array([[10.0, 0], [40, 0], [80, 0], [300, 0], [0, 0], [80, 0]]),
    )
    model = random_model(np.random.default_rng(0), 2)
    assert drop_strays(model, graph, np.array([0, 0, 0, 1, -1, 0])).tolist() == [0, 0, -1, 1, -1, 0]
    assert drop_strays(model, graph, np.full(6, -1)).tolist() == [-1] * 6


def test_a_missing_joint_is_guessed_where_the_others_expect_it():
    cfg = make_config()
    part_prob = np.zeros((10, 10, 3), np.float32)
    part_prob[1, 2, 0], part_prob[1, 6, 1], part_prob[7, 5, 2] = 0.8, 0.4, 0.15
    pairwise = np.zeros((10, 10, 6, 2))
    pairwise[1, 2, pair_index(0, 2, 3)] = 18, 48  # from (20, 12)
    pairwise[1, 6, pair_index(1, 2, 3)] = -8, 48  # from (52, 12)
    maps = Maps(part_prob, 8, None, pairwise)
    model = random_model(np.random.default_rng(0), 3)
    detections = extract_detections(cfg, maps)
    labels = np.array([0, 0])
    people = get_person_conf_multicut(model, eval_graph(model, detections), labels)
    filled = fill_missing_joints(maps, detections, labels, people)
    np.testing.assert_allclose(filled.keypoints[0, 2], [40, 60, 0.15], rtol=1e-6)
    np.testing.assert_array_equal(filled.keypoints[0, :2], people.keypoints[0, :2])
    np.testing.assert_array_equal(filled.score, people.score)

    pairwise[1, 2, pair_index(0, 2, 3), 0] = 400
    detections = extract_detections(cfg, maps)
    assert fill_missing_joints(maps, detections, labels, people).keypoints[0, 2].tolist() == [0, 0, 0]


def test_people_of_few_joints_are_found_by_default():
    assert SpatialModel(make_config(), joints(2)).min_keypoints == 2
    assert SpatialModel(make_config(), AIC).min_keypoints == 3
    with pytest.raises(InputError, match="nobody would be found: min_keypoints is 3, but the number of joints is 2"):
        SpatialModel(make_config(min_keypoints=3), joints(2))
    with pytest.raises(InputError, match="min_keypoints is 15, but the number of joints is 14"):
        SpatialModel(make_config(min_keypoints=15), NECKHEAD)  # 14 joints in 17 slots


def test_people_come_best_first_and_small_ones_are_dropped(scene):
    people = predict_people(scene.model, scene.cfg, scene.maps)
    assert len(people.score) and (np.diff(people.score) <= 0).all()
    assert (np.count_nonzero(people.keypoints[..., 2], axis=1) >= 3).all()


def test_without_detections_there_are_no_people(scene):
    maps = scene.maps._replace(part_prob=np.zeros_like(scene.maps.part_prob))
    for fill in (False, True):
        cfg = EasyDict(scene.cfg, fill_missing_joints=fill)
        assert predict_people(scene.model, cfg, maps).keypoints.shape == (0, 17, 3)


def test_errors_name_the_remedy(scene, tmp_path):
    with pytest.raises(InputError, match="pairwise_predict"):
        predict_people(scene.model, scene.cfg, scene.maps._replace(pairwise=None))
    with pytest.raises(InputError, match="spatial_model_cidx_1_2.mat: no such file.*train_pairwise"):
        SpatialModel(make_config(pairwise_model_dir=str(tmp_path)), joints(3)).load()
    with pytest.raises(ValueError, match="detections of 2 parts for a model of 17"):
        eval_graph(scene.model, random_detections(np.random.default_rng(0), [1, 1], 2))


def test_models_of_other_joints_or_of_several_networks_are_refused(tmp_path):
    names = ["hip", "knee", "foot"]
    cfg = make_config(all_joints=[[0], [1], [2]], all_joints_names=names, pairwise_model_dir=str(tmp_path))
    model = PairModel(np.ones(9), np.zeros(8), np.ones(8))

    def write(network_of_last="one", unit_of_last=REACH):
        for a, b, network, unit in ((0, 1, "one", REACH), (0, 2, "one", REACH), (1, 2, network_of_last, unit_of_last)):
            save_model(model_path(tmp_path, a, b), model, Origin(names[a], names[b], network, unit))

    write()
    loaded = SpatialModel(cfg, from_config(cfg)).load()
    assert (loaded.network, loaded.unit) == ("one", REACH)
    first, second = model_path(tmp_path, 0, 1), model_path(tmp_path, 0, 2)
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    with pytest.raises(InputError, match=r"1_2\.mat: the model of hip and foot, in the place of that of hip and knee"):
        SpatialModel(cfg, from_config(cfg)).load()
    for of_last in ({"network_of_last": "two"}, {"unit_of_last": PIXELS}):
        write(**of_last)
        with pytest.raises(InputError, match=r"2_3\.mat: learnt from another network than spatial_model_cidx_1_2\.mat"):
            SpatialModel(cfg, from_config(cfg)).load()


def test_two_detections_of_a_part_may_be_one_joint_the_farther_apart_the_larger_the_person():
    """20 px are little for somebody who reaches 400 px, and much for somebody who reaches 80."""
    model = SpatialModel(make_config(), joints(2))
    for unit, odds in ((PIXELS, [7.5 - 0.2 * 20] * 2), (REACH, [7.5 - 10 * 20 / 80, 7.5 - 10 * 20 / 16])):
        model.use({}, unit)
        for reach, expected in zip((400, 80), odds, strict=True):
            place = np.array([[50.0, 50], [50, 70]])
            outgoing = [np.full((2, 2, 2), [0, reach]), np.zeros((0, 2, 2))]
            none = np.zeros((0, 2))
            detections = Detections([place, none], [place, none], [np.ones((2, 1)), np.zeros((0, 1))], outgoing)
            np.testing.assert_allclose(eval_graph(model, detections).cost, [-expected])


def test_unsure_people_are_dropped(scene):
    everybody = predict_people(scene.model, scene.cfg, scene.maps)
    best = float(everybody.score[0])
    surer = predict_people(scene.model, EasyDict(scene.cfg, min_person_score=best), scene.maps)
    np.testing.assert_array_equal(surer.keypoints, everybody.keypoints[everybody.score >= best])
    assert len(predict_people(scene.model, EasyDict(scene.cfg, min_person_score=best + 1e-6), scene.maps).score) == 0
