"""The network. Importing this package first keeps TensorFlow's chatter off the terminal."""

from util.logging import silence_tensorflow

silence_tensorflow()
