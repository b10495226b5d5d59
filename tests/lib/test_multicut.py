"""The multicut solver against exhaustive search and the integer program, and its refusal of wrong input."""

import threading
from itertools import product

import numpy as np
import pytest

from lib.multicut_cython import objective, solve_multicut, solve_nl_lmp
from lib.multicut_cython.exact import solve_exact
from lib.multicut_cython.samples import make_graph


def exhaustive_optimum(unary, edges, cost):
    """The lowest objective of all labellings; clusters that no edge holds together cost nothing extra."""
    best = 0.0
    for labels in product(range(-1, len(unary)), repeat=len(unary)):
        labels = np.array(labels)
        inside = (labels[edges[:, 0]] == labels[edges[:, 1]]) & (labels[edges[:, 0]] >= 0)
        best = min(best, unary[labels >= 0].sum() + cost[inside].sum())
    return best


@pytest.mark.parametrize("seed", range(20))
def test_tiny_problems_are_solved_exactly(random_graph, seed):
    problem = random_graph(np.random.default_rng(seed), 5)
    optimum = exhaustive_optimum(*problem)
    assert objective(*problem, solve_multicut(*problem)) == pytest.approx(optimum)
    labels, bound = solve_exact(*problem)
    assert objective(*problem, labels) == pytest.approx(optimum) == pytest.approx(bound)


def test_fast_solver_nearly_always_reaches_the_proven_optimum():
    gaps = []
    for seed in range(60):
        _, problem = make_graph(seed)
        labels, bound = solve_exact(*problem)
        assert objective(*problem, labels) == pytest.approx(bound)
        gaps.append((objective(*problem, solve_multicut(*problem)) - bound) / abs(bound))
    assert np.count_nonzero(np.array(gaps) < 1e-6) >= 59 and max(gaps) < 0.01


@pytest.mark.parametrize("seed", range(20))
def test_fast_solver_reaches_the_exact_optimum_of_random_graphs(random_graph, seed):
    problem = random_graph(np.random.default_rng(seed), 12)
    labels, bound = solve_exact(*problem, time_limit=20)
    assert bound == pytest.approx(objective(*problem, labels), abs=1e-5)
    assert objective(*problem, solve_multicut(*problem)) == pytest.approx(bound, abs=1e-5)


def test_labels_are_numbered_by_first_appearance_and_repeat(pose_graph):
    problem = pose_graph(np.random.default_rng(1), 5)
    labels = solve_multicut(*problem)
    clusters = labels[labels >= 0]
    firsts = [int(np.flatnonzero(clusters == number)[0]) for number in range(clusters.max() + 1)]
    assert firsts == sorted(firsts)
    np.testing.assert_array_equal(labels, solve_multicut(*problem))


def test_small_graphs_have_their_known_solutions():
    none = np.zeros((0, 2), int), np.zeros(0)
    assert solve_multicut(np.zeros(0), *none).shape == (0,)
    assert solve_multicut([-1.0], *none).tolist() == [0]
    assert solve_multicut([1.0, 2.0], *none).tolist() == [-1, -1]
    # An edge may pay for a node that costs; a node paired with itself is ignored; edges given twice add up.
    assert solve_multicut([1.0, -1.0], [[0, 1]], [-3.0]).tolist() == [0, 0]
    assert solve_multicut([-1.0], [[0, 0]], [-9.0]).tolist() == [0]
    assert solve_multicut([-1.0, -1.0], [[0, 1], [1, 0]], [-2.0, 3.0]).tolist() == [0, 1]


def test_a_time_limit_of_zero_still_gives_a_solution(random_graph):
    problem = random_graph(np.random.default_rng(0), 80)
    assert objective(*problem, solve_multicut(*problem, time_limit=0)) < 0


def test_without_time_wrong_numbers_are_still_found(random_graph):
    unary, edges, cost = random_graph(np.random.default_rng(0), 200)
    edges, cost = np.tile(edges, (20, 1)), np.tile(cost, 20)
    labels = solve_multicut(unary, edges, cost, time_limit=0)
    np.testing.assert_array_equal(labels >= 0, unary < 0)
    assert labels.max() + 1 == np.count_nonzero(unary < 0)
    cost[-1] = np.nan
    with pytest.raises(ValueError, match=rf"cost\[{len(cost) - 1}\]"):
        solve_multicut(unary, edges, cost, time_limit=0)


