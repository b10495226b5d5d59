"""Training steps against the original's, and what a restart restores."""

import contextlib

import numpy as np
import pytest
import tensorflow as tf

from nnet import checkpoint, loss_scale, trainer
from nnet.predict import Predictor
from tests.nnet.described import described
from tests.rounding import rounding
from util.errors import InputError

pytestmark = pytest.mark.usefixtures("tiny_resnet")

LAYERS = 8  # of the small network: its convolutions, one after the other, and a head
CONV, HEAD, BIAS = "resnet_v1_18/conv1/weights", "pose/part_pred/block4/weights", "pose/part_pred/block4/biases"


def values_of(variables):
    return {name: variable.numpy() for name, variable in variables.items()}


def assert_values(variables, expected):
    for name, variable in variables.items():
        np.testing.assert_array_equal(variable, expected[name], err_msg=name)


def test_six_steps_equal_the_original(golden_dir, golden_targets, set_formula_weights, monkeypatch):
    with np.load(golden_dir / "train_steps.npz") as archive:
        golden = dict(archive)
    with np.load(golden_dir / "network.npz") as archive:
        slots = set(archive["50/slots"])
    batch = {key[6:]: value.astype(np.float32) for key, value in golden.items() if key.startswith("batch/")}
    monkeypatch.setattr(trainer, "make_targets", lambda *_: golden_targets(batch))
    model = described(
        pairwise=True,
        num_joints=17,
        net_type="resnet_50",
        location_refinement=True,
        intermediate_supervision=True,
        intermediate_supervision_layer=6,
        locref_loss_weight=0.05,
        pairwise_loss_weight=0.05,
        batch_norm="frozen",
    )
    training = trainer.Trainer(*model)
    assert set(training.optimizer.state()) == slots | {"optimizer_steps"}
    set_formula_weights(training.slim_variables)
    start = values_of(training.slim_variables)

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
        ours = np.linalg.norm(training.slim_variables[name].numpy() - start[name].astype(float))
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


def small_trainer(**values):
    defaults = {"num_joints": 3, "net_type": "resnet_18", "location_refinement": True, "batch_norm": "frozen"}
    return trainer.Trainer(*described(**defaults | values))


