"""Write a trained model for programs without this code: a TensorFlow SavedModel (Serving) or a TensorFlow Lite model.

    cd models/aic/test
    python ../../../tools/export.py --out_dir served/1                  # Serving needs a numbered folder
    python tools/export.py --cfg models/demo/pose_cfg.yaml --out_dir served/1
    python tools/export.py --cfg models/demo/pose_cfg.yaml --tflite pose.tflite
    python tools/export.py --cfg models/demo/pose_cfg.yaml --tflite models/demo/weights.tflite --int8 photos/
    python tools/export.py --cfg models/demo/pose_cfg.yaml --quick_start

Signatures:
    serving_default  image: uint8 RGB (B, h, w, 3) -> part_prob (B, rows, cols, J), locref (B, rows, cols, J, 2) px,
                     features (B, rows/2, cols/2, C)
    pairwise         features, cells: int32 (n, 3) image of the batch, row, col -> offsets (n, J(J-1), 2) px
A SavedModel computes in the YAML's `precision`; `auto` means float32 here, whatever this machine supports. For another
one say precision=bfloat16.
Pixels are those of the input image: scale it by global_scale first. The pair (a, b) has the channel
(J - 1) a + b - (a < b). Networks without such heads lack locref, or features and the second signature.
The TensorFlow Lite model has the same for one image at a time, in float32. With --int8 it computes internally in
eight bits, which is faster and less exact; --half stores the weights in half precision, in half the file. Demos and
tools here run it in place of the checkpoint of the same name (weights.tflite beside weights.index) if the YAML has
`precision: auto`, and start faster. Name any other in init_weights: init_weights=pose8.tflite.
--quick_start writes such a model, in half precision, that the demos run only for few pictures: weights.quick.tflite,
unless it is up to date. For many pictures TensorFlow is faster.
"""

try:
    from util.cli import config_parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

import argparse
from pathlib import Path

import numpy as np

from config import load_config
from multiperson.load import QUICK_START, find_checkpoint, is_made_of
from nnet.snapshots import require_checkpoint
from util.errors import InputError
from util.images import find_images, readable_images
from util.view import network_view


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The options. Raises InputError for those that do not go together."""
    arguments = config_parser(__doc__, snapshot=True)
    kind = arguments.add_mutually_exclusive_group(required=True)
    kind.add_argument("--out_dir", type=Path, help="new folder for the SavedModel")
    kind.add_argument("--tflite", type=Path, help="new file for the TensorFlow Lite model")
    kind.add_argument("--quick_start", action="store_true", help="the file that the demos start with")
    arguments.add_argument(
        "--int8",
        type=Path,
        nargs="+",
        metavar="PHOTO",
        help="in eight bits; about 50 photos like those the model will see, or folders of them, for the layers' ranges",
    )
    arguments.add_argument("--half", action="store_true", help="weights in half precision")
    options = arguments.parse_args(argv)
    target = options.out_dir or options.tflite
    if target and target.exists():
        raise InputError(f"{target}: is there already; choose a new name")
    if (options.int8 or options.half) and not options.tflite:
        raise InputError("--int8 and --half go with --tflite")
    if options.int8 and options.half:
        raise InputError("--int8 or --half: eight bits are fewer than half precision has")
    return options


def main(argv: list[str] | None = None) -> None:
    options = parse(argv)
    cfg = load_config(options.cfg, options.overrides)
    weights = options.snapshot or find_checkpoint(cfg)
    if weights.endswith(".tflite"):
        raise InputError(f"{weights}: is a TensorFlow Lite model already; name the checkpoint it was made of")
    target = options.out_dir or options.tflite or Path(weights + QUICK_START)
    if options.quick_start and is_up_to_date(target, weights):
        print(f"{target} is up to date")
        return
    require_checkpoint(weights)  # before TensorFlow is loaded
    # This machine says nothing about where the model will run; TensorFlow Lite has no bfloat16.
    if not options.out_dir or cfg.precision == "auto":
        cfg = load_config(options.cfg, [*options.overrides, "precision=float32"])

    from nnet.export import save_model, save_tflite
    from nnet.predict import setup_pose_prediction

    photos = photos_for_ranges(options.int8, cfg) if options.int8 else []
    predictor = setup_pose_prediction(cfg, weights)
    if options.out_dir:
        save_model(predictor, target)
    else:
        half = options.half or options.quick_start
        save_tflite(predictor, target, photos=photos, half=half, checkpoint=weights)
    print(f"written to {target}")


def is_up_to_date(lite: Path, weights: str) -> bool:
    """Whether there is a whole TensorFlow Lite model of these weights."""
    try:
        return is_made_of(lite, weights)
    except InputError:  # damaged
        return False


def photos_for_ranges(paths: list[Path], cfg) -> list[np.ndarray]:
    """The readable photos, as large as the network sees them. Raises InputError if there are none."""
    images = (image for _, image in readable_images(find_images(paths)))
    photos = [network_view(cfg, image.shape[:2]).image(image) for image in images]
    print(f"measuring the layers' ranges on {len(photos)} photos")
    return photos


if __name__ == "__main__":
    run(main)