def test_more_than_65535_nodes():
    size = 70_000
    edges = np.column_stack([np.arange(size - 1), np.arange(1, size)])[::2]
    labels = solve_multicut(np.full(size, -1.0), edges, np.full(len(edges), -1.0))
    np.testing.assert_array_equal(labels, np.repeat(np.arange(size // 2), 2))


@pytest.mark.parametrize("unary, edges, cost, message", [
    ([np.nan, 1.0], [[0, 1]], [1.0], "unary"),
    ([1.0, 1.0], [[0, 1]], [np.inf], "cost"),
    ([1.0, 1.0], [[0, 2]], [1.0], "2"),
    ([1.0, 1.0], [[-1, 0]], [1.0], "-1"),
    ([1.0, 1.0], [[0, 1]], [1.0, 2.0], "edges has 1 rows but cost has 2"),
    ([[1.0], [1.0]], [[0, 1]], [1.0], "unary must have one dimension"),
    ([1.0, 1.0], [0, 1], [1.0, 1.0], "edges must have shape"),
    ([1.0, 1.0], [[0.0, 1.0]], [1.0], "edges must hold integers"),
    (["a", "b"], [[0, 1]], [1.0], "unary must hold real numbers"),
])  # fmt: skip
def test_wrong_input_is_a_value_error_that_says_what(unary, edges, cost, message):
    with pytest.raises(ValueError, match=message):
        solve_multicut(np.array(unary), np.array(edges), np.array(cost))


@pytest.mark.parametrize("labels", [[0.7, 0.0], ["0", "1"], [0], [2**64, 0]])
def test_labels_that_are_no_integers_are_refused(labels):
    with pytest.raises(ValueError, match="labels must"):
        objective([1.0, 1.0], [[0, 1]], [1.0], labels)


def test_labels_of_an_objective_may_be_any_integers():
    assert objective([1.0, 2.0, 4.0], [[0, 1], [1, 2]], [8.0, 16.0], [2**40, 2**40, -7]) == 11


def test_more_effort_finds_no_worse_and_none_is_the_first_solution(random_graph):
    problem = random_graph(np.random.default_rng(3), 60)
    first, usual, long = (objective(*problem, solve_multicut(*problem, effort=effort)) for effort in (0, 1, 5))
    assert long <= usual < first < 0


def test_the_call_of_pose_tensorflow_gives_suppressed_nodes_clusters_of_their_own():
    unary = np.array([[-1.0], [-1.0], [5.0], [5.0]])
    result = solve_nl_lmp(unary, np.array([[0, 1], [1, 2]]), np.array([[-2.0], [1.0]]), True, 0, True, False)
    assert result[:, 0].tolist() == [0, 0, 1, 1]
    assert result[0, 1] == result[1, 1] and len(set(result[:, 1].tolist())) == 3
    everyone = solve_nl_lmp(unary, np.array([[0, 1], [1, 2]]), np.array([[-2.0], [1.0]]), do_suppression=False)
    assert not everyone[:, 0].any()


def test_other_threads_run_while_it_solves(random_graph):
    """They could not if the GIL were held: the solver ends only when its time is up, which the other thread sees."""
    problem = random_graph(np.random.default_rng(0), 400)
    steps, solving = [0], threading.Event()

    def count():
        while solving.is_set():
            steps[0] += 1

    solving.set()
    counter = threading.Thread(target=count)
    counter.start()
    before = steps[0]
    solve_multicut(*problem, effort=10000, time_limit=0.5)
    after = steps[0]
    solving.clear()
    counter.join()
    assert after - before > 1000


def test_a_crowd_of_five_thousand_within_a_time_limit():
    """A second of search is never worse than none."""
    rng = np.random.default_rng(0)
    size = 5000
    first = np.repeat(np.arange(size), 20)
    edges = np.column_stack([first, (first + rng.integers(1, 60, len(first))) % size])
    problem = rng.normal(-0.3, 1, size), edges, rng.normal(0, 3, len(edges))
    limited = objective(*problem, solve_multicut(*problem, time_limit=1))
    assert limited <= objective(*problem, solve_multicut(*problem, time_limit=0)) < 0
