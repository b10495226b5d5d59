"""Learn the models that say which detections belong to one person, from a trained network and a data set.

    cd models/coco/train
    python ../../../tools/train_pairwise.py                                # newest snapshot, writes pairwise_model_dir
    python ../../../tools/train_pairwise.py --images 200 dataset_phase=val --out_dir pairwise_val

Runs the network, finds the owner of each detection by the annotations, and fits a logistic model for every pair of
parts of sparse_graph (empty: all pairs): one file spatial_model_cidx_<i>_<j>.mat each, parts counted from 1. The
table says how well each pair separates people: AUC is the chance that a pair of detections of one person gets a
higher score than another pair (1 is perfect, .5 is chance). Pairs with too few examples use the model that all
pairs share; photos that show no strangers get synthetic ones (multiperson/pairwise_training.py).
"""

try:
    from util.cli import config_parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from config import load_config
from dataset.factory import create
from multiperson.load import find_weights, load_network
from multiperson.pairwise_model import Origin, model_path, save_model
from multiperson.pairwise_training import FEW_POSITIVES, PairReport, collect_scenes, train_pairs
from multiperson.predict import SpatialModel
from nnet.description import describe
from util.errors import InputError
from util.report import table


def main(argv: list[str] | None = None) -> None:
    arguments = config_parser(__doc__, snapshot=True)
    arguments.add_argument("--images", type=int, default=1000, help="at most this many (default: %(default)s)")
    arguments.add_argument("--out_dir", type=Path, help="folder to write to (default: pairwise_model_dir)")
    options = arguments.parse_args(argv)
    # The network should see whole images.
    cfg = load_config(options.cfg, [*options.overrides, "crop=false"])
    weights = options.snapshot or find_weights(cfg)
    spec = describe(cfg, weights)
    dataset, pairs = create(cfg, skeleton=spec.skeleton), SpatialModel(cfg, spec.skeleton).pairs
    if spec.pairwise is None:
        raise InputError(f"{cfg.config_file}: this network has no offsets between joints to learn from")
    network = load_network(cfg, weights)
    scenes = collect_scenes(dataset, network, cfg, options.images)
    models, reports = train_pairs(scenes, pairs, spec.num_joints, spec.pairwise_unit, cfg.seed)
    folder = options.out_dir or Path(cfg.pairwise_model_dir)
    names = dataset.skeleton.keypoints if dataset.skeleton.named else [""] * spec.num_joints
    for (a, b), model in models.items():
        save_model(
            model_path(folder, a, b), model, Origin(names[a], names[b], network.spec.network, spec.pairwise_unit)
        )
    print(summary(reports, dataset.skeleton.keypoints))
    detections = sum(len(scene.owner) for scene in scenes)
    print(
        f"{len(scenes)} images, {sum(len(scene.size) for scene in scenes)} people, {detections} detections; "
        f"{len(models)} models written to {folder}"
    )


def summary(reports: Sequence[PairReport], names: Sequence[str]) -> str:
    """The table of all pairs of parts, with a note on those with too few examples."""
    rows = [
        [
            " - ".join(names[part] for part in report.pair),
            report.positives,
            report.negatives,
            report.synthetic,
            float(report.auc),
            "" if report.own else "few examples: mostly the common model",
        ]
        for report in reports
    ]
    text = table(["pair", "same person", "strangers", "synthetic", "AUC", ""], rows)
    areas = [report.auc for report in reports if not np.isnan(report.auc)]
    few = sum(not report.own for report in reports)
    return f"{text}\nAUC median {np.median(areas):.4f}, lowest {min(areas):.4f}" + (
        f"; {few} of {len(reports)} pairs with fewer than {FEW_POSITIVES} examples of one person" if few else ""
    )


if __name__ == "__main__":
    run(main, frozen_weights=True)
