"""Store the network's maps of all images of a data set in files, to group parts without running the network.

    cd models/coco/test
    python ../../../tools/cache_scoremaps.py                               # writes scoremap_dir/<image name>.mat
    python ../../../tools/predict_multiperson.py cached_scoremaps=test     # groups from there, with any settings

The files hold scoremaps, locreg_pred and pairwise_diff in the network's pixels, as pose-tensorflow writes them: 11 MB
for an image of 640x480 pixels and 17 joints. Existing files are kept, unless their image has changed; a folder with the
maps of another network is refused.
"""

try:
    from util.cli import config_parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

import logging

from tqdm import tqdm

from config import load_config
from dataset.factory import create
from dataset.targets import dataset_images
from multiperson.load import find_weights, load_network, network_fingerprint
from multiperson.mapcache import MapCache
from nnet.description import describe
from util.errors import InputError
from util.images import read_image
from util.view import network_view


def main(argv: list[str] | None = None) -> None:
    arguments = config_parser(__doc__, snapshot=True)
    options = arguments.parse_args(argv)
    cfg = load_config(options.cfg, options.overrides)
    weights = options.snapshot or find_weights(cfg)
    dataset = create(cfg, skeleton=describe(cfg, weights).skeleton)
    folder = MapCache(cfg.scoremap_dir, network_fingerprint(cfg, weights))
    written, unread = cache(dataset_images(dataset), load_network(cfg, weights), folder, cfg)
    if unread == len(dataset):
        raise InputError(f"{dataset.path}: none of its {unread} images can be read")
    print(
        f"{written} images written to {cfg.scoremap_dir}, {len(dataset) - written - unread} there already"
        + (f"; {unread} could not be read" if unread else "")
    )


def cache(targets, network, folder, cfg) -> tuple[int, int]:
    """Write the maps of each image without current ones; returns how many were written, and how many are unreadable."""
    written = unread = 0
    for target in tqdm(targets, unit="image", disable=None):
        if folder.has(target.name, target.path):
            continue
        try:
            image = read_image(target.path)
        except InputError as error:
            logging.warning("skipped %s", error)
            unread += 1
            continue
        maps = network.maps(network_view(cfg, image.shape[:2]).image(image))
        folder.save(target.name, target.path, maps)
        written += 1
    return written, unread


if __name__ == "__main__":
    run(main, frozen_weights=True)
