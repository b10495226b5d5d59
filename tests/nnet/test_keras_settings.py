"""The user's settings of Keras change nothing in the networks here."""

import json
import os
import subprocess
import sys

CODE = """
import numpy as np
from nnet.layers import ConvBN
layer = ConvBN("net/conv1", 5, 3, stride=2)
print(layer(np.zeros((1, 8, 6, 3), "float32")).shape, {variable.dtype for variable in layer.weights})
"""


def test_neither_environment_nor_keras_json_decide(tmp_path):
    (tmp_path / "keras.json").write_text(
        json.dumps({"floatx": "float16", "epsilon": 0.1, "backend": "jax", "image_data_format": "channels_first"})
    )
    environment = os.environ | {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": "torch"}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True)
    assert done.stdout == "(1, 4, 3, 5) {'float32'}\n", done.stderr
