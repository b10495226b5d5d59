"""What compile.sh tells and what it has pip install; what pyproject.toml says of packages, commands and the model."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
# Notes what it is asked for, and answers for pip: python.packages holds what pip would list.
PYTHON = """#!/bin/sh
echo "$*" >>"$0.log"
case "$*" in
*"print(sys.version"*) echo 3.12.0 ;;
*" freeze") cat "$0.packages" ;;
*" show tensorflow-cpu") grep -q tensorflow_cpu "$0.packages" ;;
esac
"""


@pytest.fixture
def compile_sh(tmp_path):
    """Runs the script, alone in a folder, with a Python that prints the given version and then fails."""

    def run(*arguments, version="3.8.1", **environment):
        for name in ("compile.sh", "requirements.txt", "pyproject.toml"):
            shutil.copy(ROOT / name, tmp_path)
        old = tmp_path / "old_python"
        old.write_text(f"#!/bin/sh\necho {version}\nexit 1\n")
        old.chmod(0o755)
        inherited = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "POSE_GPU")}
        return subprocess.run(
            [tmp_path / "compile.sh", *arguments],
            env=inherited | {"PYTHON": str(old)} | environment,
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


@pytest.fixture
def pip_commands(compile_sh, tmp_path):
    """Runs the script in an environment with these packages; returns what it asks of pip, and the whole run.

    driver: the exit status of nvidia-smi
    """
    executables = tmp_path / "env/bin"
    executables.mkdir(parents=True)

    def run(packages="", driver=9, **environment):
        for name, text in {"python": PYTHON, "nvidia-smi": f"#!/bin/sh\nexit {driver}\n"}.items():
            (executables / name).write_text(text)
            (executables / name).chmod(0o755)
        (executables / "python.packages").write_text(packages)
        log = executables / "python.log"
        log.unlink(missing_ok=True)
        path = f"{executables}:{os.environ['PATH']}"
        done = compile_sh(VIRTUAL_ENV=str(tmp_path / "env"), PATH=path, CXX="true", **environment)
        lines = log.read_text().splitlines() if log.exists() else []
        return [line.split(maxsplit=2)[2] for line in lines if re.match(r"-m pip .*\b(un)?install\b", line)], done

    return run


@pytest.mark.parametrize(
    "driver, choice, extras",
    [
        (0, None, "dev,video,gpu"),
        (9, None, "dev,video"),
        (0, "0", "dev,video"),
        (9, "1", "dev,video,gpu"),
        (0, "", "dev,video,gpu"),
    ],
)
def test_cuda_is_installed_where_a_driver_answers_or_as_chosen(pip_commands, driver, choice, extras):
    commands, done = pip_commands(driver=driver, **({} if choice is None else {"POSE_GPU": choice}))
    assert done.returncode == 0, done.stderr
    assert commands[-1].endswith(f"--editable .[{extras}]")
    assert all(" install -c requirements.txt " in command for command in commands) and len(commands) == 2


def test_another_choice_is_refused_before_anything_is_installed(pip_commands):
    commands, done = pip_commands(POSE_GPU="yes")
    assert done.returncode == 2 and "POSE_GPU is yes, not 0 or 1" in done.stderr and not commands


def test_what_is_installed_is_not_installed_again(pip_commands, tmp_path):
    assert pip_commands()[0] and not pip_commands()[0]
    assert pip_commands(driver=0)[0]
    (tmp_path / "env/installed-packages.txt").unlink()
    assert pip_commands(driver=0)[0]


def test_the_other_build_of_tensorflow_goes_first(pip_commands):
    commands, _ = pip_commands("tensorflow==2.20.0\ntensorflow_cpu==2.20.0\n", driver=0)
    assert commands[0].endswith("uninstall --yes tensorflow-cpu tensorflow")
    assert commands[-1].endswith("--editable .[dev,video,gpu]")


def test_cuda_goes_first_when_it_is_no_longer_wanted(pip_commands):
    installed = "nvidia-nccl-cu12==2.32.3\nnvidia-ml-py==13.0\ntensorflow==2.20.0\nnvidia-cuda-nvcc-cu12==12.9.86\n"
    pip_commands(driver=0)
    commands, done = pip_commands(installed, driver=0, POSE_GPU="0")
    assert done.returncode == 0 and commands[0].endswith(
        "uninstall --quiet --yes nvidia-nccl-cu12 nvidia-cuda-nvcc-cu12"
    )
    assert commands[-1].endswith("--editable .[dev,video]")


def test_cuda_of_other_programs_stays(pip_commands):
    assert not [command for command in pip_commands("nvidia-nccl-cu12==2.32.3\n")[0] if "uninstall" in command]


def names(requirements: list[str]) -> set[str]:
    return {Requirement(text).name for text in requirements}


def test_there_is_one_tensorflow():
    """The builds tensorflow and tensorflow-cpu share a folder; `gpu` may only add to what is there without it."""
    assert names(EXTRAS["gpu"]) == {"tensorflow"} < names(PROJECT["dependencies"])
    assert Requirement(EXTRAS["gpu"][0]).extras == {"and-cuda"}
    everything = [*PROJECT["dependencies"], *sum(EXTRAS.values(), [])]
    assert {name for name in names(everything) if name.startswith("tensorflow")} == {"tensorflow"}


def test_extras_are_apart_from_what_running_needs():
    run, dev, video = names(PROJECT["dependencies"]), names(EXTRAS["dev"]), names(EXTRAS["video"])
    assert {"pytest", "hypothesis", "ruff"} <= dev and video == {"av"}
    assert not run & dev and not run & video and not dev & video


def test_each_requirement_has_a_pin_within_its_range():
    pins = {
        pin.name: pin for pin in map(Requirement, re.findall(r"^\w.*", (ROOT / "requirements.txt").read_text(), re.M))
    }
    requirements = [Requirement(text) for text in [*PROJECT["dependencies"], *sum(EXTRAS.values(), [])]]
    assert pins.keys() == {requirement.name for requirement in requirements}
    for requirement in requirements:
        (version,) = pins[requirement.name].specifier
        assert version.operator == "==" and version.version in requirement.specifier, requirement


def test_each_script_has_a_command():
    scripts = [path for folder in ("demo", "tools", "") for path in (ROOT / folder).glob("*.py")]
    scripts = {path for path in scripts if 'if __name__ == "__main__":' in path.read_text(encoding="utf-8")}
    scripts.remove(ROOT / "demo/minimal.py")  # to be read and changed
    commands = {
        name: importlib.metadata.EntryPoint(name, value, "console_scripts").load()
        for name, value in PROJECT["scripts"].items()
    }
    assert all(callable(command) and name.startswith("pose-") for name, command in commands.items())
    assert sorted(Path(find_spec(command.args[0]).origin) for command in commands.values()) == sorted(scripts)


def test_a_command_is_the_script_under_another_name():
    code = "import sys; sys.argv[0] = 'pose-demo'; from util.commands import demo_demo_multiperson as demo; demo()"
    done = subprocess.run([sys.executable, "-c", code, "nothing.jpg"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "pose-demo: nothing.jpg: no such file or folder\n")


def test_all_packages_are_installed():
    setuptools = PYPROJECT["tool"]["setuptools"]
    folders = {path.parent for name in ("dataset", "demo", "lib", "multiperson", "nnet", "tools", "util")
               for path in ROOT.glob(f"{name}/**/*.py")}  # fmt: skip
    packages = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    assert set(setuptools["packages"]) == packages | {"models.demo"}
    assert {f"{name}.py" for name in setuptools["py-modules"]} == {"config.py", "train.py"}


def test_the_model_is_installed():
    folder = ROOT / "models/demo"
    model = yaml.safe_load((folder / "pose_cfg.yaml").read_text(encoding="utf-8"))
    named = (
        "pose_cfg.yaml",
        "model.yaml",
        f"{model['pairwise_model_dir']}/*.mat",
        f"{model['init_weights']}.index",
        f"{model['init_weights']}.data-*",
    )
    found = [{*folder.glob(name)} for name in named]
    assert all(found) and len(found[2]) == 14 * 13 / 2
    packaged = PYPROJECT["tool"]["setuptools"]["package-data"]["models.demo"]
    assert set().union(*found) == {path for name in packaged for path in folder.glob(name)}
