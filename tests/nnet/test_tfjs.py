"""TensorFlow.js models, by the example of a small one."""

import json

import numpy as np
import pytest
import tensorflow as tf

from nnet.tfjs import convolutions, graph_function, read_graph_model
from util.errors import InputError


@pytest.fixture
def model_file(tmp_path):
    """relu(x * 2 + 1) of an image of one channel, as a fused convolution; the kernel quantised, the bias not."""
    kernel = {
        "name": "kernel",
        "shape": [1, 1, 1, 1],
        "dtype": "float32",
        "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1.0},
    }
    bias = {"name": "bias", "shape": [1], "dtype": "float32"}
    constant = {"op": "Const", "attr": {"dtype": {"type": "DT_FLOAT"}}}
    nodes = [
        {"name": "image", "op": "Placeholder", "attr": {"dtype": {"type": "DT_FLOAT"}, "shape": {"shape": {"dim": [
            {"size": "-1"}, {"size": "-1"}, {"size": "-1"}, {"size": "1"}]}}}},
        {"name": "kernel", **constant},
        {"name": "bias", **constant},
        {"name": "layer", "op": "_FusedConv2D", "input": ["image", "kernel", "bias"], "attr": {
            "T": {"type": "DT_FLOAT"}, "padding": {"s": "U0FNRQ=="}, "strides": {"list": {"i": ["1", "1", "1", "1"]}},
            "fused_ops": {"list": {"s": ["Qmlhc0FkZA==", "UmVsdQ=="]}}, "num_args": {"i": "1"}}},
        {"name": "result", "op": "Identity", "input": ["layer"], "attr": {"T": {"type": "DT_FLOAT"}}},
    ]  # fmt: skip
    path = tmp_path / "model.json"
    manifest = [{"paths": ["part1.bin", "part2.bin"], "weights": [kernel, bias]}]
    path.write_text(json.dumps({"modelTopology": {"node": nodes}, "weightsManifest": manifest}))
    data = np.uint8(6).tobytes() + np.float32(1).tobytes()
    (tmp_path / "part1.bin").write_bytes(data[:3])
    (tmp_path / "part2.bin").write_bytes(data[3:])
    return path


def test_quantised_weights_are_read(model_file):
    [(name, convolution)] = convolutions(read_graph_model(model_file)).items()
    assert name == "layer"
    assert convolution.kernel.item() == 2 and convolution.bias.item() == 1


def test_the_graph_computes_its_result(model_file):
    run = graph_function(read_graph_model(model_file))
    [result] = run(tf.reshape(tf.constant([-3.0, 0, 3]), [1, 1, 3, 1]))
    assert np.asarray(result).ravel().tolist() == [0, 1, 7]


@pytest.mark.parametrize("content", ["[]", "{}", '{"weightsManifest": [], "modelTopology": 3}'])
def test_other_files_are_named(tmp_path, content):
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(InputError, match="other.json: not a TensorFlow.js graph model"):
        read_graph_model(path)


def test_missing_weights_are_named(model_file):
    model_file.with_name("part2.bin").unlink()
    with pytest.raises(InputError, match="part2.bin: cannot be read"):
        read_graph_model(model_file)
