"""The network. Importing this package first keeps TensorFlow's chatter off the terminal, and its hands off GPU memory
that it does not need yet, and Keras from another backend."""

import os

from util.logging import silence_tensorflow

silence_tensorflow()
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
