"""A training killed at any moment ends with the weights of an undisturbed one, bit for bit.

A snapshot is written at every step, so that many kills hit one being written. This takes minutes, so it runs on demand:

    KILLS=20 python -m pytest tests/test_kill.py
"""

import os
import random
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from nnet.checkpoint import read_checkpoint
from nnet.snapshots import snapshots
from tests.training import start_training, write_noise_set

KILLS = int(os.environ.get("KILLS", "0"))
STEPS = 40
CONFIG = f"""
dataset: {{folder}}/dataset.mat
all_joints: [[0, 1], [2]]
net_type: mobilenet_v2_0.35
batch_norm_decay: 0.9
location_refinement: true
mirror: true
batch_size: 2
accumulate_steps: 2
optimizer: adam
ema_decay: 0.9
multi_step: [[0.001, {STEPS}]]
save_iters: 1
display_iters: 1
log_dir: ""
"""


def start(folder: Path) -> subprocess.Popen:
    folder.mkdir(exist_ok=True)
    (folder / "pose_cfg.yaml").write_text(CONFIG.format(folder=folder.parent))
    return start_training(folder)


def last_step(folder: Path) -> int:
    return max(snapshots(folder, "snapshot"), default=0)


def kill_somewhere(folder: Path, moment: random.Random) -> None:
    """Start the training and kill it a few steps later: a step takes milliseconds, half of them to write a snapshot."""
    process = start(folder)
    goal = last_step(folder) + moment.randint(1, max(1, STEPS // (KILLS + 1)))
    while last_step(folder) < min(goal, STEPS - 1) and process.poll() is None:
        time.sleep(0.001)
    time.sleep(moment.uniform(0, 0.05))
    process.kill()
    process.wait()


@pytest.mark.skipif(KILLS == 0, reason="KILLS does not say how often")
def test_killed_trainings_end_at_the_same_weights(tmp_path):
    write_noise_set(tmp_path)
    assert start(tmp_path / "whole").wait() == 0
    moment, killed = random.Random(0), tmp_path / "killed"
    for _ in range(KILLS):
        kill_somewhere(killed, moment)
        for path in snapshots(killed, "snapshot").values():
            read_checkpoint(path)  # raises where one is not whole
    assert start(killed).wait() == 0
    whole, resumed = (read_checkpoint(folder / f"snapshot-{STEPS}") for folder in (tmp_path / "whole", killed))
    assert whole.keys() == resumed.keys()
    for name, value in whole.items():
        np.testing.assert_array_equal(resumed[name], value, err_msg=name)
    assert not list(killed.glob(".snapshot-*")), "leftovers of killed writes"
