"""Grouping problems for the tests."""

import pytest

from lib.multicut_cython.samples import make_pose_graph, make_random_graph


@pytest.fixture
def random_graph():
    return make_random_graph


@pytest.fixture
def pose_graph():
    return make_pose_graph
