"""Every script explains itself at once: --help loads nothing that takes long."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SLOW = "tensorflow", "keras", "scipy", "skimage", "matplotlib", "pycocotools"

# One process asks all scripts; what one of them has loaded stays loaded, so the first to load it is named.
ASK_ALL = """
import contextlib, io, runpy, sys
for script in sys.argv[1:]:
    text = io.StringIO()
    sys.argv[:] = [script, "--help"]
    with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
        runpy.run_path(script, run_name="__main__")
    assert "usage:" in text.getvalue(), script
    loaded = SLOW & sys.modules.keys()
    assert not loaded, (script, loaded)
"""


def test_help_of_every_script_loads_nothing_slow():
    scripts = [ROOT / "train.py", *sorted(ROOT.glob("tools/*.py")), *sorted(ROOT.glob("demo/*.py"))]
    scripts = [str(path) for path in scripts if "__main__" in path.read_text(encoding="utf-8")]
    assert len(scripts) > 20
    command = [sys.executable, "-c", f"SLOW = {set(SLOW)}" + ASK_ALL, *scripts]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
