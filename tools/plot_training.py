"""Plot trainings: loss terms, learning rate, score on held-out images, speed.

    cd models/coco/train
    python ../../../tools/plot_training.py                                  # log/ to training.png
    python tools/plot_training.py run_a/log run_b/log --out compared.png    # several runs, a line each

Reads the scalars that train.py writes for TensorBoard; what a killed run wrote after its last snapshot is replaced by
the continued run. train.py draws its own picture when it ends.
"""

try:
    from util.cli import parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

from pathlib import Path

from nnet.curves import plot, read_scalars
from util.errors import InputError


def main(argv: list[str] | None = None) -> None:
    arguments = parser(__doc__)
    arguments.add_argument("logs", nargs="*", type=Path, default=[Path("log")], help="folders (default: log)")
    arguments.add_argument("--out", type=Path, default=Path("training.png"), help="picture (default: %(default)s)")
    options = arguments.parse_args(argv)
    if options.out.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise InputError(f"{options.out}: --out writes .png, .pdf or .svg")

    plot({str(folder): read_scalars(folder) for folder in options.logs}, options.out)
    print(f"{options.out} written")


if __name__ == "__main__":
    run(main)
