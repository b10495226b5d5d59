"""The network.

Import this package before TensorFlow or Keras: it silences TensorFlow's log, makes it take GPU memory only as needed,
and selects Keras's TensorFlow backend."""

import os

from util.logging import silence_tensorflow

silence_tensorflow()
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
