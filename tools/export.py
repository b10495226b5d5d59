"""Write a trained model as a TensorFlow SavedModel, which TensorFlow Serving and others run without this code.

    cd models/aic/test
    python ../../../tools/export.py --out_dir served/1                  # Serving wants a numbered folder
    python tools/export.py --cfg models/demo/pose_cfg.yaml --out_dir served/1

Signatures:
    serving_default  image: uint8 RGB (B, h, w, 3) -> part_prob (B, rows, cols, J), locref (B, rows, cols, J, 2) px,
                     features (B, rows/2, cols/2, C)
    pairwise         features, cells: int32 (n, 3) image of the batch, row, col -> offsets (n, J(J-1), 2) px
Pixels are those of the image given: scale it by global_scale before. The pair (a, b) has the channel
(J - 1) a + b - (a < b). Networks without such heads lack locref, or features and the second signature.
"""

from pathlib import Path

from config import load_config
from util.cli import config_parser, run
from util.errors import InputError


def main(argv: list[str] | None = None) -> None:
    arguments = config_parser(__doc__)
    arguments.add_argument("--snapshot", help="checkpoint (default: the newest snapshot, else init_weights)")
    arguments.add_argument("--out_dir", type=Path, required=True, help="new folder for the SavedModel")
    options = arguments.parse_args(argv)
    cfg = load_config(options.cfg, options.overrides)
    if options.out_dir.exists():
        raise InputError(f"{options.out_dir}: is there already; name a new folder")

    from demo.model import find_weights
    from nnet.export import save_model
    from nnet.predict import setup_pose_prediction

    save_model(setup_pose_prediction(cfg, options.snapshot or find_weights(cfg)), options.out_dir)
    print(f"written to {options.out_dir}")


if __name__ == "__main__":
    run(main)
