"""Simulated maps show exactly the people that they are made of."""

import numpy as np

from multiperson.simulate import NOISE_LEVELS, simulate_maps
from util.maps import cell_centers, pair_index

PEOPLE = np.array([[[30.0, 40, 1], [60, 44, 2], [0, 0, 0]], [[130, 42, 1], [150, 90, 1], [170.5, 60.25, 1]]])


def test_perfect_maps_point_at_the_joints():
    maps = simulate_maps(PEOPLE, 120, 200, 8)
    assert maps.part_prob.shape == (16, 26, 3) and maps.part_prob.dtype == np.float32
    for person in PEOPLE:
        for part, (x, y, flag) in enumerate(person):
            if flag:
                row, col = int(y // 8), int(x // 8)
                assert (
                    maps.part_prob[row, col, part]
                    == maps.part_prob[max(row - 3, 0) : row + 4, col - 3 : col + 4, part].max()
                )
                np.testing.assert_allclose(cell_centers([row, col], 8) + maps.locref[row, col, part], [x, y])


def test_pairwise_offsets_lead_to_the_persons_joints():
    maps = simulate_maps(PEOPLE, 120, 200, 8)
    cells = np.array([[5, 3], [11, 18]])  # joint 0 of the first person, joint 1 of the second
    offsets = maps.pairwise(cells)
    assert offsets.shape == (2, 6, 2)
    np.testing.assert_allclose(cell_centers(cells[0], 8) + offsets[0, pair_index(0, 1, 3)], PEOPLE[0, 1, :2])
    np.testing.assert_allclose(cell_centers(cells[1], 8) + offsets[1, pair_index(1, 0, 3)], PEOPLE[1, 0, :2])
    np.testing.assert_allclose(cell_centers(cells[1], 8) + offsets[1, pair_index(1, 2, 3)], PEOPLE[1, 2, :2])
    assert maps.pairwise(np.zeros((0, 2), int)).shape == (0, 6, 2)


def test_maps_of_nobody_are_empty():
    for people in (np.zeros((0, 3, 3)), np.zeros((2, 3, 3))):
        for noise in NOISE_LEVELS.values():
            maps = simulate_maps(people, 40, 40, 8, noise)
            assert not maps.part_prob.any() and maps.pairwise(np.zeros((1, 2), int)).shape == (1, 6, 2)


def test_noise_is_reproducible_and_grows():
    people = np.tile(PEOPLE, (1, 5, 1))
    errors = {}
    for name, noise in NOISE_LEVELS.items():
        maps, again = (simulate_maps(people, 120, 200, 8, noise, seed=4) for _ in range(2))
        np.testing.assert_array_equal(maps.part_prob, again.part_prob)
        errors[name] = np.abs(maps.part_prob - simulate_maps(people, 120, 200, 8).part_prob).mean()
    assert list(errors.values()) == sorted(errors.values()) and errors["none"] == 0
