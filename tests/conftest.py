"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.broken_files import BrokenFiles, make_broken_files, read_broken_files

# Examples of each property test that sets no number: few, and always the same, in the suite; many, and different ones
# each time, with --hypothesis-profile long. Times vary too much for deadlines.
settings.register_profile(
    "suite", max_examples=40, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)
settings.register_profile("long", settings.get_profile("suite"), max_examples=3_000, derandomize=False)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def golden_dir() -> Path:
    """Small inputs of the original system and its outputs."""
    return Path(__file__).parent / "golden"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Real photos and annotations, which are not part of the project; without them, tests that need them skip."""
    folder = os.environ.get("POSE_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("POSE_TEST_DATA does not name the folder of real photos and annotations")
    return Path(folder)


@pytest.fixture(scope="module")
def tiny_resnet():
    """Leaves ResNet-18 one unit in each block: for tests that build it often and do not depend on its depth."""
    from nnet.resnet_v1 import UNITS

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(UNITS, 18, (1, 1, 1))
        yield


@pytest.fixture(scope="session", params=["made", "shared"])
def broken_files(request, tmp_path_factory) -> BrokenFiles:
    """Broken and unusual files: small ones made here, and those of the test data."""
    if request.param == "made":
        return make_broken_files(tmp_path_factory.mktemp("broken"))
    return read_broken_files(request.getfixturevalue("data_dir"))
