"""Write pairwise_stats.mat: how far apart the joints of a person are, over all people of a data set.

    cd models/coco/train
    python ../../../tools/pairwise_stats.py                     # reads pose_cfg.yaml, writes pairwise_stats_fn
    python ../../../tools/pairwise_stats.py --out stats.mat dataset_phase=val

It reads only the annotations, not the images. Training needs the file if pairwise_predict is on.
"""

try:
    from util.cli import config_parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

import numpy as np

from config import load_config
from dataset.factory import create
from dataset.pair_offsets import MIN_COUNT, compute_offsets, save_pairwise_stats
from util.maps import joint_pairs, pair_index


def main(argv: list[str] | None = None) -> None:
    arguments = config_parser(__doc__)
    arguments.add_argument("--out", help="file to write (default: pairwise_stats_fn of the configuration)")
    options = arguments.parse_args(argv)
    cfg = load_config(options.cfg, options.overrides)
    dataset = create(cfg, need_images=False)
    offsets = compute_offsets(dataset)
    path = options.out or cfg.pairwise_stats_fn
    save_pairwise_stats(path, offsets.means, offsets.std_devs)
    print(report(offsets, dataset.skeleton))
    print(f"{len(dataset.table.people)} people, {len(offsets.means)} pairs written to {path}")


def report(offsets, skeleton) -> str:
    """A table of neighbouring joints, and which pairs had to be guessed."""
    names = skeleton.keypoints
    lines = [f"{'pair':32} {'people':>7} {'mean x, y':>16} {'deviation x, y':>16}"]
    for a, b in skeleton.limbs:
        row = pair_index(a, b, len(names))
        mean, std = ("{:.1f}, {:.1f}".format(*values[row]) for values in (offsets.means, offsets.std_devs))
        lines.append(f"{names[a] + ' - ' + names[b]:32} {offsets.counts[row]:7} {mean:>16} {std:>16}")
    rare = joint_pairs(len(names))[offsets.counts < MIN_COUNT]
    if len(rare):
        alone = [name for j, name in enumerate(names) if np.sum(rare[:, 0] == j) == len(names) - 1]
        text = f"{len(rare)} of {len(offsets.counts)} pairs seen less than {MIN_COUNT} times: as mirrored, or 0 +- 1"
        lines.append(text + (f"; never with another joint: {', '.join(alone)}" if alone else ""))
    return "\n".join(lines)


if __name__ == "__main__":
    run(main)
