"""Find the people of all images of a data set, or of folders and files, and write them as result files.

    cd models/aic/test
    python ../../../tools/predict_multiperson.py --out_dir results                     # the data set of pose_cfg.yaml
    python ../../../tools/predict_multiperson.py --images ~/photos --out_dir results --draw

writes results/coco.json (COCO keypoint results) and, for skeletons with AI Challenger's joints, results/aic.json (an AI
Challenger submission, for tools/eval_aic.py); with --draw also a picture of each image, with --csv people.csv, a line
for each person with the columns of multiperson/table.py.

People are kept in results/people*.jsonl, image by image, until the result files are written: the same command
continues where a run was interrupted or killed, and retries unreadable images. Several processes or machines
share the work, each with its part, and the last step checks that nothing is missing:

    python ../../../tools/predict_multiperson.py --out_dir results --shard 1/2
    python ../../../tools/predict_multiperson.py --out_dir results --shard 2/2
    python ../../../tools/predict_multiperson.py --out_dir results --merge
"""

try:
    from util.cli import config_parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from config import load_config, settings
from dataset.aic import people_to_aic
from dataset.coco_results import people_to_coco
from dataset.factory import create
from dataset.model_spec import ModelSpec
from dataset.targets import Target, dataset_images, image_files
from multiperson.estimator import PoseEstimator, PoseResult
from multiperson.load import build_estimator, find_weights, network_fingerprint, pairwise_models, weights_file
from multiperson.mapcache import SOURCE, MapCache
from multiperson.predict import People
from multiperson.table import people_table
from nnet.description import describe
from util.errors import InputError
from util.files import write_json
from util.fingerprint import file_stamp, fingerprint
from util.images import write_image
from util.journal import Journal
from util.report import Reductions
from util.shards import WHOLE, parse_shard, whole_run


@dataclass
class Run:
    """The images of a run, the model, score maps to use in place of its network, and a folder for pictures."""

    targets: list[Target]
    spec: ModelSpec
    maps: MapCache | None
    pictures: Path | None

    def picture(self, target: Target) -> Path | None:
        return self.pictures and self.pictures / f"{target.name}_people.png"

    def inputs(self, target: Target) -> list:
        """Stamps of the files that an entry of the journal is made from."""
        files = [target.path] if self.maps is None else [target.path, self.maps.path(target.name)]
        return list(map(file_stamp, files))

    def is_done(self, target: Target, entry: dict[str, Any]) -> bool:
        """Whether this run would give the same entry."""
        drawn = self.picture(target) is None or self.picture(target).exists()
        return "unread" not in entry and entry.get("inputs") == self.inputs(target) and drawn


class Photo(NamedTuple):
    """An image on its way: its number in the run, and the stamps of its files before they are read."""

    number: int
    target: Target
    inputs: list


def main(argv: list[str] | None = None) -> None:
    arguments = config_parser(__doc__, snapshot=True)
    arguments.add_argument("--images", nargs="+", metavar="PATH", help="images or folders instead of the data set")
    arguments.add_argument("--out_dir", type=Path, default=Path("results"), help="folder (default: %(default)s)")
    arguments.add_argument("--draw", action="store_true", help="write a picture of each image with its people")
    arguments.add_argument("--csv", action="store_true", help="write a table of people, too (parts: at --merge)")
    part = arguments.add_mutually_exclusive_group()
    part.add_argument("--shard", type=parse_shard, default=WHOLE, metavar="i/n", help="only part i of n")
    part.add_argument("--merge", action="store_true", help="put the parts together, once all are there")
    options = arguments.parse_args(argv)
    if options.merge:
        merge(options.out_dir, options.csv)
        return
    cfg = load_config(options.cfg, options.overrides)
    weights = weights_at_hand(cfg, options.snapshot) if cfg.cached_scoremaps else options.snapshot or find_weights(cfg)
    maps = open_cache(cfg, weights) if cfg.cached_scoremaps else None
    spec = describe(cfg, weights)
    targets = image_files(options.images) if options.images else dataset_images(create(cfg, skeleton=spec.skeleton))
    this_run = Run(targets, spec, maps, options.out_dir if options.draw else None)
    shard, source = options.shard, maps.folder / SOURCE if maps else weights_file(weights)
    header = shard.header(len(targets), identity(cfg, this_run, source))
    with Journal(options.out_dir / shard.journal, header) as journal:
        numbers = shard.numbers(len(targets))
        done = {n for n, entry in journal.entries.items() if n in numbers and this_run.is_done(targets[n], entry)}
        left = [number for number in numbers if number not in done]
        if done:
            print(f"{journal.path}: {len(done)} images are there already, {len(left)} are left")
        if left:
            grouping = PoseEstimator(None, pairwise_models(cfg, spec), cfg) if maps else None
            predict(grouping or build_estimator(cfg, weights), this_run, left, journal)
    if shard == WHOLE:
        merge(options.out_dir, options.csv)
    else:
        print(f"part {shard.number} of {shard.count} is done; --merge when all are")


