"""Draw people by program, with perfect labels in AI Challenger's format: for tests, tutorials and first trainings.

    python tools/make_toy_dataset.py toy --images 200 --people 1 4 --size 480 360 --seed 1
    python tools/ai2coco_art_neckhead_json.py --keypoint_json toy/annotations/train.json --img_dir toy/images/train

writes toy/annotations/train.json and toy/images/train/*.jpg (--phase val: a second set beside it). Limbs of the left
side are warm in colour, those of the right side cool, so that a small network can tell them apart; train it with
mirror: false, since mirroring swaps the colours (faces and open jackets still show the sides). The
same seed gives the same people, with --no_images as well (a huge file in seconds: --images 210000 --no_images).
"""

try:
    from util.cli import parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

from pathlib import Path

from dataset.toy import write_toy_set


def main(argv: list[str] | None = None) -> None:
    arguments = parser(__doc__)
    arguments.add_argument("out", type=Path, help="folder to write to")
    arguments.add_argument("--images", type=int, default=100, help="how many (default: %(default)s)")
    arguments.add_argument(
        "--people",
        type=int,
        nargs=2,
        default=(1, 4),
        metavar=("LO", "HI"),
        help="people in an image, at least and at most (default: 1 4)",
    )
    arguments.add_argument(
        "--size",
        type=int,
        nargs=2,
        default=(480, 360),
        metavar=("W", "H"),
        help="size of the images in pixels (default: 480 360)",
    )
    arguments.add_argument("--seed", type=int, default=0, help="another seed, other people (default: %(default)s)")
    arguments.add_argument("--phase", default="train", help="name of the set (default: %(default)s)")
    arguments.add_argument("--no_images", action="store_true", help="write the annotations only")
    options = arguments.parse_args(argv)
    people = write_toy_set(
        options.out,
        images=options.images,
        people=options.people,
        size=options.size,
        seed=options.seed,
        phase=options.phase,
        pictures=not options.no_images,
    )
    print(f"{options.images} images, {people} people written to {options.out}")


if __name__ == "__main__":
    run(main)
