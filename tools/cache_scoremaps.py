"""Keep the network's maps of all images of a data set in files, to try the grouping of parts without the network.

    cd models/coco/test
    python ../../../tools/cache_scoremaps.py                               # writes scoremap_dir/<image id>.mat
    python ../../../tools/predict_multiperson.py cached_scoremaps=test     # groups from there, with any settings

The files hold scoremaps, locreg_pred and pairwise_diff in the network's pixels, as the lineage writes them: 11 MB for
an image of 640x480 pixels and 17 joints. Files that are there already are kept.
"""

from util.cli import config_parser, run

import logging

from config import load_config
from util.errors import InputError


def main(argv: list[str] | None = None) -> None:
    arguments = config_parser(__doc__)
    arguments.add_argument("--snapshot", help="checkpoint (default: the newest snapshot, else init_weights)")
    options = arguments.parse_args(argv)
    cfg = load_config(options.cfg, options.overrides)

    from dataset.factory import create

    dataset = create(cfg)
    cfg = dataset.cfg

    from nnet.load import load_network

    network = load_network(cfg, options.snapshot)
    written, unread = cache(dataset, network, cfg)
    if unread == len(dataset):
        raise InputError(f"{dataset.path}: none of its {unread} images can be read")
    print(f"{written} images written to {cfg.scoremap_dir}, {len(dataset) - written - unread} there already"
          + (f"; {unread} could not be read" if unread else ""))  # fmt: skip


def cache(dataset, network, cfg) -> tuple[int, int]:
    """Write the maps of each image that has none yet; returns how many were written, and how many are unreadable."""
    from tqdm import tqdm

    from multiperson.estimator import network_size
    from util.images import read_image, resize_image
    from util.mapcache import cache_path, save_maps

    written = unread = 0
    for index in tqdm(range(len(dataset)), unit="image", disable=None):
        sample = dataset[index]
        path = cache_path(cfg.scoremap_dir, sample.id)
        if path.exists():
            continue
        try:
            image = read_image(sample.image)
        except InputError as error:
            logging.warning("skipped %s", error)
            unread += 1
            continue
        save_maps(path, network.maps(resize_image(image, network_size(cfg, *image.shape[:2]))))
        written += 1
    return written, unread


if __name__ == "__main__":
    run(main)
