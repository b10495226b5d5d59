"""Whether TensorFlow may assume that the weights of networks never change in this process.

On a processor oneDNN rearranges weights before it convolves with them, and keeps the result only of weights that
cannot change. Those are constants of a graph, of which TensorFlow makes about ten copies, or all weights of a process
that promises not to change any. Such a process needs a third of the memory for a large network; in one that broke the
promise, convolutions would go on with the first weights they had: it must neither train nor convolve eagerly, where
layers share what is kept.
"""

import os

from util.errors import InputError

VARIABLE = "TF_ONEDNN_ASSUME_FROZEN_WEIGHTS"


def promise_frozen_weights(promise: bool = True) -> None:
    """Make or withdraw the promise; no more than once in a process, before its first network."""
    os.environ[VARIABLE] = "1" if promise else "0"


def weights_are_frozen() -> bool:
    """Whether this process has promised it."""
    return os.environ.get(VARIABLE, "").lower() in ("1", "true")


def require_no_promise(task: str) -> None:
    """Raises InputError in a process that has promised it."""
    if weights_are_frozen():
        raise InputError(f"{VARIABLE} is set for this process, which may only run trained networks; unset it {task}")
