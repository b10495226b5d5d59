"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def golden_dir() -> Path:
    """Small pieces of the original system's inputs and outputs."""
    return Path(__file__).parent / "golden"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Real photos and annotations, which are not part of the project; tests that need them skip without."""
    folder = os.environ.get("POSE_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("POSE_TEST_DATA does not name the folder of real photos and annotations")
    return Path(folder)
