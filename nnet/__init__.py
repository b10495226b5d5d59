"""The network.

Import this package before TensorFlow or Keras: it silences TensorFlow's log, makes it take GPU memory only as needed,
and selects Keras's TensorFlow backend and oneDNN's convolutions."""

import os

from util.logging import silence_tensorflow

silence_tensorflow()
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
# On processors without AVX-512 TensorFlow's own have no gradients where they are dilated, as in ResNets.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
