"""Convert AI Challenger (AIC) keypoint annotations to COCO's format, in the "neckhead" layout.

COCO's 17 slots: the neck in slot 0, the head top in slot 1, slots 2-4 never labelled, shoulders to ankles as in COCO.

    python tools/ai2coco_art_neckhead_json.py --keypoint_json annotations.json --img_dir images

writes coco_art_neckhead_annotations.json beside annotations.json.
"""

try:
    from util.cli import parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

from pathlib import Path

from dataset.aic_to_coco import convert, print_summary
from util.errors import InputError


def main(argv=None):
    args_parser = parser(__doc__)
    args_parser.add_argument("--keypoint_json", required=True, type=Path, help="AIC annotations")
    args_parser.add_argument("--img_dir", required=True, type=Path, help="folder of the images <image_id>.jpg")
    args_parser.add_argument("--out", type=Path, help="COCO file to write (coco_art_neckhead_<name> beside the input)")
    args = args_parser.parse_args(argv)
    out = args.out or args.keypoint_json.parent / f"coco_art_neckhead_{args.keypoint_json.name}"
    if out.resolve() == args.keypoint_json.resolve():
        raise InputError(f"{out}: --out must not be the file that is converted")
    summary = convert(args.keypoint_json, args.img_dir, out)
    print_summary(summary, args.keypoint_json, out)


if __name__ == "__main__":
    run(main)
