"""Write the weights of a snapshot that inference needs, kernels in half precision: a fifth of the snapshot's size.

    python tools/export_weights.py models/aic/train/snapshot-1800000 models/aic/weights

writes models/aic/weights.index and .data-00000-of-00001; name models/aic/weights in init_weights. Left out are the
optimizer's state, the step, and the head of the intermediate layer, which only training needs. Where the snapshot has
moving averages of the weights (ema_decay), these are what is written.
"""

import os

from util.cli import parser, run

_TRAINING_ONLY = ("/Momentum", "/Adam", "/Adam_1")


def main(argv: list[str] | None = None) -> None:
    arguments = parser(__doc__)
    arguments.add_argument("snapshot", help="checkpoint to read")
    arguments.add_argument("out", help="checkpoint to write")
    options = arguments.parse_args(argv)

    from nnet.checkpoint import AVERAGE, GLOBAL_STEP, read_checkpoint, write_checkpoint

    arrays = read_checkpoint(options.snapshot)
    average = f"/{AVERAGE}"
    averages = {name.removesuffix(average): value for name, value in arrays.items() if name.endswith(average)}
    weights = {name: value for name, value in arrays.items() if not name.endswith(average)} | averages
    kept = {
        name: value.astype("float16") if value.ndim == 4 else value
        for name, value in weights.items()
        if name != GLOBAL_STEP and not name.endswith(_TRAINING_ONLY) and "intermediate_supervision" not in name
    }
    write_checkpoint(options.out, kept)
    size = sum(os.path.getsize(options.out + suffix) for suffix in (".index", ".data-00000-of-00001"))
    print(f"{len(kept)} of {len(arrays)} arrays, {size / 1e6:.1f} MB, written to {options.out}")


if __name__ == "__main__":
    run(main)
