"""What compile.sh tells before it installs anything."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "compile.sh"


@pytest.fixture
def compile_sh(tmp_path):
    """Runs the script, alone in a folder, with a Python that prints the given version and then fails."""

    def run(*arguments, version="3.8.1", **environment):
        shutil.copy(SCRIPT, tmp_path)
        old = tmp_path / "old_python"
        old.write_text(f"#!/bin/sh\necho {version}\nexit 1\n")
        old.chmod(0o755)
        environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"} | environment
        return subprocess.run(
            [tmp_path / "compile.sh", *arguments],
            env={"PYTHON": str(old)} | environment,
            capture_output=True,
            text=True,
        )

    return run


def test_an_old_python_leaves_no_environment_behind(compile_sh, tmp_path):
    done = compile_sh()
    assert done.returncode == 2 and "old_python is 3.8.1; Python 3.10 to 3.13 is needed" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_an_old_environment_is_named(compile_sh, tmp_path):
    (tmp_path / "mine/bin").mkdir(parents=True)
    compile_sh()
    shutil.copy(tmp_path / "old_python", tmp_path / "mine/bin/python")
    done = compile_sh(VIRTUAL_ENV=str(tmp_path / "mine"))
    assert done.returncode == 2 and "mine has Python 3.8.1" in done.stderr


def test_a_missing_python_is_named(compile_sh):
    done = compile_sh(PYTHON="no_such_python")
    assert done.returncode == 2 and "no_such_python is not found" in done.stderr


def test_help_names_the_choice_of_python(compile_sh):
    done = compile_sh("--help")
    assert done.returncode == 0 and "PYTHON=python3.12 ./compile.sh" in done.stdout and "#" not in done.stdout
    assert compile_sh("--hepl").returncode == 2
