"""The levels of MoveNet's body; tests/tools/test_convert_movenet.py fills it with weights."""

import keras

from nnet.movenet import LEVELS, OUTPUT_STRIDE, movenet


def test_levels_have_their_strides_and_the_finest_ends_with_heat_maps_and_offsets():
    outputs = movenet(keras.Input((64, 96, 3)), dtype="float32")
    shapes = {stride: outputs[name].shape[1:] for stride, name in LEVELS.items()}
    assert {stride: shape[:2] for stride, shape in shapes.items()} == {s: (64 // s, 96 // s) for s in (4, 8, 16, 32)}
    assert max(shapes) == OUTPUT_STRIDE
    assert shapes[4][2] == 24 + 3 * 96 + 17 + 2 * 17
