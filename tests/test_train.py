"""The training script on a handful of drawn people."""

import contextlib
import itertools
import math
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

import train
from config import make_config
from dataset.aic_to_coco import convert
from dataset.skeleton import COCO, NECKHEAD
from dataset.toy import write_toy_set
from multiperson.validation import Validation
from nnet.checkpoint import read_checkpoint
from nnet.curves import read_scalars
from nnet.model_skeleton import keep_beside, read_skeleton
from tools import pairwise_stats
from util.errors import InputError
from util.files import only_user

CONFIG = """
dataset: toy
dataset_type: coco
num_joints: 17
net_type: resnet_18
batch_norm_decay: 0.9
location_refinement: true
locref_loss_weight: 0.05
pairwise_predict: true
pairwise_loss_weight: 0.05
scale_jitter_lo: 0.8
batch_size: 2
multi_step: [[0.02, 6]]
display_iters: 2
save_iters: 2
"""


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """A folder with four drawn scenes in COCO's format and their pairwise statistics."""
    folder = tmp_path_factory.mktemp("toy")
    write_toy_set(folder, images=4, people=(1, 2), size=(96, 96))
    annotations = folder / "annotations"
    convert(annotations / "train.json", folder / "images/train", annotations / "person_keypoints_train.json")
    return folder


