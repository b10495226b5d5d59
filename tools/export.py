"""Write a trained model for programs without this code: a TensorFlow SavedModel (Serving) or a TensorFlow Lite model.

    cd models/aic/test
    python ../../../tools/export.py --out_dir served/1                  # Serving wants a numbered folder
    python tools/export.py --cfg models/demo/pose_cfg.yaml --out_dir served/1
    python tools/export.py --cfg models/demo/pose_cfg.yaml --tflite pose.tflite --size 640 480

Signatures:
    serving_default  image: uint8 RGB (B, h, w, 3) -> part_prob (B, rows, cols, J), locref (B, rows, cols, J, 2) px,
                     features (B, rows/2, cols/2, C)
    pairwise         features, cells: int32 (n, 3) image of the batch, row, col -> offsets (n, J(J-1), 2) px
Pixels are those of the image given: scale it by global_scale before. The pair (a, b) has the channel
(J - 1) a + b - (a < b). Networks without such heads lack locref, or features and the second signature.
The TensorFlow Lite model has the same signatures in float32, for one image of the size named.
"""

from pathlib import Path

from config import load_config
from util.cli import config_parser, run
from util.errors import InputError


def main(argv: list[str] | None = None) -> None:
    arguments = config_parser(__doc__)
    arguments.add_argument("--snapshot", help="checkpoint (default: the newest snapshot, else init_weights)")
    kind = arguments.add_mutually_exclusive_group(required=True)
    kind.add_argument("--out_dir", type=Path, help="new folder for the SavedModel")
    kind.add_argument("--tflite", type=Path, help="new file for the TensorFlow Lite model")
    arguments.add_argument("--size", type=int, nargs=2, default=(640, 480), metavar=("WIDTH", "HEIGHT"),
                           help="of the images of the TensorFlow Lite model (640 480)")  # fmt: skip
    options = arguments.parse_args(argv)
    cfg = load_config(options.cfg, options.overrides)
    target = options.out_dir or options.tflite
    if target.exists():
        raise InputError(f"{target}: is there already; choose a new name")
    if min(options.size) < 1:
        raise InputError("--size: width and height are positive numbers of pixels")

    from demo.model import find_weights
    from nnet.export import save_model, save_tflite
    from nnet.predict import setup_pose_prediction

    if options.tflite:
        cfg.precision = "float32"
    predictor = setup_pose_prediction(cfg, options.snapshot or find_weights(cfg))
    if options.tflite:
        save_tflite(predictor, target, options.size[::-1])
    else:
        save_model(predictor, target)
    print(f"written to {target}")


if __name__ == "__main__":
    run(main)
