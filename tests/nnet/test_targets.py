"""Training targets against those of the original."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from dataset.pair_offsets import PairwiseStats
from nnet.targets import make_targets
from tests.nnet.described import described
from util.maps import pair_index


@pytest.fixture(scope="module")
def golden(golden_dir):
    with np.load(golden_dir / "targets.npz") as archive:
        return dict(archive)


def people_array(rows, counts, scale):
    """Joints in rows (id, x, y), person after person, as an array (1, P, 17, 3)."""
    people = np.zeros((1, len(counts), 17, 3), np.float32)
    owner = np.repeat(np.arange(len(counts)), counts.astype(int))
    people[0, owner, rows[:, 0].astype(int)] = np.column_stack([rows[:, 1:] * scale, np.ones(len(rows))])
    return people


def dense(targets, values, size):
    """Values (m, ...) of the positive cells and parts of one image as a map (h, w, 17 ...)."""
    result = np.zeros((*size, 17, *values.shape[1:]), np.float32)
    result[tuple(targets.positive.numpy().T[1:])] = values
    return result.reshape(*size, -1)


@pytest.mark.parametrize("number", range(9))
def test_targets_equal_the_original(golden, number):
    case = {key.split("/")[1]: value for key, value in golden.items() if key.startswith(f"case{number:02d}/")}
    cfg, spec = described(
        num_joints=17,
        location_refinement=True,
        global_scale=float(case["global_scale"]),
        weigh_only_present_joints=bool(case["weigh_only_present_joints"]),
    )
    spec = replace(spec, pairwise=PairwiseStats(golden["stats/means"], golden["stats/std_devs"]))
    scale, size = np.float32(case["scale"]), tuple(case["sm_size"])
    people = people_array(case["joints_mirrored"], case["counts"], float(case["scale"]))

    targets = make_targets(people, np.ones((1, *size), np.float32), np.array([scale]), cfg, spec)

    np.testing.assert_array_equal(targets.part[0], case["scmap"])
    np.testing.assert_array_equal(targets.part_weight[0], case["scmap_weights"])
    np.testing.assert_array_equal(dense(targets, np.ones_like(targets.locref), size), case["locref_mask"])
    np.testing.assert_allclose(dense(targets, targets.locref, size), case["locref_map"], rtol=0, atol=1e-5)
    # The original leaves offsets behind of people who lost the cell to a nearer one.
    mask = case["pairwise_mask"] - case["pairwise_stale"]
    np.testing.assert_array_equal(dense(targets, np.repeat(targets.pairwise_mask, 2, axis=1), size), mask)
    ours = dense(targets, targets.pairwise.numpy(), size)
    np.testing.assert_allclose(ours, case["pairwise_map"] * mask, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(targets.cells, np.argwhere(targets.part.numpy().any(axis=-1)))
    np.testing.assert_array_equal(tf.gather(targets.cells, targets.at), targets.positive[:, :3])


def test_in_a_crowd_the_nearest_joint_wins():
    rng = np.random.default_rng(3)
    people = np.concatenate([rng.uniform(0, 128, (2, 30, 5, 2)), rng.random((2, 30, 5, 1)) < 0.8], -1).astype("f")
    cfg, spec = described(num_joints=5, location_refinement=True, pos_dist_thresh=12)
    stats = PairwiseStats(rng.normal(size=(20, 2)), rng.uniform(1, 9, (20, 2)))
    spec = replace(spec, pairwise=stats, pairwise_scale=0.5)
    scale = np.array([1.0, 0.9], np.float32)
    targets = make_targets(people, np.ones((2, 16, 16), np.float32), scale, cfg, spec)
    part_map, locref, pairwise, mask = (
        array.numpy() for array in (targets.part, targets.locref, targets.pairwise, targets.pairwise_mask)
    )
    rows = {tuple(entry): row for row, entry in enumerate(targets.positive.numpy())}

    for image, row, col, part in np.ndindex(2, 16, 16, 5):
        center = np.array([8 * col + 4, 8 * row + 4])
        joints = [p for p in people[image] if p[part, 2]]
        person = min(joints, key=lambda p: np.hypot(*(p[part, :2] - center)))
        positive = np.hypot(*(person[part, :2] - center)) <= 12 * scale[image]
        assert bool(part_map[image, row, col, part]) == positive
        if not positive:
            continue
        at = rows[image, row, col, part]
        np.testing.assert_allclose(center + locref[at] * spec.locref_stdev, person[part, :2], atol=1e-4)
        for column, other in enumerate(sorted(set(range(5)) - {part})):
            pair = pair_index(part, other, 5)
            assert mask[at, column] == person[other, 2]
            if person[other, 2]:
                reached = center + (pairwise[at, column] * stats.std_devs[pair] + stats.means[pair]) / 2
                np.testing.assert_allclose(reached, person[other, :2], atol=1e-3)


def test_weights_are_passed_on_and_balanced():
    people = np.array([[[[20, 20, 1], [0, 0, 0]]]], np.float32)
    weight = np.ones((1, 8, 8), np.float32)
    weight[:, :, 6:] = 0
    model = described(num_joints=2, weigh_negatives=True, fg_fraction=0.25)
    targets = make_targets(people, weight, np.ones(1, np.float32), *model)
    part, part_weight = targets.part.numpy(), targets.part_weight.numpy()
    assert not part_weight[:, :, 6:].any()
    assert part_weight[part == 1].sum() == pytest.approx(0.25 * 2 * 48)
    assert part_weight.sum() == pytest.approx(2 * 48)
    assert targets.pairwise is None


@pytest.mark.parametrize("count", [0, 1])
def test_images_without_people_have_no_positive_cells(count):
    targets = make_targets(
        np.zeros((1, count, 3, 3), np.float32),
        np.ones((1, 4, 6), np.float32),
        np.ones(1, np.float32),
        *described(pairwise=True, num_joints=3),
    )
    assert not targets.part.numpy().any()
    assert targets.positive.shape == (0, 4) and targets.locref.shape == (0, 2)
    assert targets.cells.shape == (0, 3) and targets.pairwise.shape == (0, 2, 2)


def test_unlabelled_joints_count_neither_as_present_nor_as_absent():
    people = np.zeros((1, 2, 3, 3), np.float32)
    people[0, 0] = [[20, 20, 1], [60, 20, 1], [0, 0, 0]]  # the third joint has no label
    people[0, 1] = [[100, 100, 1], [0, 0, 0], [28, 20, 1]]  # nor has the second; the third lies in the other's box
    model = described(num_joints=3, ignore_unlabelled=True, pos_dist_thresh=5)
    targets = make_targets(people, np.ones((1, 16, 16), np.float32), np.ones(1, np.float32), *model)
    weight = targets.part_weight[0].numpy()
    # The box of the first reaches from x 20 to 60 and a fifth of that beyond: 12 to 68, 12 to 28 in y.
    inside = np.zeros((16, 16), bool)
    inside[1:4, 1:9] = True  # cells with their middles at 12, 20, 28 and 12, 20, ... 68
    assert not weight[inside & (targets.part[0, ..., 2].numpy() == 0), 2].any()
    assert weight[targets.part[0, ..., 2].numpy() > 0, 2].all()
    assert weight[~inside, 2].all()
    assert weight[..., 0].all()


def test_large_people_have_larger_discs():
    people = np.zeros((1, 2, 2, 3), np.float32)
    people[0, 0] = [[40, 40, 1], [40, 140, 1]]  # 100 pixels high: a fifth is 20
    people[0, 1] = [[200, 40, 1], [210, 40, 1]]  # 10 pixels wide: the threshold is more
    model = described(num_joints=2, pos_dist_thresh=6, pos_dist_share=0.2)
    targets = make_targets(people, np.ones((1, 32, 32), np.float32), np.ones(1, np.float32), *model)
    y, x = 8 * np.indices((32, 32)) + 4
    expected = (np.hypot(x - 40, y - 40) <= 20) | (np.hypot(x - 200, y - 40) <= 6)
    np.testing.assert_array_equal(targets.part[0, ..., 0], expected)