def weights_at_hand(cfg, snapshot: str | None) -> str | None:
    """The weights that score maps should be of; None if there are none, since grouping needs none."""
    if snapshot:
        return snapshot
    with suppress(InputError):
        weights = find_weights(cfg)
        return weights if weights_file(weights).exists() else None
    return None


def open_cache(cfg, weights: str | None) -> MapCache:
    """The score maps to group from. Raises InputError if they are of other weights."""
    cache = MapCache(cfg.cached_scoremaps, network_fingerprint(cfg, weights) if weights else None)
    if not cache.is_known:
        logging.warning("%s: no %s: it is unknown of which network these maps are", cache.folder, SOURCE)
    return cache


def identity(cfg, this_run: Run, source: Path) -> dict[str, Any]:
    """What all parts of a run have in common; source: what identifies the network."""
    models = Path(cfg.pairwise_model_dir).glob("*.mat")
    return {
        "images": fingerprint([target[1:] for target in this_run.targets]),
        "configuration": fingerprint(settings(cfg) | {"predict_batch": None}),  # which changes no result
        "joints": list(this_run.spec.skeleton.keypoints),
        "weights": fingerprint([source, this_run.spec.as_table()]),
        "pairwise models": fingerprint({path.name: path for path in models}),
    }


def predict(model: PoseEstimator, this_run: Run, numbers: list[int], journal: Journal) -> None:
    """Find the people in the images targets[number] and add them to the journal, one image after the other.

    An unreadable image gets an entry that says so, and a line on standard error.
    """
    reductions = Reductions(model.cfg.max_input_size)

    def photos() -> Iterator[tuple[Photo, Path]]:
        for number in tqdm(numbers, unit="image", disable=None):
            target = this_run.targets[number]
            yield Photo(number, target, this_run.inputs(target)), target.path

    def skipped(photo: Photo, error: InputError) -> None:
        logging.warning("skipped %s", error)
        journal.add(photo.number, {"unread": str(error)})

    def from_cache(photo: Photo, image: np.ndarray) -> PoseResult:
        maps = this_run.maps.load(photo.target.name, photo.target.path, this_run.spec)
        return model.group(maps, image.shape[:2])

    for image, result in model.stream(photos(), skipped, from_cache if this_run.maps else None):
        number, target, inputs = result.source
        reductions.add(target.path.name, result.reduction)
        if this_run.pictures:
            write_image(this_run.picture(target), result.draw(image))
        journal.add(number, {"inputs": inputs, **entry(target, result)})
    reductions.print()


def entry(target: Target, result: PoseResult) -> dict[str, Any]:
    """The entry of an image in the journal."""
    keypoints, score = result.people
    found = {
        "file": str(target.path),
        "seconds": round(result.network_seconds + result.grouping_seconds, 4),
        "coco": people_to_coco(target.coco_id, keypoints, score, target.category_id),
    }
    if result.skeleton.has_aic_joints:
        found["aic"] = people_to_aic(target.name, keypoints, score, result.skeleton)
    return found


def merge(out_dir: Path, csv: bool) -> None:
    """Write the result files from all journals of a folder; these go once every image has been read.

    csv: write people.csv, too

    Raises InputError as long as any part is missing, and if no image could be read.
    """
    paths, run_header, entries = whole_run(out_dir)
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
    if csv:
        write_table(out_dir / "people.csv", run_header["joints"], found)
    if not unread:
        for path in paths:
            path.unlink()
    seconds = sum(entry["seconds"] for entry in found) / len(found)
    print(
        f"{len(found)} images, {len(coco)} people, {seconds:.3f} s an image, written to {out_dir}"
        + (f"; {unread} images could not be read" if unread else "")
    )


def write_table(path: Path, joint_names: list[str], found: list[dict[str, Any]]) -> None:
    """The people in the entries of a journal, one per line."""
    with people_table(path, joint_names) as add:
        for entry in found:
            keypoints = np.reshape([person["keypoints"] for person in entry["coco"]], (-1, len(joint_names), 3))
            add(entry["file"], People(keypoints, np.array([person["score"] for person in entry["coco"]])))


if __name__ == "__main__":
    run(main, frozen_weights=True)
