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
from util.errors import InputError


def main(argv: list[str] | None = None) -> None:
    arguments = config_parser(__doc__, snapshot=True)
    arguments.add_argument("--images", type=int, default=1000, help="at most this many (default: %(default)s)")
    arguments.add_argument("--out_dir", type=Path, help="folder to write to (default: pairwise_model_dir)")
    options = arguments.parse_args(argv)
    # The network should see whole images.
    cfg = load_config(options.cfg, [*options.overrides, "crop=false"])
    if not cfg.pairwise_predict:
        raise InputError(f"{cfg.config_file}: pairwise_predict is off: this network has no offsets to learn from")

    from dataset.factory import create

    dataset = create(cfg)
    cfg = dataset.cfg

    from multiperson.pairwise_model import REACH, Origin, model_path, save_model
    from multiperson.pairwise_training import collect_scenes, train_pairs
    from multiperson.predict import SpatialModel
    from nnet.load import find_weights, load_network, network_id

    pairs = SpatialModel(cfg).pairs

    weights = options.snapshot or find_weights(cfg)
    network = load_network(cfg, weights)
    scenes = collect_scenes(dataset, network, cfg, options.images)
    models, reports = train_pairs(scenes, pairs, cfg.num_joints, cfg.seed)
    folder = options.out_dir or Path(cfg.pairwise_model_dir)
    names = dataset.skeleton.keypoints if dataset.skeleton.named else [""] * cfg.num_joints
    for (a, b), model in models.items():
        save_model(model_path(folder, a, b), model, Origin(names[a], names[b], network_id(weights), REACH))
    print(summary(reports, dataset.skeleton.keypoints))
    detections = sum(len(scene.owner) for scene in scenes)
    print(
        f"{len(scenes)} images, {sum(len(scene.size) for scene in scenes)} people, {detections} detections; "
        f"{len(models)} models written to {folder}"
    )


def summary(reports: Sequence, names: Sequence[str]) -> str:
    """The table of all pairs of parts, with a note on those with too few examples."""
    from multiperson.pairwise_training import FEW_POSITIVES
    from util.report import table

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
