"""Write the weights of a snapshot that inference needs, kernels in half precision: a fifth of the snapshot's size.

    python tools/export_weights.py models/aic/train/snapshot-1800000 models/aic/weights
    cd models/aic/train; python ../../../tools/export_weights.py snapshot-1400000 snapshot-1800000 ../weights

writes models/aic/weights.index and .data-00000-of-00001, and the model.yaml beside the snapshot, if there is one;
name models/aic/weights in init_weights. It leaves out what only training needs: the optimizer's state, the step, and
the head of the intermediate layer. Where the snapshot has moving averages of the weights (ema_decay), it writes these.
Of several snapshots of one training it writes the mean, which may do better than any of them on images unlike those of
the training (model soups, arXiv 2203.05482).
"""

try:
    from util.cli import parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

import os
from dataclasses import replace

import numpy as np

from nnet.checkpoint_names import inference_sources
from nnet.description import keep_beside, read_spec
from nnet.snapshots import require_checkpoint
from util.errors import InputError


def main(argv: list[str] | None = None) -> None:
    arguments = parser(__doc__)
    arguments.add_argument("snapshots", nargs="+", metavar="snapshot", help="checkpoint to read")
    arguments.add_argument("out", help="checkpoint to write")
    options = arguments.parse_args(argv)
    for snapshot in options.snapshots:
        require_checkpoint(snapshot)  # before TensorFlow is loaded

    from nnet.checkpoint import network_id, write_checkpoint

    first, *others = (inference_weights(snapshot) for snapshot in options.snapshots)
    for snapshot, weights in zip(options.snapshots[1:], others, strict=True):
        if {name: value.shape for name, value in weights.items()} != {name: first[name].shape for name in first}:
            raise InputError(f"{snapshot}: its variables are not those of {options.snapshots[0]}; no mean of both")
    means = {name: np.mean([value, *(weights[name] for weights in others)], axis=0) for name, value in first.items()}
    kernels_halved = {name: value.astype("float16" if value.ndim == 4 else "float32") for name, value in means.items()}
    spec, _ = read_spec(options.snapshots[0])
    if spec:
        spec = replace(spec, intermediate_layer=None)
        keep_beside(options.out, spec)  # refuses the place of another model before anything is written
    write_checkpoint(options.out, kernels_halved)
    if spec:
        keep_beside(options.out, replace(spec, network=network_id(options.out)))
    size = sum(os.path.getsize(options.out + suffix) for suffix in (".index", ".data-00000-of-00001"))
    print(f"{len(means)} arrays, {size / 1e6:.1f} MB, written to {options.out}")


def inference_weights(snapshot: str) -> dict[str, np.ndarray]:
    """The arrays of a checkpoint that inference needs, in single precision. Raises InputError."""
    from nnet.checkpoint import read_checkpoint

    arrays = read_checkpoint(snapshot)
    return {name: arrays[source].astype("float32") for name, source in inference_sources(arrays).items()}


if __name__ == "__main__":
    run(main)
