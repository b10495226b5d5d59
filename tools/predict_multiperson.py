"""Find the people of all images of a data set, or of folders and files, and write them as result files.

    cd models/aic/test
    python ../../../tools/predict_multiperson.py --out_dir results                     # the data set of pose_cfg.yaml
    python ../../../tools/predict_multiperson.py --images ~/photos --out_dir results --draw

writes results/coco.json (COCO keypoint results) and, for skeletons with AI Challenger's joints, results/aic.json
(an AI Challenger submission, for tools/eval_aic.py); with --draw also a picture of each image.

People are kept in results/people*.jsonl, image by image, until the result files are written: the same command goes on
where a run was interrupted or killed, and tries images again that could not be read. Several processes or machines
share the work, each with its part, and the last step checks that nothing is missing:

    python ../../../tools/predict_multiperson.py --out_dir results --shard 1/2
    python ../../../tools/predict_multiperson.py --out_dir results --shard 2/2
    python ../../../tools/predict_multiperson.py --out_dir results --merge
"""

from util.cli import config_parser, run

import argparse
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from config import load_config, settings
from util.ahead import starmap_ahead
from util.errors import InputError
from util.files import write_json
from util.journal import Journal, read_journal

READERS = 2  # threads that decode images while the network is busy
HEADER_KEYS = {"part", "number of images", "images", "configuration", "weights", "pairwise models"}


class Target(NamedTuple):
    """An image to look at, and what the result files call it."""

    path: Path
    coco_id: int | str
    aic_id: str
    category_id: int | str = 1


class Shard(NamedTuple):
    """Part `number`, from 1, of `count` parts of the images: every count-th one."""

    number: int
    count: int

    @property
    def journal(self) -> str:
        return "people.jsonl" if self.count == 1 else f"people_{self.number}_of_{self.count}.jsonl"

    def numbers(self, num_images: int) -> range:
        """Which of the images are its."""
        return range(self.number - 1, num_images, self.count)


def parse_shard(text: str) -> Shard:
    try:
        number, count = map(int, text.split("/"))
    except ValueError:
        number = count = 0
    if not 1 <= number <= count:
        raise argparse.ArgumentTypeError(f"{text!r}: expected i/n with i from 1 to n, such as 2/4")
    return Shard(number, count)


def main(argv: list[str] | None = None) -> None:
    arguments = config_parser(__doc__)
    arguments.add_argument("--snapshot", help="checkpoint (default: the newest snapshot, else init_weights)")
    arguments.add_argument("--images", nargs="+", metavar="PATH", help="images or folders instead of the data set")
    arguments.add_argument("--out_dir", type=Path, default=Path("results"), help="folder (default: %(default)s)")
    arguments.add_argument("--draw", action="store_true", help="write a picture of each image with its people")
    part = arguments.add_mutually_exclusive_group()
    part.add_argument("--shard", type=parse_shard, default=Shard(1, 1), metavar="i/n", help="only part i of n")
    part.add_argument("--merge", action="store_true", help="put the parts together, once all are there")
    options = arguments.parse_args(argv)
    if options.merge:
        merge(options.out_dir)
        return
    cfg = load_config(options.cfg, options.overrides)

    from nnet.load import build_estimator, find_weights
    from nnet.model_skeleton import with_skeleton_of

    weights = "" if cfg.cached_scoremaps else options.snapshot or find_weights(cfg)
    cfg = with_skeleton_of(cfg, weights) if weights else cfg
    targets = list(_image_files(options.images) if options.images else _dataset_images(cfg))
    header = run_header(cfg, weights, targets, options.shard)
    with Journal(options.out_dir / options.shard.journal, header) as journal:
        done = {number for number, entry in journal.entries.items() if "unread" not in entry}
        numbers = [number for number in options.shard.numbers(len(targets)) if number not in done]
        if done:
            print(f"{journal.path}: {len(done)} images are there already, {len(numbers)} are left")
        if numbers:
            predict(build_estimator(cfg, weights), targets, numbers, journal, options.out_dir if options.draw else None)
    if options.shard.count == 1:
        merge(options.out_dir)
    else:
        print(f"part {options.shard.number} of {options.shard.count} is done; --merge when all are")


def _image_files(paths) -> Iterator[Target]:
    from util.images import find_images

    seen = {}
    for path in find_images(paths):
        first = seen.setdefault(path.stem, path)
        if first is not path:
            raise InputError(f"{path}: results go by the name {path.stem!r}, which {first} has, too; rename one, or "
                             "give each an --out_dir of its own")  # fmt: skip
        # COCO's images are called by their numbers.
        yield Target(path, int(path.stem) if path.stem.isdecimal() else path.stem, path.stem)


def _dataset_images(cfg) -> Iterator[Target]:
    from dataset.factory import create

    dataset = create(cfg)
    for sample in map(dataset.__getitem__, range(len(dataset))):
        yield Target(sample.image, sample.id, dataset.image_name(sample), dataset.category_id)


def run_header(cfg, weights: str, targets: list[Target], shard: Shard) -> dict[str, Any]:
    """What all parts of a run have in common, and which part this is."""
    models = [cfg.pairwise_stats_fn, *sorted(Path(cfg.pairwise_model_dir).glob("*.mat"))]
    return {
        "part": list(shard),
        "number of images": len(targets),
        "images": _checksum(json.dumps([target[1:] for target in targets]).encode()),
        "configuration": _checksum(json.dumps(settings(cfg), sort_keys=True).encode()),
        "weights": _checksum(_content(f"{weights}.index")),  # which holds the checksums of all of them
        "pairwise models": _checksum(*map(_content, models)),
    }