@pytest.mark.parametrize(
    "values", [{"optimizer": "sgd", "regularize": True}, {"optimizer": "adamw", "ema_decay": 0.9}], ids=["sgd", "adamw"]
)
def test_a_restart_continues_bit_for_bit(batch, values, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = small_trainer(batch_norm="train", **values)
    assert first.start("snapshot", "") == 0
    for _ in range(2):
        first.step([batch], 0.01)
    first.save("snapshot-2", 2)
    first.step([batch], 0.01)

    second = small_trainer(batch_norm="train", seed=9, **values)
    assert second.start("snapshot", "") == 2
    second.step([batch], 0.01)
    assert all(np.isfinite(value).all() for value in values_of(first.state()).values())
    assert_values(second.state(), values_of(first.state()))


def test_the_losses_of_the_next_step_change_nothing(batch):
    training = small_trainer(optimizer="adamw", ema_decay=0.9, batch_norm="train")
    training.step([batch], 0.01)
    before = values_of(training.state())
    losses = training.losses_now([batch])
    assert_values(training.state(), before)
    assert training.step([batch], 0.01) == pytest.approx(losses, rel=rounding(9 * 256, layers=LAYERS))


@pytest.mark.parametrize(("optimizer", "kept"), [("sgd", False), ("adam", True)])
def test_snapshots_of_older_versions_keep_adams_state_alone(optimizer, kept, tmp_path, monkeypatch, caplog):
    """They lack the number of the optimizer's steps, and their momentum has other units."""
    monkeypatch.chdir(tmp_path)
    training = small_trainer(optimizer=optimizer)
    arrays = {name: np.ones(variable.shape, np.float32) for name, variable in training.state().items()}
    del arrays["optimizer_steps"]
    checkpoint.write_checkpoint("snapshot-1", arrays)
    with caplog.at_level("INFO"):
        assert training.start("snapshot", "") == 1
    assert ("no state that the sgd optimizer can use, which starts anew" in caplog.text) != kept
    for name, variable in training.state().items():
        np.testing.assert_array_equal(variable, kept or name in training.slim_variables, err_msg=name)


def test_regularizing_pulls_on_kernels_only(batch):
    plain, decayed = (small_trainer(regularize=flag, weight_decay=100, batch_norm="train") for flag in (False, True))
    before = values_of(plain.slim_variables)
    for training in (plain, decayed):
        training.step([batch], 0.01)
    for name, decay in ((CONV, 100), (BIAS, 0)):
        gradient, pulled = (training.optimizer.state()[f"{name}/Momentum"].numpy() for training in (plain, decayed))
        tolerance = rounding(9 * 256, layers=2 * LAYERS) * np.abs(gradient).max()
        np.testing.assert_allclose(pulled - gradient, decay * before[name], rtol=1e-6, atol=tolerance)


def test_score_maps_are_those_of_inference(batch):
    training = small_trainer()
    found = training.score_maps(batch["image"][0])
    expected = Predictor(training.cfg, training.spec, training.net).maps(batch["image"][0])
    assert found.stride == expected.stride
    np.testing.assert_allclose(found.part_prob, expected.part_prob, rtol=0, atol=rounding(9 * 256, layers=LAYERS))


def test_a_frozen_backbone_stays_and_the_heads_learn(batch):
    training = small_trainer(freeze_backbone=True, batch_norm="train")
    before = values_of(training.slim_variables)
    training.step([batch], 0.1)
    changed = {name for name, var in training.slim_variables.items() if not np.array_equal(var, before[name])}
    assert changed == {name for name in before if name.startswith("pose/")}


def test_training_starts_from_init_weights(tmp_path, monkeypatch):
    """tests/nnet/test_checkpoint.py tells which of them are taken."""
    monkeypatch.chdir(tmp_path)
    training = small_trainer()
    ones = {name: np.ones(variable.shape, np.float32) for name, variable in training.slim_variables.items()}
    checkpoint.write_checkpoint("weights", ones)
    assert training.start("snapshot", "weights") == 0
    assert_values(training.slim_variables, ones)


@contextlib.contextmanager
def eager_execution():
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


def test_the_graph_for_all_sizes_computes_what_eager_execution_does(batch, set_formula_weights):
    compiled, eager = (small_trainer() for _ in range(2))
    for training in (compiled, eager):
        set_formula_weights(training.slim_variables)
    start = compiled.slim_variables[CONV].numpy()
    for size in ((48, 48), (80, 48), (48, 96)):
        sized = batch | {
            "image": np.resize(batch["image"], (2, *size, 3)),
            "weight": np.ones((2, size[0] // 8, size[1] // 8), np.float32),
        }
        ours = compiled.step([sized], 0.001)
        with eager_execution():
            theirs = eager.step([sized], 0.001)
        assert ours["total_loss"] == pytest.approx(theirs["total_loss"], rel=rounding(9 * 256, layers=LAYERS))
    change, expected = (training.slim_variables[CONV].numpy() - start for training in (compiled, eager))
    tolerance = 3 * rounding(9 * 256, layers=2 * LAYERS) * np.abs(expected).max()  # of three steps
    np.testing.assert_allclose(change, expected, rtol=0, atol=tolerance)


def pieces_of(batch, size):
    count = len(batch["scale"])
    return [{name: value[first : first + size] for name, value in batch.items()} for first in range(0, count, size)]


def test_accumulated_pieces_make_the_step_of_the_whole_batch(batch, set_formula_weights):
    """Four images of different numbers of people, in two pieces, twice; also with the loss scaled, as in float16."""
    batch = {
        name: np.concatenate([value, value[:, ::-1]] if value.ndim > 1 else [value] * 2)
        for name, value in batch.items()
    }
    batch["people"][1:, 1] = 0
    values = {"regularize": True, "weight_decay": 0.1}
    whole, *pieces = (small_trainer(accumulate_steps=steps, **values) for steps in (1, 2, 2))
    for training in (whole, *pieces):
        set_formula_weights(training.slim_variables)
    pieces[1].loss_scale = loss_scale.LossScale()
    pieces[1].loss_scale.scale.assign(64.0)  # a power of two, which rounds nothing
    for _ in range(2):
        expected = whole.step([batch], 0.001)
        for training in pieces:
            losses = training.step(pieces_of(batch, 2), 0.001)
            assert losses == pytest.approx(expected, rel=rounding(9 * 256, layers=LAYERS))
    for training in pieces:
        for name, state in whole.optimizer.state().items():
            tolerance = 2 * rounding(9 * 256, layers=2 * LAYERS) * np.abs(state).max()  # of two steps
            np.testing.assert_allclose(training.optimizer.state()[name], state, rtol=0, atol=tolerance, err_msg=name)


def test_gradients_that_overflow_skip_the_step_and_halve_the_scale(batch, set_formula_weights, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loss_scale, "PATIENCE", 2)
    training = small_trainer(precision="float16", optimizer="adam")
    set_formula_weights(training.slim_variables)
    training.loss_scale.scale.assign(2.0**120)
    before = values_of(training.slim_variables)
    training.step([batch], 0.01)
    assert float(training.loss_scale.scale) == loss_scale.LARGEST
    assert_values(training.slim_variables, before)
    training.loss_scale.scale.assign(256.0)
    for expected in ([256.0, 1.0], [512.0, 0.0], [512.0, 1.0]):
        training.step([batch], 0.00001)
        assert [float(variable) for variable in training.loss_scale.variables().values()] == expected
    assert not np.array_equal(training.slim_variables[BIAS], before[BIAS])
    training.save("snapshot-4", 4)
    resumed = trainer.Trainer(training.cfg, training.spec)
    assert resumed.start("snapshot", "") == 4
    assert [float(variable) for variable in resumed.loss_scale.variables().values()] == [512.0, 1.0]


def test_too_little_memory_is_one_line_with_the_size_and_the_key(batch, monkeypatch):
    training = small_trainer()

    def exhausted(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(training.devices, "watch", exhausted)
    for size, remedy in ((1, "lower max_input_size"), (2, "lower batch_size, and raise accum")):
        smaller = {name: value[:size] for name, value in batch.items()}
        with pytest.raises(InputError, match=f"no memory for a batch of {size} images of 48x48 pixels: {remedy}"):
            training.step([smaller], 0.1)


def test_the_step_of_a_snapshot_is_in_it_or_in_its_name():
    assert trainer.step_of("models/snapshot-7", {}) == 7
    assert trainer.step_of("snapshot-7", {"global_step": np.int64(5)}) == 5
    for broken in (np.arange(3), np.int64(-1), np.float64(np.nan), np.int64(10**12)):
        with pytest.raises(InputError, match="global_step is .* no step"):
            trainer.step_of("snapshot-7", {"global_step": broken})
