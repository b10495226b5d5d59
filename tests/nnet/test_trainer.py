"""Training steps against the original's, and what a restart restores."""

import contextlib

import numpy as np
import pytest
import tensorflow as tf

from config import make_config
from nnet import checkpoint, loss_scale, trainer
from tests.rounding import rounding
from util.errors import InputError

CONFIG = {"num_joints": 17, "net_type": "resnet_50", "location_refinement": True, "pairwise_predict": True,
          "intermediate_supervision": True, "intermediate_supervision_layer": 6, "locref_loss_weight": 0.05,
          "pairwise_loss_weight": 0.05, "batch_norm": "frozen"}  # fmt: skip


def test_six_steps_equal_the_original(golden_dir, golden_targets, set_formula_weights, monkeypatch):
    with np.load(golden_dir / "train_steps.npz") as archive:
        golden = dict(archive)
    batch = {key[6:]: value.astype(np.float32) for key, value in golden.items() if key.startswith("batch/")}
    monkeypatch.setattr(trainer, "make_targets", lambda *_: golden_targets(batch))
    training = trainer.Trainer(make_config(**CONFIG))
    set_formula_weights(training.slim_variables)
    start = {name: var.numpy().astype(float) for name, var in training.slim_variables.items()}

    inputs = {
        "image": golden["batch/inputs"],
        "people": np.zeros((1, 0, 17, 3), np.float32),
        "weight": np.ones((1, 12, 16), np.float32),
        "scale": np.ones(1, np.float32),
    }
    for expected in golden["loss_history"][:6]:
        losses = training.step([inputs], float(golden["lr"]))
        found = [losses[name] for name in golden["loss_names"]]
        np.testing.assert_allclose(found, expected, rtol=rounding(9 * 512, layers=50))
    for name, change in zip(golden["var_names"], golden["var_change_l2"], strict=True):
        ours = np.linalg.norm(training.slim_variables[name].numpy() - start[name])
        assert ours == pytest.approx(change, rel=6 * rounding(9 * 512, layers=2 * 50), abs=1e-9), name


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    people = np.concatenate([rng.uniform(0, 48, (2, 2, 3, 2)), np.ones((2, 2, 3, 1))], axis=-1)
    return {
        "image": rng.integers(0, 256, (2, 48, 48, 3), np.uint8),
        "people": people.astype(np.float32),
        "weight": np.ones((2, 6, 6), np.float32),
        "scale": np.ones(2, np.float32),
    }


