"""The training script on a handful of drawn people."""

import contextlib
import itertools
import math
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import train
from config import make_config
from dataset.aic_to_coco import convert
from dataset.skeleton import NECKHEAD
from dataset.toy import write_toy_set
from multiperson.validation import Validation
from nnet.checkpoint import read_checkpoint
from nnet.curves import read_scalars
from nnet.description import keep_beside, read_spec
from nnet.trainer import Trainer
from tools import pairwise_stats
from util.errors import InputError
from util.files import only_user

pytestmark = pytest.mark.usefixtures("tiny_resnet")

CONFIG = """
dataset: {toy}
pairwise_stats_fn: {toy}/pairwise_stats.mat
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
ema_decay: 0.5
multi_step: [[0.02, 6]]
display_iters: 2
save_iters: 2
"""


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """A folder with four drawn scenes in COCO's format, their pairwise statistics and a configuration."""
    folder = tmp_path_factory.mktemp("toy")
    write_toy_set(folder, images=4, people=(1, 2), size=(96, 96))
    annotations = folder / "annotations"
    convert(annotations / "train.json", folder / "images/train", annotations / "person_keypoints_train.json")
    (folder / "pose_cfg.yaml").write_text(CONFIG.format(toy=folder))
    pairwise_stats.main(["--cfg", str(folder / "pose_cfg.yaml"), "--out", str(folder / "pairwise_stats.mat")])
    return folder


@pytest.fixture
def model_dir(toy, tmp_path, monkeypatch):
    """The current directory, with nothing but a configuration in it."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(toy / "pose_cfg.yaml", tmp_path)
    return tmp_path


def train_with_scores(scores, *overrides):
    """Train with these scores on held-out images instead of the network's."""
    scores = iter(scores)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Validation, "score", lambda self, network: next(scores))
        train.main(["eval_iters=2", "eval_phase=train", *overrides])


@pytest.fixture(scope="module")
def finished(toy, tmp_path_factory):
    """The folder of a training of six steps, with scores after each two of them."""
    folder = tmp_path_factory.mktemp("finished")
    shutil.copy(toy / "pose_cfg.yaml", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        train_with_scores([0.2, 0.7, 0.5])
    return folder


@pytest.fixture
def continued(finished, tmp_path, monkeypatch):
    """A copy of the finished training as the current directory."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def assert_same_weights(path, expected):
    found, expected = read_checkpoint(path), read_checkpoint(expected)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_training_writes_snapshots_log_and_summaries(finished):
    snapshots = sorted(path.stem for path in finished.glob("snapshot-*.index"))
    assert snapshots == ["snapshot-2", "snapshot-4", "snapshot-6", "snapshot-best"]
    log = (finished / "log.txt").read_text()
    for text in ("starting from random weights", "iteration: 6 of 6 loss: ", "0:00:00 left", "finished at step 6 of 6"):
        assert text in log
    events = b"".join(path.read_bytes() for path in (finished / "log").iterdir())
    for tag in (b"part_loss", b"locref_loss", b"pairwise_loss", b"learning_rate", b"images_per_second", b"parts"):
        assert tag in events
    spec, _ = read_spec(finished / "snapshot-6")
    assert spec.skeleton == NECKHEAD and spec.net_type == "resnet_18" and spec.pairwise is not None
    assert (finished / "training.png").exists()


def test_the_snapshot_of_the_best_score_is_kept(finished):
    best = read_checkpoint(finished / "snapshot-best")
    assert (best["global_step"], best["validation_score"]) == (4, 0.7)
    for name, value in read_checkpoint(finished / "snapshot-4").items():
        np.testing.assert_array_equal(best[name], value, err_msg=name)
    np.testing.assert_allclose(read_scalars(finished / "log")["score"], [[2, 4, 6], [0.2, 0.7, 0.5]])


def test_a_continued_training_knows_the_best_score(continued):
    train_with_scores([0.6], "multi_step=[[0.02, 7]]")
    assert read_checkpoint("snapshot-best")["global_step"] == 4
    assert "step 7: AIC score 0.6000 on 4 held-out images, the best was 0.7000" in Path("log.txt").read_text()


def test_a_finished_training_is_left_alone(continued):
    train.main([])
    text = "nothing to train: the snapshot is of step 6, and multi_step ends at 6"
    assert text in (continued / "log.txt").read_text()


def test_neither_scores_nor_a_restart_change_the_weights(model_dir, finished):
    """Scored for real: models of the pairs are learnt on the way, averaged weights come and go."""
    train.main(["multi_step=[[0.02, 4]]", "eval_iters=2", "eval_phase=train", "eval_images=2"])
    assert_same_weights("snapshot-4", finished / "snapshot-4")
    train.main([])
    assert_same_weights("snapshot-6", finished / "snapshot-6")
    log = Path("log.txt").read_text()
    assert "step 2: AIC score " in log and "resuming from snapshot-4: step 4, weights and optimizer" in log


def test_a_folder_keeps_the_model_of_its_training(finished, model_dir):
    spec, _ = read_spec(finished / "snapshot-4")
    other = replace(spec, locref_stdev=5.0)
    keep_beside(model_dir / "snapshot-4", other)
    with pytest.raises(InputError, match="model.yaml: describes another model: its locref_stdev differs; move it away"):
        train.main([])
    assert read_spec(model_dir / "snapshot-4")[0].as_table() == other.as_table()


def test_the_loss_falls(model_dir):
    train.main(["multi_step=[[0.02, 30]]", "display_iters=5", "save_iters=100", "log_dir=''"])
    losses = [
        float(line.split("loss: ")[1].split()[0])
        for line in Path("log.txt").read_text().splitlines()
        if "loss: " in line
    ]
    assert losses[-1] < 0.7 * losses[0]
    assert not (model_dir / "log").exists()


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_snapshot(continued):
    before = set(continued.glob("*.index"))
    with pytest.raises(InputError, match=r"step \d+: the loss is (nan|inf); the last good snapshot is that of step 6"):
        train.main(["multi_step=[[1e6, 40]]", "save_iters=100", "locref_huber_loss=false"])
    assert set(continued.glob("*.index")) == before


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


def test_an_interrupt_saves_and_leaves(model_dir, monkeypatch):
    """During a step, which is finished first."""
    steps, step = itertools.count(1), Trainer.step

    def interrupted_step(self, *args):
        if next(steps) == 3:
            signal.raise_signal(signal.SIGINT)
        return step(self, *args)

    monkeypatch.setattr(Trainer, "step", interrupted_step)
    with pytest.raises(SystemExit, match="130"):
        train.main(["multi_step=[[0.0, 100000]]", "save_iters=100000"])
    assert "stopped at step 3 of 100000" in (model_dir / "log.txt").read_text()
    assert [path.stem for path in model_dir.glob("snapshot-*.index")] == ["snapshot-3"]


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


def test_a_missing_configuration_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"pose_cfg\.yaml: cannot be read"):
        train.main([])
