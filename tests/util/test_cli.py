"""How scripts end, and how they read their arguments."""

from util.cli import config_parser, parser

import os
import signal
import subprocess
import sys

import pytest

SCRIPT = """
import sys, time
from util.cli import run
from util.errors import InputError
from util.files import atomic_path
{imports}
def main():
    with atomic_path("result.txt") as path:
        path.touch()
        {body}
    {after}
if __name__ == "__main__":
    run(main)
"""
WAIT = 'print("ready", flush=True); time.sleep(1000)'


@pytest.fixture
def start(tmp_path):
    def start(body="pass", *, imports="", after="", redirection="", **environment):
        (tmp_path / "script.py").write_text(SCRIPT.format(body=body, imports=imports, after=after))
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        command = ["sh", "-c", f"exec '{sys.executable}' script.py {redirection}"]
        return subprocess.Popen(
            command,
            cwd=tmp_path,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="latin-1",
        )

    return start


def test_a_mistake_is_a_line_and_status_2(start, tmp_path):
    process = start('raise InputError("x.json: the file is empty")')
    assert process.communicate() == ("", "script.py: x.json: the file is empty\n")
    assert process.returncode == 2 and os.listdir(tmp_path) == ["script.py"]


@pytest.mark.parametrize(
    "number, status, message",
    [(signal.SIGINT, 130, "\ninterrupted\n"), (signal.SIGTERM, 143, ""), (signal.SIGHUP, 129, "")],
)
def test_signals_leave_nothing_half_written(start, tmp_path, number, status, message):
    previous = signal.signal(number, signal.SIG_DFL)  # as it is unless nohup, say, started the tests
    try:
        process = start(WAIT)
    finally:
        signal.signal(number, previous)
    assert process.stdout.readline() == "ready\n" and len(os.listdir(tmp_path)) == 2
    process.send_signal(number)
    assert process.communicate() == ("", message)
    assert process.returncode == status and os.listdir(tmp_path) == ["script.py"]


@pytest.mark.parametrize(
    "number, status, message", [(signal.SIGINT, 130, "\ninterrupted\n"), (signal.SIGTERM, 143, "")]
)
def test_signals_that_a_compiled_module_turns_into_an_import_error(start, number, status, message):
    body = "try:\n            print('ready', flush=True); time.sleep(1000)\n        except BaseException as error:\n"
    process = start(body + "            raise ImportError('initialization failed') from error")
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert process.communicate() == ("", message) and process.returncode == status


def test_an_ignored_signal_stays_ignored(start):
    """As nohup needs it."""
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = start(WAIT)
    finally:
        signal.signal(signal.SIGHUP, previous)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 143


def test_ctrl_c_during_imports(start):
    process = start(imports=WAIT)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate() == ("", "\ninterrupted\n") and process.returncode == 130


def test_a_missing_package_says_how_to_get_it(start):
    process = start(imports="import no_such_package.inner")
    error = process.communicate()[1]
    assert process.returncode == 2 and error.startswith("script.py: no_such_package is neither in ")
    assert f"nor installed in {sys.executable}; ./compile.sh makes" in error and error.count("\n") == 1


def test_an_extension_that_is_not_built_says_how_to_build_it(start):
    process = start(imports="import lib; raise lib.MissingExtension('lib.nms_cython')")
    assert process.communicate()[1].startswith("script.py: lib.nms_cython is not built: run ./compile.sh")
    assert process.returncode == 2


@pytest.mark.parametrize(
    "redirection, reason", [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")]
)
def test_output_that_cannot_be_written_is_a_line(start, tmp_path, redirection, reason):
    process = start(after='print("some result")', redirection=redirection)
    assert process.communicate() == ("", f"script.py: standard output: {reason}\n") and process.returncode == 2


def test_a_closed_stream_that_nobody_writes_to_does_not_matter(start, tmp_path):
    assert start(redirection=">&- 2>&-").wait() == 0
    assert start('raise InputError("a line")', redirection="2>&-").communicate() == ("", "")


def test_any_name_can_be_printed(start):
    process = start(r'print("F\xfc\u65e5\udcff")', PYTHONIOENCODING="latin-1", PYTHONUTF8="0")
    assert process.communicate() == ("F\xfc\\u65e5\\udcff\n", "")


@pytest.mark.parametrize("backend", ["module://no_such_module.of_a_notebook", "no such backend"])
def test_a_script_draws_whatever_backend_a_notebook_has_set(start, backend):
    process = start("import matplotlib.figure", MPLBACKEND=backend)
    assert process.communicate() == ("", "") and process.returncode == 0


def test_docstrings_are_needed(start):
    process = start(PYTHONOPTIMIZE="2")
    assert process.communicate()[1].startswith("script.py: python -OO drops the docstrings") and process.returncode == 2
    assert start(PYTHONOPTIMIZE="1").wait() == 0


def test_other_errors_keep_their_traceback(start):
    process = start(imports="1 / 0")
    assert "ZeroDivisionError" in process.communicate()[1] and process.returncode == 1


def test_a_tilde_in_arguments_is_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    arguments = parser("doc")
    arguments.add_argument("--out")
    arguments.add_argument("rest", nargs="*")
    options = arguments.parse_args(["--out=~/x", "~", "~/a~b", "a~/b", "~other/x", "key=~/v"])
    assert options.out == "/home/somebody/x"
    assert options.rest == ["/home/somebody", "/home/somebody/a~b", "a~/b", "~other/x", "key=~/v"]


@pytest.mark.parametrize("arguments", [
    ["a.jpg", "seed=1", "--out", "x=y", "mirror=true"],
    ["seed=1", "--out", "x=y", "a.jpg", "--set", "mirror=true"],
    ["--images", "a.jpg", "seed=1", "mirror=true", "--out", "x=y"],
])  # fmt: skip
def test_keys_of_the_configuration_may_be_anywhere(arguments):
    options = config_parser("doc", "other.yaml", files="IMAGE")
    options.add_argument("--set", nargs="+", default=[])
    options.add_argument("--images", nargs="+", default=[])
    options.add_argument("--out")
    found = options.parse_args(arguments)
    assert sorted(found.overrides) == ["mirror=true", "seed=1"] and found.files + found.images == ["a.jpg"]
    assert found.cfg == "other.yaml" and found.out == "x=y"


def test_an_argument_with_an_equals_sign_may_be_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a=1.jpg").touch()
    found = config_parser("doc", files="IMAGE").parse_args(["a=1.jpg", "b=1"])
    assert (found.files, found.overrides) == (["a=1.jpg"], ["b=1"])
