"""Prepare MPII for single-person training: a crop for each annotated person, and the dataset.mat that names them.

    python tools/mpii2mat.py --mat mpii_human_pose_v1_u12_1.mat --img_dir images --out_dir cropped

reads the annotations as they are published and does what pose-tensorflow does in MATLAB: people 400 pixels high (by the
rectangle of the head), 130 pixels around people who stand alone, 65 around the others, one PNG each. Set `dataset` in
models/mpii/train/pose_cfg.yaml to cropped/dataset.mat.
"""

try:
    from util.cli import parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

from pathlib import Path

from dataset.crops import write_crops
from dataset.mpii_release import read_release
from util.faults import Faults
from util.files import require_folder


def main(argv: list[str] | None = None) -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--mat", required=True, type=Path, help="mpii_human_pose_v1_u12_1.mat")
    arguments.add_argument("--img_dir", required=True, type=Path, help="folder of the images")
    arguments.add_argument("--out_dir", required=True, type=Path, help="folder of the crops and dataset.mat")
    options = arguments.parse_args(argv)
    require_folder(options.img_dir)

    print(f"reading {options.mat} (a minute for all of MPII)", flush=True)
    faults = Faults()
    images = read_release(options.mat, faults)
    count = write_crops([(options.img_dir / name, people) for name, people in images], options.out_dir, faults)
    faults.warn(options.mat)
    print(f"{len(images)} images, {count} people written to {options.out_dir / 'dataset.mat'}")


if __name__ == "__main__":
    run(main)
