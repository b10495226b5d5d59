"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.broken_files import BrokenFiles, make_broken_files, read_broken_files

# How many examples a property test tries that sets no number of its own: few, and always the same, in the suite; many,
# and others each time, with --hypothesis-profile long. Times vary too much for deadlines.
settings.register_profile(
    "suite", max_examples=40, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)
settings.register_profile("long", settings.get_profile("suite"), max_examples=3_000, derandomize=False)
settings.load_profile("suite")


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


@pytest.fixture(scope="session", params=["made", "shared"])
def broken_files(request, tmp_path_factory) -> BrokenFiles:
    """Broken and unusual files: small ones made here, and those of the test data."""
    if request.param == "made":
        return make_broken_files(tmp_path_factory.mktemp("broken"))
    return read_broken_files(request.getfixturevalue("data_dir"))
