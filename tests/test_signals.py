"""Scripts that start processes end with them when they are told to, at whatever moment, and leave nothing behind.

For example:

    MOMENTS=50 python -m pytest tests/test_signals.py
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tools import ai2coco_art_neckhead_json, benchmark
from tools.benchmarks.aic_data import made_up_annotations
from tools.benchmarks.convert import write_photos

MOMENTS = int(os.environ.get("MOMENTS", "3"))
SECONDS = 2.0  # in which the scripts start, work and end
CONVERT = [
    ai2coco_art_neckhead_json.__file__,
    "--keypoint_json",
    "aic.json",
    "--img_dir",
    "images",
    "--out",
    "coco.json",
]
BENCHMARK = [benchmark.__file__, "convert", "--images", "2000"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Enough photos for several processes, most of them links."""
    folder = tmp_path_factory.mktemp("aic")
    records = made_up_annotations(2000)
    (folder / "aic.json").write_text(json.dumps(records))
    write_photos(folder / "images", [record["image_id"] for record in records])
    return folder


def stop_at(seconds: float, number: signal.Signals, command: list[str], folder: Path) -> subprocess.CompletedProcess:
    """Run a script and send its process group a signal; standard output is read until nobody holds it any more."""
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
def test_the_end_comes_when_it_is_asked_for(number, command, folder):
    before = set(os.listdir(folder)) | {"coco.json"}
    for seconds in np.linspace(0.2, SECONDS, MOMENTS):
        done = stop_at(seconds, number, command, folder)
        # While Python itself is starting, or imports what util.cli needs, a signal is Python's.
        assert done.returncode in (0, 128 + number, -number)
        assert "Traceback" not in done.stderr or done.returncode == -signal.SIGINT
        assert number == signal.SIGKILL or set(os.listdir(folder)) <= before


def test_what_killed_processes_left_is_removed(folder):
    before = set(os.listdir(folder)) | {"coco.json"}
    stop_at(1.0, signal.SIGKILL, CONVERT, folder)
    assert subprocess.run([sys.executable, *CONVERT], cwd=folder, stdout=subprocess.DEVNULL).returncode == 0
    assert set(os.listdir(folder)) == {name for name in before if ".partial" not in name}
