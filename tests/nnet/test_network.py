"""The base of all networks."""

import numpy as np
import pytest

from config import make_config
from multiperson.network import Network
from util.errors import InputError
from util.maps import Maps


class Blind(Network):
    """Sees nothing."""

    def _maps_of(self, images):
        return [Maps(np.zeros((1, 1, self.cfg.num_joints), np.float32)) for _ in images]


def test_flipping_needs_to_know_left_and_right():
    with pytest.raises(InputError, match=r"tta: \[flip\] swaps left and right, but .* names \(joint0, joint1, j"):
        Blind(make_config(num_joints=3, tta=["flip"]))
    assert Blind(make_config(num_joints=3, tta=[0.5])).mirror_map is None
    assert Blind(make_config(all_joints=[[0, 2], [1]], tta=["flip"])).mirror_map.tolist() == [2, 1, 0]
    assert Blind(make_config(skeleton={"joints": ["L_ear", "R_ear"]}, tta=["flip"])).mirror_map.tolist() == [1, 0]
    assert Blind(make_config(skeleton={"joints": ["a", "b"], "pairs": []}, tta=["flip"])).mirror_map.tolist() == [0, 1]
