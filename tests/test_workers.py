"""Several workers on this machine train as one would, and stop together."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import train
from dataset.pose_dataset import save_dataset_mat
from nnet.checkpoint import read_checkpoint
from nnet.snapshots import snapshots
from tests.rounding import rounding

CONFIG = """
dataset: {data}/dataset.mat
num_joints: 3
all_joints: [[0, 1], [2]]
net_type: resnet_18
batch_norm: frozen
location_refinement: true
mirror: true
batch_size: 2
multi_step: [[0.000001, 4]]
display_iters: 1
log_dir: ""
"""
TWO_DEVICES = """
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2)
import train
train.main({overrides})
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Five pictures of noise in several sizes, one or two people in each."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    records = []
    for k in range(5):
        size = (48 + 16 * (k % 3), 48 + 32 * (k % 2))
        Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(folder / f"{k}.png")
        people = [np.column_stack([np.arange(3), rng.uniform(5, 43, (3, 2))]) for _ in range(1 + k % 2)]
        records.append((f"{k}.png", size, people))
    save_dataset_mat(folder / "dataset.mat", records)
    return folder


def start(folder: Path, data: Path, *command: str, **environment: str) -> subprocess.Popen:
    folder.mkdir(exist_ok=True)
    (folder / "pose_cfg.yaml").write_text(CONFIG.format(data=data))
    return subprocess.Popen(
        [sys.executable, *(command or [train.__file__])],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )


@pytest.fixture
def addresses():
    """Two addresses of this machine that are taken as long as the test lasts, so that nobody else gets them.

    The workers may use them all the same (TF_GRPC_REUSE_PORT): nobody listens at the sockets held here.
    """
    with socket.socket() as one, socket.socket() as other:
        for held in (one, other):
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            held.bind(("127.0.0.1", 0))
        yield [f"127.0.0.1:{held.getsockname()[1]}" for held in (one, other)]


def start_workers(folder: Path, data: Path, addresses: list[str], *overrides: str) -> list[subprocess.Popen]:
    """Two workers in folders of their own: all that they share is the data."""
    configs = [{"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}} for index in range(2)]
    return [start(folder / str(index), data, train.__file__, *overrides, TF_CONFIG=json.dumps(config),
                  TF_GRPC_REUSE_PORT="true") for index, config in enumerate(configs)]  # fmt: skip


def losses_of(folder: Path) -> list[float]:
    return [
        float(line.split("loss: ")[1].split()[0])
        for line in (folder / "log.txt").read_text().splitlines()
        if "loss: " in line
    ]


def wait_for_step(folder: Path, worker: subprocess.Popen, step: int) -> None:
    deadline = time.monotonic() + 200
    while not ((folder / "log.txt").exists() and f"iteration: {step} " in (folder / "log.txt").read_text()):
        assert time.monotonic() < deadline and worker.poll() is None
        time.sleep(0.1)


@pytest.fixture(scope="module")
def alone(data, tmp_path_factory):
    """The folder of a training by one worker."""
    folder = tmp_path_factory.mktemp("alone")
    assert start(folder, data).wait() == 0
    return folder


def assert_same_training(folder: Path, expected: Path) -> None:
    """Losses, weights and gradients (in the optimizer's state) agree but for rounding, to the log's four decimals."""
    forward = rounding(9 * 256, layers=18)
    np.testing.assert_allclose(losses_of(folder), losses_of(expected), rtol=forward, atol=1e-4)
    ours, theirs = (read_checkpoint(path / "snapshot-4") for path in (folder, expected))
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        # As a whole: a ReLU that rounding switches on moves single gradients by more than rounding does.
        assert np.linalg.norm(ours[name] - value) <= 0.02 * np.linalg.norm(value), name


def test_two_workers_train_as_one_with_the_whole_batch(data, alone, addresses, tmp_path):
    """Whose images have other sizes than those of the other worker, and unlike numbers of people."""
    workers = start_workers(tmp_path, data, addresses)
    errors = [worker.communicate(timeout=300)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], errors
    assert_same_training(tmp_path / "0", alone)
    assert sorted(path.name for path in (tmp_path / "1").iterdir()) == ["pose_cfg.yaml"]


def test_a_killed_worker_stops_the_other_and_a_restart_resumes(data, addresses, tmp_path):
    endless = "save_iters=1", "multi_step=[[0.0,100000]]"
    workers = start_workers(tmp_path, data, addresses, *endless)
    wait_for_step(tmp_path / "0", workers[0], 2)
    workers[1].kill()
    error = workers[0].communicate(timeout=100)[1]
    assert workers[0].returncode == 2 and "Traceback" not in error
    assert error.rstrip().splitlines()[-1].startswith("train.py: another worker has stopped")
    reached = max(snapshots(tmp_path / "0", "snapshot"))
    # Only the chief has the snapshot; one Ctrl-C, at any worker, stops all.
    workers = start_workers(tmp_path, data, addresses, *endless)
    wait_for_step(tmp_path / "0", workers[0], reached + 2)
    workers[1].send_signal(signal.SIGINT)
    errors = [worker.communicate(timeout=100)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [130, 130], errors
    assert f"resuming from snapshot-{reached}: step {reached}" in errors[0]
    stopped = max(snapshots(tmp_path / "0", "snapshot"))
    assert all(f"stopped at step {stopped} of 100000" in error for error in errors)


def test_two_devices_of_a_machine_train_as_one(data, tmp_path):
    """With all that an optimizer can keep, and in pieces."""
    overrides = ["accumulate_steps=2", "optimizer=adamw", "ema_decay=0.9"]
    code = TWO_DEVICES.format(overrides=overrides)
    processes = start(tmp_path / "two", data, "-c", code), start(tmp_path / "one", data, train.__file__, *overrides)
    errors = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    assert "training on 5 images and 2 devices" in errors[0]
    assert_same_training(tmp_path / "two", tmp_path / "one")