def _content(path: str | os.PathLike) -> bytes:
    """Empty for what cannot be read: whoever needs the file says so."""
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def _checksum(*contents: bytes) -> str:
    return hashlib.sha256(b"".join(contents)).hexdigest()[:16]


def predict(estimator, targets: list[Target], numbers: list[int], journal: Journal, pictures: Path | None) -> None:
    """Find the people of the images targets[number] and enter them into the journal, one image after the other.

    An image that cannot be read gets an entry that says so, and a line on standard error.
    pictures: folder to draw into, or None
    """
    from tqdm import tqdm

    from util.report import Reductions

    reductions = Reductions(estimator.cfg.max_input_size)
    skeleton = estimator.skeleton
    with ThreadPoolExecutor(READERS, thread_name_prefix="images") as pool:
        images = starmap_ahead(pool, _read, ((targets[number].path,) for number in numbers), ahead=2 * READERS)
        for number, image in zip(tqdm(numbers, unit="image", disable=None), images, strict=True):
            if isinstance(image, InputError):
                logging.warning("skipped %s", image)
                journal.add(number, {"unread": str(image)})
                continue
            result = find_people(estimator, image, targets[number])
            reductions.add(targets[number].path.name, result.reduction)
            if pictures:
                _draw(image, result.people, skeleton.limbs, pictures / f"{targets[number].aic_id}_people.png")
            journal.add(number, entry(targets[number], result, skeleton if skeleton.has_aic_joints else None))
    reductions.print()


def find_people(estimator, image: np.ndarray, target: Target):
    """What the estimator finds, in maps from the cache if there is one."""
    from util.mapcache import cache_path, load_maps

    cfg = estimator.cfg
    if not cfg.cached_scoremaps:
        return estimator(image)
    maps = load_maps(cache_path(cfg.cached_scoremaps, target.coco_id), cfg.num_joints)
    return estimator.group(maps, image.shape[:2])


def _read(path: Path) -> np.ndarray | InputError:
    from util.images import read_image

    try:
        return read_image(path)
    except InputError as error:
        return error


def entry(target: Target, result, skeleton) -> dict[str, Any]:
    """What the journal says of an image; skeleton: None where its joints are not AI Challenger's."""
    from dataset.aic import people_to_aic
    from dataset.coco_results import people_to_coco

    keypoints, score = result.people
    found = {"seconds": round(result.network_seconds + result.grouping_seconds, 4),
             "coco": people_to_coco(target.coco_id, keypoints, score, target.category_id)}  # fmt: skip
    if skeleton is not None:
        found["aic"] = people_to_aic(target.aic_id, keypoints, score, skeleton)
    return found


def _draw(image: np.ndarray, people, limbs, path: Path) -> None:
    from multiperson.visualize import PersonDraw
    from util.images import write_image

    write_image(path, PersonDraw(limbs).draw(image, people))


def merge(out_dir: Path) -> None:
    """Write the result files from all journals of a folder; these go once every image has been read.

    Raises InputError as long as something is missing, and when not one image could be read.
    """
    paths, entries = whole_run(out_dir)
    found = [entry for _, entry in sorted(entries.items()) if "unread" not in entry]
    unread = len(entries) - len(found)
    if not found:
        for path in paths:
            path.unlink()
        raise InputError(f"none of the {unread} images can be read; the first: {entries[min(entries)]['unread']}")
    coco = [person for entry in found for person in entry["coco"]]
    write_json(out_dir / "coco.json", coco)
    if all("aic" in entry for entry in found):
        write_json(out_dir / "aic.json", [entry["aic"] for entry in found])
    if not unread:
        for path in paths:
            path.unlink()
    seconds = sum(entry["seconds"] for entry in found) / len(found)
    print(f"{len(found)} images, {len(coco)} people, {seconds:.3f} s an image, written to {out_dir}"
          + (f"; {unread} images could not be read" if unread else ""))  # fmt: skip


def whole_run(out_dir: Path) -> tuple[list[Path], dict[int, dict]]:
    """The journals of a run and all their entries. Raises InputError when one or a part of one is missing."""
    paths = sorted(out_dir.glob("people*.jsonl"))
    if not paths:
        raise InputError(f"{out_dir}: no people*.jsonl to merge; run the parts first (--shard i/n)")
    entries, parts, common = {}, set(), None
    for path in paths:
        header, some = read_journal(path)
        if header.keys() != HEADER_KEYS:
            raise InputError(f"{path}: not written by this tool; remove it")
        part, num_images = Shard(*header.pop("part")), header["number of images"]
        common = common or (part.count, header)
        if common != (part.count, header):
            raise InputError(f"{path}: of another run than {paths[0].name}; remove what is of no use")
        missing = len(set(part.numbers(num_images)) - some.keys())
        if missing:
            raise InputError(f"{path}: {missing} images are missing; run --shard {part.number}/{part.count} again")
        entries |= some
        parts.add(part.number)
    absent = set(range(1, common[0] + 1)) - parts
    if absent:
        shards = ", ".join(f"--shard {number}/{common[0]}" for number in sorted(absent))
        raise InputError(f"{out_dir}: parts are missing; run {shards}")
    return paths, entries


if __name__ == "__main__":
    run(main)
