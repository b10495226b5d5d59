"""Several workers on this machine train as one would, and stop together."""

import json
import signal
import socket
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

import train
from nnet.checkpoint import read_checkpoint
from nnet.snapshots import snapshots
from tests.rounding import rounding
from tests.training import start_training, write_noise_set

pytestmark = pytest.mark.usefixtures("tiny_resnet")

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
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_noise_set(folder)
    return folder


def model_dir(folder: Path, data: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "pose_cfg.yaml").write_text(CONFIG.format(data=data))
    return folder


def train_alone(folder: Path, *overrides: str) -> Path:
    """A training by one worker on one device: in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        train.main(list(overrides))
    return folder


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
    return [
        start_training(model_dir(folder / str(index), data), *overrides, TF_CONFIG=json.dumps(config),
                       TF_GRPC_REUSE_PORT="true") for index, config in enumerate(configs)
    ]  # fmt: skip


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


def assert_same_training(folder: Path, expected: Path) -> None:
    """Losses, weights and gradients (in the optimizer's state) agree but for rounding, to the log's four decimals."""
    forward = rounding(9 * 256, layers=8)
    np.testing.assert_allclose(losses_of(folder), losses_of(expected), rtol=forward, atol=1e-4)
    ours, theirs = (read_checkpoint(path / "snapshot-4") for path in (folder, expected))
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        # As a whole: a ReLU that rounding switches on moves single gradients by more than rounding does.
        assert np.linalg.norm(ours[name] - value) <= 0.02 * np.linalg.norm(value), name


def test_two_workers_train_as_one_with_the_whole_batch(data, addresses, tmp_path):
    """Whose images have other sizes than those of the other worker, and unlike numbers of people."""
    workers = start_workers(tmp_path, data, addresses)
    alone = train_alone(model_dir(tmp_path / "alone", data))
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
    two = start_training(model_dir(tmp_path / "two", data), *overrides, setup=TWO_DEVICES)
    one = train_alone(model_dir(tmp_path / "one", data), *overrides)
    error = two.communicate(timeout=300)[1]
    assert two.returncode == 0 and "training on 5 images and 2 devices" in error
    assert_same_training(tmp_path / "two", one)