@pytest.fixture
def model_dir(toy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pose_cfg.yaml").write_text(CONFIG.replace("toy", str(toy)))
    pairwise_stats.main([])
    return tmp_path


def weights_of(step):
    reader = tf.train.load_checkpoint(f"snapshot-{step}")
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def test_training_writes_snapshots_log_and_summaries(model_dir):
    train.main([])
    snapshots = sorted(path.stem for path in model_dir.glob("snapshot-*.index"))
    assert snapshots == ["snapshot-2", "snapshot-4", "snapshot-6"]
    log = (model_dir / "log.txt").read_text()
    for text in ("starting from random weights", "iteration: 6 of 6 loss: ", "0:00:00 left", "finished at step 6 of 6"):
        assert text in log
    events = b"".join(path.read_bytes() for path in (model_dir / "log").iterdir())
    for tag in (b"part_loss", b"locref_loss", b"pairwise_loss", b"learning_rate", b"images_per_second", b"parts"):
        assert tag in events
    assert read_skeleton(model_dir / "snapshot-6")[0] == NECKHEAD
    train.main([])
    log = (model_dir / "log.txt").read_text()
    assert "nothing to train: the snapshot is of step 6, and multi_step ends at 6" in log


def test_a_folder_keeps_the_joints_of_its_training(model_dir):
    keep_beside(model_dir / "snapshot-4", COCO)
    with pytest.raises(InputError, match="joint 0 is nose in skeleton coco, but neck in .*_train.json"):
        train.main([])
    assert read_skeleton(model_dir / "snapshot-4")[0] == COCO


def test_held_out_scores_keep_the_best_snapshot(model_dir, monkeypatch):
    """The score of each step is made up; that of step 4 is the best."""
    scores = iter([0.2, 0.7, 0.5])
    monkeypatch.setattr(Validation, "score", lambda self, network: next(scores))
    train.main(["eval_iters=2", "eval_phase=train"])
    assert int(read_checkpoint("snapshot-best")["global_step"]) == 4
    assert float(read_checkpoint("snapshot-best")["validation_score"]) == 0.7
    best = weights_of("best")
    for name, value in weights_of(4).items():
        np.testing.assert_array_equal(best[name], value, err_msg=name)
    np.testing.assert_allclose(read_scalars(Path("log"))["score"], [[2, 4, 6], [0.2, 0.7, 0.5]])
    assert (model_dir / "training.png").exists()
    # A continued run knows the best score so far.
    scores = iter([0.6])
    train.main(["eval_iters=2", "eval_phase=train", "multi_step=[[0.02, 7]]"])
    assert int(read_checkpoint("snapshot-best")["global_step"]) == 4
    assert "step 7: AIC score 0.6000 on 4 held-out images, the best was 0.7000" in Path("log.txt").read_text()


def test_a_score_changes_nothing_in_the_training(model_dir):
    """Evaluated for real: models of the pairs are learnt on the fly, averaged weights come and go."""
    train.main(["multi_step=[[0.02, 4]]", "ema_decay=0.5"])
    plain = weights_of(4)
    for path in model_dir.glob("snapshot-*"):
        path.unlink()
    train.main(["multi_step=[[0.02, 4]]", "ema_decay=0.5", "eval_iters=2", "eval_phase=train", "eval_images=2"])
    assert "step 2: AIC score " in Path("log.txt").read_text()
    for name, value in weights_of(4).items():
        np.testing.assert_array_equal(value, plain[name], err_msg=name)


def test_a_run_in_two_parts_ends_at_the_same_weights(model_dir):
    train.main([])
    whole = weights_of(6)
    for path in model_dir.glob("snapshot-*"):
        path.unlink()
    train.main(["multi_step=[[0.02, 4]]"])
    train.main([])
    assert "resuming from snapshot-4: step 4, weights and optimizer" in (model_dir / "log.txt").read_text()
    for name, value in weights_of(6).items():
        np.testing.assert_array_equal(value, whole[name], err_msg=name)


def test_the_loss_falls(model_dir):
    train.main(["multi_step=[[0.02, 30]]", "display_iters=5", "save_iters=100", "log_dir=''"])
    losses = [
        float(line.split("loss: ")[1].split()[0])
        for line in Path("log.txt").read_text().splitlines()
        if "loss: " in line
    ]
    assert losses[-1] < 0.7 * losses[0]
    assert not (model_dir / "log").exists()


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_snapshot(model_dir):
    train.main(["multi_step=[[0.02, 2]]"])
    with pytest.raises(InputError, match=r"step \d+: the loss is (nan|inf); the last good snapshot is that of step"):
        train.main(["multi_step=[[1e6, 40]]", "save_iters=100", "locref_huber_loss=false"])
    assert [path.stem for path in model_dir.glob("*.index")] == ["snapshot-2"]


class ScriptedTrainer:
    """Returns these losses: of each step, and of the weights after some of them; notes what is saved."""

    devices = SimpleNamespace(workers=1, chief=True)

    def __init__(self, cfg, losses, losses_after):
        self.cfg, self.losses, self.losses_after, self.saved = cfg, iter(losses), iter(losses_after), []

    def step(self, batches, rate):
        return {"total_loss": next(self.losses)}

    def losses_now(self, batches):
        return {"total_loss": next(self.losses_after)}

    def save(self, path, step):
        self.saved.append(path)


@pytest.mark.parametrize("losses, losses_after, saved, fault", [
    ([2, 2, 2, 2], [2, 1999], ["snapshot-2", "snapshot-4"], None),
    ([0.1, 2, 2, 2], [999, 1], ["snapshot-2", "snapshot-4"], None),
    ([2, 2], [2001], [], "step 2: the loss is 2001; there is no snapshot yet; lower the learning rate"),
    ([2, 2, 2, 2], [2, 1e30], ["snapshot-2"], "step 4: the loss is 1e.30; the last good snapshot is that of step 2"),
    ([2, 2, 2, 2], [2, math.nan], ["snapshot-2"], "step 4: the loss is nan; the last good snapshot is that of step 2"),
    ([2, 2, math.inf], [2], ["snapshot-2"], "step 3: the loss is inf; the last good snapshot is that of step 2"),
])  # fmt: skip
def test_what_has_diverged_is_not_saved(tmp_path, monkeypatch, losses, losses_after, saved, fault):
    """Steps have finite losses, of the weights before them; what runs away shows in the loss after the last one."""
    monkeypatch.chdir(tmp_path)
    cfg = make_config(multi_step=[[1e6, 4]], save_iters=2, num_joints=1)
    trainer = ScriptedTrainer(cfg, losses, losses_after)
    with pytest.raises(InputError, match=fault) if fault else contextlib.nullcontext():
        assert train.run_steps(trainer, itertools.repeat({"image": np.zeros((1, 8, 8, 3))}), 0, None, None) == 4
    assert trainer.saved == saved


def test_one_training_at_a_time_in_a_folder(model_dir):
    with only_user("log.txt"), pytest.raises(InputError, match=r"log\.txt: another process is writing it"):
        train.main([])
    assert not list(model_dir.glob("snapshot*"))


def test_interrupt_saves_and_leaves(model_dir):
    process = subprocess.Popen(
        [sys.executable, train.__file__, "multi_step=[[0.0, 100000]]", "save_iters=100000"],
        stderr=subprocess.PIPE,
        text=True,
    )
    log = model_dir / "log.txt"
    deadline = time.monotonic() + 120
    while not (log.exists() and "iteration: 2 " in log.read_text()) and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and "Traceback" not in errors
    assert "stopped at step" in log.read_text()
    assert len(list(model_dir.glob("snapshot-*.index"))) == 1


@pytest.mark.parametrize(
    "optimizer, adam_lr, expected",
    [("sgd", None, [0.1] * 2 + [0.01] * 3), ("adam", None, [0.1] * 2 + [0.01] * 3), ("adam", 0.3, [0.3] * 5)],
)
def test_learning_rate_follows_multi_step(optimizer, adam_lr, expected):
    cfg = make_config(num_joints=1, optimizer=optimizer, adam_lr=adam_lr, multi_step=[[0.1, 2], [0.01, 4]])
    assert [train.learning_rate(cfg, step) for step in range(5)] == expected


def test_learning_rate_warms_up_and_falls_as_a_cosine():
    cfg = make_config(multi_step=[[0.4, 4], [0.1, 8]], cosine_decay=True, warmup_steps=2)
    rates = [train.learning_rate(cfg, step) for step in range(9)]
    full = [0.2 * (1 + np.cos(np.pi * step / 8)) for step in range(9)]
    np.testing.assert_allclose(rates, [full[0] / 2, *full[1:]], atol=1e-12)


def test_the_older_pairwise_order_is_not_for_training(model_dir):
    with pytest.raises(InputError, match="tensorflow_pairwise_order: false is for predicting"):
        train.main(["tensorflow_pairwise_order=false"])


def test_help_is_quick_and_shows_an_example():
    result = subprocess.run([sys.executable, train.__file__, "--help"], capture_output=True, text=True, check=True)
    assert "python ../../../train.py" in result.stdout


def test_a_missing_configuration_is_one_line(tmp_path):
    result = subprocess.run([sys.executable, train.__file__], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr.startswith("train.py: pose_cfg.yaml: cannot be read") and result.stderr.count("\n") == 1
