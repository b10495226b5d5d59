"""Loss terms and gradients against those of the original."""

import numpy as np
import pytest
import tensorflow as tf

from nnet.losses import compute_losses, count_targets, weighted_mean
from nnet.targets import make_targets
from tests.nnet.described import described
from tests.rounding import rounding

HEADS = {
    "part_pred": "part_pred",
    "part_pred_interm": "intermediate_supervision",
    "locref": "locref_pred",
    "pairwise_pred": "pairwise_pred",
}


@pytest.fixture(scope="module")
def golden(golden_dir):
    with np.load(golden_dir / "losses.npz") as archive:
        return dict(archive)


@pytest.mark.parametrize("huber", [0, 1])
@pytest.mark.parametrize("weighed", [0, 1])
@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_losses_and_gradients_equal_the_original(golden, golden_targets, name, weighed, huber):
    batch = {key.split("/")[2]: value for key, value in golden.items() if key.startswith(f"{name}/batch/")}
    cfg, spec = described(
        pairwise=True,
        num_joints=17,
        location_refinement=True,
        intermediate_supervision=True,
        weigh_part_predictions=bool(weighed),
        locref_huber_loss=bool(huber),
        pairwise_huber_loss=bool(huber),
        locref_loss_weight=1.0 if name == "c" else 0.05,
        pairwise_loss_weight=0.25 if name == "c" else 0.05,
    )
    stored = {key: tf.Variable(golden[f"{name}/head/{key}"]) for key in HEADS}
    targets = golden_targets(batch)
    if not weighed:
        targets = targets._replace(part_weight=np.ones_like(targets.part_weight))
    with tf.GradientTape() as tape:
        heads = {HEADS[key]: tf.convert_to_tensor(value) for key, value in stored.items()}
        heads["pairwise_pred"] = tf.gather_nd(heads["pairwise_pred"], targets.cells)
        losses = compute_losses(heads, targets, cfg, spec)
    gradients = tape.gradient(losses["total_loss"], stored)

    expected = f"{name}/weigh{weighed}_huber{huber}"
    for term, value in losses.items():
        terms = golden[f"{name}/head/pairwise_pred"].size  # of the longest sum
        np.testing.assert_allclose(value, golden[f"{expected}/{term}"], rtol=rounding(terms), err_msg=term)
    if huber:
        for key, value in gradients.items():
            gradient = tf.convert_to_tensor(value)
            theirs = golden[f"{expected}/grad/{key}"]
            tolerance = rounding(1, layers=8) * np.abs(theirs).max()  # of a value's sigmoid and factors
            np.testing.assert_allclose(gradient, theirs, rtol=0, atol=tolerance, err_msg=key)


def test_a_mean_without_weights_is_zero():
    assert weighted_mean(np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32), 0.0) == 0


def test_the_losses_of_pieces_add_up_to_those_of_the_batch(golden, golden_targets):
    """Their numbers of positive cells differ, so that a mean of means would be another number."""
    batch = {key.split("/")[2]: value for key, value in golden.items() if key.startswith("c/batch/")}
    cfg, spec = described(num_joints=17, location_refinement=True, weigh_part_predictions=True)
    part = golden["c/head/part_pred"]
    half = part.shape[2] // 2
    columns = [np.s_[:, :, :half], np.s_[:, :, half:]]
    whole, *pieces = (
        golden_targets({name: values[part] for name, values in batch.items()}) for part in [np.s_[:], *columns]
    )
    counts = sum(count_targets(piece) for piece in pieces)
    heads = {"part_pred": part, "locref_pred": golden["c/head/locref"]}
    expected = compute_losses(heads, whole, cfg, spec)
    added = [
        compute_losses({name: head[part] for name, head in heads.items()}, piece, cfg, spec, counts)
        for part, piece in zip(columns, pieces, strict=True)
    ]
    for name, value in expected.items():
        assert float(added[0][name] + added[1][name]) == pytest.approx(float(value), rel=rounding(part.size))


def test_unweighed_parts_still_leave_out_cells_of_weight_zero():
    cfg, spec = described(num_joints=1)
    weight = np.array([[[0, 0.5], [1, 1]]], np.float32)
    targets = make_targets(np.array([[[[8, 8, 1]]]], np.float32), weight, np.ones(1, np.float32), cfg, spec)
    assert targets.part.numpy().all()
    logits = np.array([9, 0, 0, 0], np.float32).reshape(1, 2, 2, 1)
    assert float(compute_losses({"part_pred": logits}, targets, cfg, spec)["part_loss"]) == pytest.approx(np.log(2))
    cfg, spec = described(num_joints=1, weigh_part_predictions=True)
    loss = compute_losses({"part_pred": logits}, targets, cfg, spec)["part_loss"]
    assert float(loss) == pytest.approx(np.log(2) * 2.5 / 3)
