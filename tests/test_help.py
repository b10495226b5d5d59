"""Every script explains itself, and names a missing file, without loading anything that takes long."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = [
    path
    for path in (*sorted(ROOT.glob("demo/*.py")), ROOT / "train.py", *sorted(ROOT.glob("tools/*.py")))
    if "__main__" in path.read_text(encoding="utf-8")
]
# What no script loads for its help or to find that a file is missing, and what the demos do not load, either.
SLOW = {"tensorflow", "keras"}
SLOW_FOR_DEMOS = SLOW | {"scipy", "skimage", "matplotlib", "pycocotools"}

# One process asks all scripts; what one of them has loaded stays loaded, so the first to load it is named.
ASK_ALL = """
import contextlib, io, runpy, sys
for script in sys.argv[1:]:
    text = io.StringIO()
    sys.argv[:] = [script, "--help"]
    with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
        runpy.run_path(script, run_name="__main__")
    assert "usage:" in text.getvalue() and "python " in text.getvalue(), script
    loaded = (SLOW_FOR_DEMOS if "demo/" in script else SLOW) & sys.modules.keys()
    assert not loaded, (script, loaded)
"""

# Commands that name a file that is not there.
MISSING = (
    "demo/demo_multiperson.py nothing.jpg",
    "demo/demo_multiperson.py init_weights=nothing",
    "demo/singleperson.py init_weights=nothing",
    "tools/convert_movenet.py nothing.json out",
    "tools/export.py --cfg models/demo/pose_cfg.yaml --out_dir nothing --snapshot nothing",
    "tools/export_weights.py nothing out",
    "tools/inspect_checkpoint.py nothing",
    "tools/plot_training.py nothing",
    "tools/predict_multiperson.py --cfg models/demo/pose_cfg.yaml --images nothing",
    "tools/train_pairwise.py --cfg models/demo/pose_cfg.yaml dataset=nothing",
)
RUN_ALL = """
import contextlib, io, runpy, sys
for command in sys.argv[1:]:
    text = io.StringIO()
    sys.argv[:] = command.split()
    with contextlib.redirect_stderr(text):
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        except SystemExit as end:
            assert end.code == 2, command
    assert "nothing" in text.getvalue() and "Traceback" not in text.getvalue(), (command, text.getvalue())
    loaded = (SLOW_FOR_DEMOS if command.startswith("demo/") else SLOW) & sys.modules.keys()
    assert not loaded, (command, loaded)
"""


def test_help_of_every_script_has_an_example_and_loads_nothing_slow():
    assert len(SCRIPTS) > 20
    run_code(ASK_ALL, SCRIPTS)


def test_a_missing_file_is_named_before_anything_slow_is_loaded():
    run_code(RUN_ALL, MISSING)


def run_code(code, arguments):
    command = [sys.executable, "-c", f"SLOW, SLOW_FOR_DEMOS = {SLOW}, {SLOW_FOR_DEMOS}" + code, *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_without_the_environment_a_script_says_how_to_make_it(script):
    """-S leaves out installed packages."""
    bare = subprocess.run([sys.executable, "-E", "-S", script], capture_output=True, text=True)
    assert bare.returncode and "./compile.sh" in bare.stderr and "Traceback" not in bare.stderr, bare.stderr
