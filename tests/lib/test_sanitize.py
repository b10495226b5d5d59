"""A short run of the sanitizers; tests/lib/sanitize.sh alone is a long one."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("sanitize.sh")


@pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler")
def test_random_input_leaves_the_sanitizers_silent():
    result = subprocess.run([SCRIPT, "300"], capture_output=True, text=True, check=False)
    if "cannot find" in result.stderr:
        pytest.skip("this compiler comes without the sanitizers' libraries")
    assert result.stderr == ""
    assert result.stdout == "300 rounds: nothing found\n"