def small_config(**values):
    return make_config(**{"num_joints": 3, "net_type": "mobilenet_v2_0.35", "location_refinement": True} | values)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_a_restart_continues_bit_for_bit(batch, optimizer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = {"net_type": "resnet_18", "batch_norm": "train", "optimizer": optimizer}  # ResNet-18 is built soonest
    values |= {"ema_decay": 0.9} if optimizer == "adamw" else {"regularize": True}
    first = trainer.Trainer(small_config(**values))
    assert first.start("snapshot", "") == 0
    for _ in range(2):
        first.step([batch], 0.01)
    first.save("snapshot-2", 2)
    first.step([batch], 0.01)

    second = trainer.Trainer(small_config(seed=9, **values))
    assert second.start("snapshot", "") == 2
    second.step([batch], 0.01)
    for name, variable in first.state().items():
        assert np.isfinite(variable).all()
        np.testing.assert_array_equal(second.state()[name], variable, err_msg=name)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_losses_of_the_next_step_are_told_and_nothing_changes(batch, optimizer):
    training = trainer.Trainer(small_config(optimizer=optimizer, net_type="resnet_18", batch_norm="train"))
    training.step([batch], 0.01)
    before = {name: variable.numpy() for name, variable in training.state().items()}
    losses = training.losses_now([batch])
    for name, variable in training.state().items():
        np.testing.assert_array_equal(variable, before[name], err_msg=name)
    assert training.step([batch], 0.01) == losses


@pytest.mark.parametrize(("optimizer", "kept"), [("sgd", False), ("adam", True)])
def test_snapshots_of_older_versions(optimizer, kept, tmp_path, monkeypatch, caplog):
    """They do not count the optimizer's steps. Adam's state is read; momentum, then in other units, starts anew."""
    monkeypatch.chdir(tmp_path)
    training = trainer.Trainer(small_config(net_type="resnet_18", optimizer=optimizer))
    arrays = {name: np.ones(variable.shape, np.float32) for name, variable in training.state().items()}
    del arrays["optimizer_steps"]
    checkpoint.write_checkpoint("snapshot-1", arrays)
    with caplog.at_level("INFO"):
        assert training.start("snapshot", "") == 1
    assert ("no state that the sgd optimizer can use, which starts anew" in caplog.text) != kept
    for name, variable in training.state().items():
        np.testing.assert_array_equal(variable, kept or name in training.slim_variables, err_msg=name)


def test_slots_have_tensorflows_names(golden_dir):
    with np.load(golden_dir / "network.npz") as archive:
        slots = set(archive["50/slots"])
    assert set(trainer.Trainer(make_config(**CONFIG)).optimizer.state()) == slots | {"optimizer_steps"}


def test_a_learning_rate_of_zero_changes_nothing(batch):
    training = trainer.Trainer(small_config(batch_norm="frozen"))
    before = {name: var.numpy() for name, var in training.slim_variables.items()}
    training.step([batch], 0.0)
    for name, variable in training.slim_variables.items():
        np.testing.assert_array_equal(variable, before[name])


def test_weight_decay_pulls_on_kernels_only(batch):
    plain, decayed = (trainer.Trainer(small_config(batch_norm="frozen", regularize=flag)) for flag in (False, True))
    plain.step([batch], 1.0)
    decayed.step([batch], 1.0)
    name = "MobilenetV2/Conv_1/weights"
    before = trainer.Trainer(small_config(batch_norm="frozen")).slim_variables[name].numpy()
    difference = plain.slim_variables[name].numpy() - decayed.slim_variables[name].numpy()
    np.testing.assert_allclose(difference, 1e-4 * before, rtol=0.02, atol=1e-6)
    bias = "pose/part_pred/block4/biases"
    np.testing.assert_allclose(plain.slim_variables[bias], decayed.slim_variables[bias], atol=1e-6)


def test_decoupled_weight_decay_shrinks_kernels_by_rate_times_decay(batch):
    training = trainer.Trainer(small_config(optimizer="adamw", weight_decay=0.5, batch_norm="frozen"))
    plain = trainer.Trainer(small_config(optimizer="adam", batch_norm="frozen"))
    kernel, gamma = "MobilenetV2/Conv_1/weights", "MobilenetV2/Conv_1/BatchNorm/gamma"
    before = plain.slim_variables[kernel].numpy()
    for one in (training, plain):
        one.step([batch], 0.1)
    shrunk = plain.slim_variables[kernel].numpy() - training.slim_variables[kernel].numpy()
    np.testing.assert_allclose(shrunk, 0.1 * 0.5 * before, atol=1e-5)
    np.testing.assert_allclose(training.slim_variables[gamma], plain.slim_variables[gamma], atol=1e-6)


def test_inference_takes_the_moving_average_of_the_weights(batch, tmp_path):
    training = trainer.Trainer(small_config(ema_decay=0.75, batch_norm="frozen"))
    name = "pose/part_pred/block4/weights"
    history = []
    for _ in range(3):
        training.step([batch], 0.1)
        history.append(training.slim_variables[name].numpy())
    training.save(str(tmp_path / "snapshot-3"), 3)
    variable = {name: training.slim_variables[name]}
    expected = 0.75 * (0.75 * history[0] + 0.25 * history[1]) + 0.25 * history[2]
    checkpoint.load_weights(variable, tmp_path / "snapshot-3", averaged=True)
    np.testing.assert_allclose(variable[name], expected, atol=1e-6)
    checkpoint.load_weights(variable, tmp_path / "snapshot-3")
    np.testing.assert_array_equal(variable[name], history[2])


def test_a_frozen_backbone_stays_and_the_heads_learn(batch):
    training = trainer.Trainer(small_config(freeze_backbone=True, batch_norm="train"))
    before = {name: var.numpy() for name, var in training.slim_variables.items()}
    training.step([batch], 0.1)
    changed = {name for name, var in training.slim_variables.items() if not np.array_equal(var, before[name])}
    assert changed == {name for name in before if name.startswith("pose/")}


def test_training_starts_from_a_whole_checkpoint_or_from_a_backbone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = trainer.Trainer(small_config(seed=1))
    weights = {name: var.numpy() for name, var in source.slim_variables.items()}
    checkpoint.write_checkpoint(tmp_path / "whole", weights)
    backbone = {name: value for name, value in weights.items() if not name.startswith("pose/")}
    checkpoint.write_checkpoint(tmp_path / "backbone", backbone | {"MobilenetV2/Logits/biases": np.zeros(3, "f")})
    head = "pose/part_pred/block4/weights"
    for name, head_loaded in (("whole", True), ("backbone", False)):
        training = trainer.Trainer(small_config(seed=2))
        assert training.start("snapshot", str(tmp_path / name)) == 0
        conv = "MobilenetV2/Conv/weights"
        np.testing.assert_array_equal(training.slim_variables[conv], weights[conv])
        assert np.array_equal(training.slim_variables[head], weights[head]) == head_loaded


@contextlib.contextmanager
def eager_execution():
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


def test_the_graph_for_all_sizes_computes_what_eager_execution_does(batch):
    compiled, eager = (trainer.Trainer(small_config(batch_norm="frozen")) for _ in range(2))
    for size in ((48, 48), (80, 48), (48, 96)):
        sized = batch | {
            "image": np.resize(batch["image"], (2, *size, 3)),
            "weight": np.ones((2, size[0] // 8, size[1] // 8), np.float32),
        }
        ours = compiled.step([sized], 0.01)
        with eager_execution():
            theirs = eager.step([sized], 0.01)
        assert ours["total_loss"] == pytest.approx(theirs["total_loss"], rel=rounding(4 * 1280, layers=53))
    name = "MobilenetV2/Conv/weights"
    start = trainer.Trainer(small_config()).slim_variables[name].numpy()
    change, expected = (training.slim_variables[name].numpy() - start for training in (compiled, eager))
    tolerance = 3 * rounding(4 * 1280, layers=2 * 53) * np.abs(expected).max()  # of three steps
    np.testing.assert_allclose(change, expected, rtol=0, atol=tolerance)


def pieces_of(batch, size):
    count = len(batch["scale"])
    return [{name: value[first : first + size] for name, value in batch.items()} for first in range(0, count, size)]


@pytest.mark.parametrize("scaled", [False, True])
def test_accumulated_pieces_make_the_step_of_the_whole_batch(batch, set_formula_weights, scaled):
    """Four images of different numbers of people, in two pieces, twice.

    scaled: the loss, as in float16, but in float32, in which a factor of 2 to the 6th rounds nothing
    """
    batch = {
        name: np.concatenate([value, value[:, ::-1]] if value.ndim > 1 else [value] * 2)
        for name, value in batch.items()
    }
    batch["people"][1:, 1] = 0
    values = {"net_type": "resnet_18", "batch_norm": "frozen", "regularize": True, "weight_decay": 0.1}
    whole, pieces = (trainer.Trainer(small_config(accumulate_steps=steps, **values)) for steps in (1, 2))
    set_formula_weights(whole.slim_variables)
    set_formula_weights(pieces.slim_variables)
    if scaled:
        pieces.loss_scale = loss_scale.LossScale()
        pieces.loss_scale.scale.assign(64.0)
    first, second = pieces_of(batch, 2)
    for _ in range(2):
        expected = whole.step([batch], 0.001)
        assert pieces.step([first, second], 0.001) == pytest.approx(expected, rel=rounding(9 * 256, layers=18))
    for name, state in whole.optimizer.state().items():
        tolerance = 2 * rounding(9 * 256, layers=2 * 18) * np.abs(state).max()  # of two steps
        np.testing.assert_allclose(pieces.optimizer.state()[name], state, rtol=0, atol=tolerance, err_msg=name)


def test_gradients_that_overflow_leave_the_step_out_and_halve_the_scale(
    batch, set_formula_weights, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loss_scale, "PATIENCE", 2)
    cfg = small_config(net_type="resnet_18", precision="float16", batch_norm="frozen", optimizer="adam")
    training = trainer.Trainer(cfg)
    set_formula_weights(training.slim_variables)
    training.loss_scale.scale.assign(2.0**120)
    before = {name: var.numpy() for name, var in training.slim_variables.items()}
    training.step([batch], 0.01)
    assert float(training.loss_scale.scale) == loss_scale.LARGEST
    for name, variable in training.slim_variables.items():
        np.testing.assert_array_equal(variable, before[name])
    training.loss_scale.scale.assign(256.0)
    for expected in ([256.0, 1.0], [512.0, 0.0], [512.0, 1.0]):
        training.step([batch], 0.00001)
        assert [float(variable) for variable in training.loss_scale.variables().values()] == expected
    name = "pose/part_pred/block4/biases"
    assert not np.array_equal(training.slim_variables[name], before[name])
    training.save("snapshot-4", 4)
    resumed = trainer.Trainer(cfg)
    assert resumed.start("snapshot", "") == 4
    assert [float(variable) for variable in resumed.loss_scale.variables().values()] == [512.0, 1.0]


def test_too_little_memory_is_one_line_with_the_size_and_the_key(batch, monkeypatch):
    training = trainer.Trainer(small_config(net_type="resnet_18"))

    def exhausted(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(training.devices, "watch", exhausted)
    for size, remedy in ((1, "lower max_input_size"), (2, "lower batch_size, and raise accum")):
        smaller = {name: value[:size] for name, value in batch.items()}
        with pytest.raises(InputError, match=f"no memory for a batch of {size} images of 48x48 pixels: {remedy}"):
            training.step([smaller], 0.1)


def test_the_step_of_a_snapshot():
    assert trainer.step_of("models/snapshot-7", {}) == 7
    assert trainer.step_of("snapshot-7", {"global_step": np.int64(5)}) == 5
    for broken in (np.arange(3), np.int64(-1), np.float64(np.nan), np.int64(10**12)):
        with pytest.raises(InputError, match="global_step is .* no step"):
            trainer.step_of("snapshot-7", {"global_step": broken})
