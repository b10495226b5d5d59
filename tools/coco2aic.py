"""Convert COCO keypoint annotations to AI Challenger's (AIC) format.

    python tools/coco2aic.py --coco_json coco_art_neckhead_annotations.json --out annotations.json

What tools/ai2coco_art_neckhead_json.py converted is restored exactly: whole numbers, flags, boxes, names of the people.
Joints are matched by name, so any skeleton can be converted; AIC joints that it lacks (COCO: neck and head top) are not
labelled. Crowds are left out, as is the second of a.jpg and a.png, which have the same name in AIC.
"""

try:
    from util.cli import parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

from pathlib import Path

from dataset.aic_to_coco import print_summary
from dataset.coco_to_aic import convert
from util.errors import InputError


def main(argv=None):
    args_parser = parser(__doc__)
    args_parser.add_argument("--coco_json", required=True, type=Path, help="COCO annotations")
    args_parser.add_argument("--out", required=True, type=Path, help="AIC file to write")
    args = args_parser.parse_args(argv)
    if args.out.resolve() == args.coco_json.resolve():
        raise InputError(f"{args.out}: --out must not be the file that is converted")
    summary, missing = convert(args.coco_json, args.out)
    if missing:
        print(f"missing    {', '.join(missing)}: not in the skeleton, never labelled")
    print_summary(summary, args.coco_json, args.out)


if __name__ == "__main__":
    run(main)
