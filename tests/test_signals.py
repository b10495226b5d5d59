"""Scripts end at a signal, whenever it comes, with the processes they started, and leave nothing behind.

Many moments of the signal:

    MOMENTS=50 python -m pytest tests/test_signals.py
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tools import ai2coco_art_neckhead_json, benchmark
from tools.benchmarks.aic_data import write_data_set

MOMENTS = int(os.environ.get("MOMENTS", "2"))
SECONDS = 2.0  # in which the scripts start, work and end
CONVERT = [
    ai2coco_art_neckhead_json.__file__, "--keypoint_json", "aic.json", "--img_dir", "images", "--out", "coco.json"
]  # fmt: skip
BENCHMARK = [benchmark.__file__, "convert", "--images", "2000"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Enough photos for a second, most of them links."""
    folder = tmp_path_factory.mktemp("aic")
    write_data_set(2000, folder / "aic.json", folder / "images")
    return folder


def stop_at(seconds: float, number: signal.Signals, command: list[str], folder: Path) -> subprocess.CompletedProcess:
    """Run a script and send its process group a signal; its output is read until no process holds it open."""
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"TMPDIR": str(folder)},
    )
    try:
        output = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, number)
        output = process.communicate(timeout=60)
    return subprocess.CompletedProcess(command, process.returncode, *output)


@pytest.mark.parametrize("command", [CONVERT, BENCHMARK], ids=["convert", "benchmark"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_a_script_and_all_its_processes(number, command, folder):
    before = set(os.listdir(folder)) | {"coco.json"}
    for seconds in np.linspace(0, SECONDS, MOMENTS + 2)[1:-1]:
        done = stop_at(seconds, number, command, folder)
        # Python handles the signal itself while it starts, or imports what util.cli needs.
        assert done.returncode in (0, 128 + number, -number)
        assert "Traceback" not in done.stderr or done.returncode == -signal.SIGINT
        assert number == signal.SIGKILL or set(os.listdir(folder)) <= before
