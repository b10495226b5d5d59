"""The base of all networks."""

import pytest

from nnet.network import Network
from tests.nnet.described import described
from util.errors import InputError


class Blind(Network):
    """Sees nothing."""

    def _maps_of(self, images):
        raise NotImplementedError


def test_flipping_needs_to_know_left_and_right():
    with pytest.raises(InputError, match=r"tta: \[flip\] swaps left and right, but .* names \(joint0, joint1, j"):
        Blind(*described(num_joints=3, tta=["flip"]))
    Blind(*described(num_joints=3, tta=[0.5]))
    Blind(*described(skeleton={"joints": ["L_ear", "R_ear"]}, tta=["flip"]))
    Blind(*described(skeleton={"joints": ["a", "b"], "pairs": []}, tta=["flip"]))
