"""The official AI Challenger score of a submission, and tables that explain it.

    python tools/eval_aic.py --submit aic_results.json --ref annotations.json
    python tools/eval_aic.py --submit aic_results.json --ref annotations.json --plot precision_recall.png

The last line is the score. It equals the official evaluator's under Python 2; `dataset.aic_score.score` lists its
oddities. The plot follows the confidences in the submission's `scores`; a submission without them is one point for each
threshold.
"""

try:
    from util.cli import parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

import logging
import math
from pathlib import Path

import numpy as np

from dataset import aic_score
from dataset.skeleton import AIC
from util.errors import InputError
from util.files import atomic_path
from util.report import table

SHOWN_WARNINGS = 5
PLOTTED = (0.5, 0.75, 0.9)
ROOM_FOR_A_NUMBER = 0.03  # of the width and height of the plot
# Bounds of the sizes of people: the square root of their box's area, in pixels.
SIZES = (96, 192, 384)
FOUND = 0.5  # a joint is found when its term of the OKS is above this


def threshold_table(result: aic_score.Score) -> str:
    """Precision at each threshold."""
    rows = zip(aic_score.THRESHOLDS.tolist(), result.precision.tolist(), strict=True)
    return table(["OKS above", "share found"], list(rows))


def joint_table(result: aic_score.Score) -> str:
    """The accuracy of each joint, over the true people and their best predictions."""
    visible = ~np.isnan(result.similarity)
    rows = []
    for name, there, similarity in zip(AIC.keypoints, visible.T, result.similarity.T, strict=True):
        terms = similarity[there]
        means = [float(terms.mean()), float((terms > FOUND).mean())] if len(terms) else [math.nan, math.nan]
        rows.append([name, len(terms), *means])
    return table(["joint", "visible", "mean OKS term", f"share above {FOUND}"], rows)


def size_table(result: aic_score.Score) -> str:
    """How well people of each size are found; false predictions have no true size and do not count here."""
    size = np.sqrt(np.maximum(result.true.area, 0))
    bounds = [0, *SIZES, np.inf]
    rows = []
    for low, high in zip(bounds, bounds[1:], strict=False):
        best = result.best[(size >= low) & (size < high)]
        name = f"{low} to {high} px" if high < np.inf else f"above {low} px"
        found = best > aic_score.THRESHOLDS[:, None]
        means = [float(np.nan_to_num(best).mean()), float(found.mean())] if len(best) else [math.nan, math.nan]
        rows.append([name, len(best), *means])
    return table(["size (root of box area)", "people", "mean OKS", "share found"], rows)


def precision_recall(result: aic_score.Score, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Recall and precision (M,) as predicted people are added one by one, the most confident first.

    Unlike in the official score a prediction finds one true person at most.
    """
    good = np.flatnonzero(result.oks > threshold)
    confidence = np.nan_to_num(result.predicted.scores)
    order = good[np.lexsort((-result.oks[good], -confidence[result.pairs[good, 1]]))]
    true_taken, right = np.zeros(len(result.true.names), bool), np.zeros(len(confidence), bool)
    for true, predicted in result.pairs[order]:
        if not true_taken[true] and not right[predicted]:
            true_taken[true] = right[predicted] = True
    hits = np.cumsum(right[np.argsort(-confidence, kind="stable")])
    return hits / max(len(true_taken), 1), hits / np.arange(1, len(hits) + 1)


def plot(result: aic_score.Score, path: Path) -> None:
    """Draw precision over recall, with the last point for each threshold."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.02), title=f"AIC score {result.score:.4f}")
    axes.grid(alpha=0.3)
    confident = not np.isnan(result.predicted.scores).all()
    named = np.array([np.inf, np.inf])  # the last point with its threshold beside it
    for threshold in aic_score.THRESHOLDS:
        recall, precision = precision_recall(result, threshold)
        if not len(recall):
            continue
        if confident and np.isclose(threshold, PLOTTED).any():
            axes.plot(recall, precision, label=f"OKS > {threshold:.2f}")
        axes.plot(recall[-1], precision[-1], "k.")
        last = np.array([recall[-1], precision[-1]])
        if np.abs(last - named).max() > ROOM_FOR_A_NUMBER:
            axes.annotate(f"{threshold:.2f}", last, fontsize=7)
            named = last
    if confident:
        axes.legend(loc="lower left")  # a corner that few curves reach
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120)


def print_warnings(warnings: list[str]) -> None:
    for warning in warnings[:SHOWN_WARNINGS]:
        logging.warning("%s", warning)
    if len(warnings) > SHOWN_WARNINGS:
        logging.warning("... and %d more", len(warnings) - SHOWN_WARNINGS)


def main(argv=None):
    args_parser = parser(__doc__)
    args_parser.add_argument("--submit", required=True, type=Path, help="submission")
    args_parser.add_argument("--ref", required=True, type=Path, help="annotations")
    args_parser.add_argument("--plot", type=Path, metavar="PNG", help="draw precision over recall into this file")
    args = args_parser.parse_args(argv)
    if args.plot and args.plot.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise InputError(f"{args.plot}: --plot writes .png, .pdf or .svg")
    submission, reference = aic_score.read_records(args.submit), aic_score.read_records(args.ref)
    try:
        result = aic_score.score(submission, reference)
    except InputError as error:
        raise InputError(f"{args.submit} against {args.ref}: {error}") from error
    print_warnings(result.warnings)
    result.faults.warn(args.submit)
    print(
        f"{len(result.image_ids)} images, {len(result.true.names)} true people, "
        f"{len(result.predicted.names)} predicted, {result.counted.sum()} counted\n"
    )
    print(threshold_table(result), joint_table(result), size_table(result), sep="\n\n")
    if args.plot:
        plot(result, args.plot)
        print(f"\nplot written to {args.plot}")
    print(f"\nScore:  {result.score:.8f}")


if __name__ == "__main__":
    run(main)
