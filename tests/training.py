"""Trainings in processes of their own: the data, and how they are started."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from dataset.pose_dataset import save_dataset_mat

SCRIPT = """
import sys
from util.cli import run
{setup}
from nnet.resnet_v1 import UNITS
UNITS[18] = 1, 1, 1  # as the fixture tiny_resnet does
import train
sys.argv[0] = train.__file__
run(train.main)
"""


def write_noise_set(folder: Path) -> None:
    """dataset.mat with five pictures of noise in several sizes, one or two people of three joints in each."""
    rng = np.random.default_rng(0)
    records = []
    for k in range(5):
        size = (48 + 16 * (k % 3), 48 + 32 * (k % 2))
        Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(folder / f"{k}.png")
        people = [np.column_stack([np.arange(3), rng.uniform(5, 43, (3, 2))]) for _ in range(1 + k % 2)]
        records.append((f"{k}.png", size, people))
    save_dataset_mat(folder / "dataset.mat", records)


def start_training(folder: Path, *overrides: str, setup: str = "", **environment: str) -> subprocess.Popen:
    """train.py in a folder with a configuration. setup: code to be run first."""
    command = [sys.executable, "-c", SCRIPT.format(setup=setup), *overrides]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, env=os.environ | environment)
