"""PCK and PCKh: the share of joints that a single-person network finds, by joint.

    cd models/mpii/test
    python ../../../tools/eval_pck.py                                      # data set, results/predictions.mat
    python tools/eval_pck.py --submit results/aic.json --ref annotations.json --plot pck.png

The predictions are those of tools/predict_singleperson.py. A joint counts as found within a fraction of the person's
size: PCK .2 of the torso (left shoulder to right hip), PCKh .5 of the head (neck to head top; 50 pixels in MPII's
crops, which are scaled by it), PCK-box .2 of the longer side of the box around all joints (pose-tensorflow's eval_pck).
All labelled joints count, hidden ones too; people without a size do not count in that column.
"""

try:
    from util.cli import config_parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

from pathlib import Path

import numpy as np

from config import load_config
from dataset import pck
from dataset.aic import UNLABELLED, AnnotationFile, keypoints_fault, people_array
from dataset.factory import create
from dataset.sides import plain_names
from dataset.skeleton import AIC, Skeleton
from util.errors import InputError
from util.files import atomic_path, read_json
from util.matfile import read_mat
from util.report import table

HEAD_THRESHOLD = 0.5
PLOT_UP_TO = 0.5


def main(argv: list[str] | None = None) -> None:
    arguments = config_parser(__doc__)
    arguments.add_argument("--submit", type=Path, help="predictions (default: results/predictions.mat)")
    arguments.add_argument("--ref", type=Path, help="AI Challenger annotations instead of the data set")
    arguments.add_argument("--threshold", type=float, help="of PCK and PCK-box (default: pck_threshold, .2)")
    arguments.add_argument("--plot", type=Path, metavar="PNG", help="draw the share found over the threshold")
    options = arguments.parse_args(argv)
    if options.plot and options.plot.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise InputError(f"{options.plot}: --plot writes .png, .pdf or .svg")
    threshold = options.threshold
    if options.ref:
        if not options.submit:
            raise InputError("--ref needs --submit, the aic.json of tools/predict_singleperson.py")
        true, predicted = reference_people(options.ref, options.submit)
        skeleton, threshold = AIC, 0.2 if threshold is None else threshold
    else:
        cfg = load_config(options.cfg, options.overrides)
        true, predicted, skeleton = dataset_people(cfg, options.submit or Path("results/predictions.mat"))
        threshold = cfg.pck_threshold if threshold is None else threshold
    measures = {
        f"PCK@{threshold:g}": (pck.relative_errors(true, predicted, pck.torso_size(true, skeleton)), threshold),
        f"PCKh@{HEAD_THRESHOLD:g}": (
            pck.relative_errors(true, predicted, pck.head_size(true, skeleton)),
            HEAD_THRESHOLD,
        ),
        f"PCK-box@{threshold:g}": (pck.relative_errors(true, predicted, pck.extent_size(true)), threshold),
    }
    print(f"{len(true)} people, {np.count_nonzero(true[..., 2] > 0)} labelled joints\n")
    print(joint_table(true, measures, skeleton))
    unmeasured = [name for name, (errors, _) in measures.items() if not errors.counts.any()]
    if unmeasured:
        print(
            f"\n{', '.join(unmeasured)}: nobody can be measured. PCK needs left_shoulder and right_hip, PCKh neck, "
            f"head_top; the skeleton {skeleton.name} has {', '.join(skeleton.keypoints)}"
        )
    if options.plot:
        plot(measures, skeleton, options.plot)
        print(f"\nplot written to {options.plot}")


def reference_people(ref: Path, submit: Path) -> tuple[np.ndarray, np.ndarray]:
    """True and predicted people (N, 14, 3), paired by image and name; a missing prediction is all 0."""
    answers = read_json(submit)
    if not isinstance(answers, list) or not all(isinstance(answer, dict) for answer in answers):
        raise InputError(f"{submit}: expected a JSON list of records, one per image")
    found = {str(answer.get("image_id")): answer.get("keypoint_annotations") for answer in answers}
    true, predicted, matched = [], [], 0
    source = AnnotationFile(ref)
    for record in source:
        people = found.get(record.image_id)
        for person in record.people:
            values = people.get(person.name) if isinstance(people, dict) else None
            if values is not None and keypoints_fault(values):
                raise InputError(f"{submit}: {record.image_id} {person.name}: {keypoints_fault(values)}")
            matched += values is not None
            true.append(person.keypoints)
            predicted.append(values or [0, 0, UNLABELLED] * AIC.num_joints)
    source.faults.warn(ref)
    if not matched:
        raise InputError(f"{submit}: none of the people of {ref}: images and people must have the same names in both")
    return people_array(true), people_array(predicted)


def dataset_people(cfg, submit: Path) -> tuple[np.ndarray, np.ndarray, Skeleton]:
    """True and predicted people (N, J, 3) of the configuration's data set, and its skeleton."""
    dataset = create(cfg)
    true = dataset.table.people
    cells = read_mat(submit, "joints", hint="; tools/predict_singleperson.py writes it")["joints"].ravel()
    shape = true.shape[1:]
    if len(cells) != len(true) or any(np.shape(cell) != shape for cell in cells):
        raise InputError(
            f"{submit}: 'joints' must hold {len(true)} people of {shape[0]} x, y, score, as "
            f"{dataset.path} does; run tools/predict_singleperson.py again"
        )
    return true, np.array(list(cells), float).reshape(true.shape), dataset.skeleton


def joint_table(true: np.ndarray, measures: dict, skeleton: Skeleton) -> str:
    """A row for each labelled joint, one for the mean of these, one for all joints together."""
    labelled = (true[..., 2] > 0).sum(axis=0)
    shares = [errors.share(threshold) for errors, threshold in measures.values()]
    used = np.flatnonzero(labelled)
    rows = [[skeleton.keypoints[j], int(labelled[j]), *(float(share[j]) for share in shares)] for j in used]
    means = [_mean(share[used]) for share in shares]
    totals = [errors.total(threshold) for errors, threshold in measures.values()]
    counted = [int(np.count_nonzero(~np.isnan(errors.values).all(axis=1))) for errors, _ in measures.values()]
    rows += [
        ["mean of joints", int(labelled.sum()), *means],
        ["all together", int(labelled.sum()), *totals],
        ["people measured", len(true), *counted],
    ]
    return table(["joint", "labelled", *measures], rows)


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def plot(measures: dict, skeleton: Skeleton, path: Path) -> None:
    """Share found over the threshold: a panel for each measure, a line for each kind of joint."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5 * len(measures), 4.5), layout="constrained")
    thresholds = np.linspace(0, PLOT_UP_TO, 101)
    for axes, (name, (errors, threshold)) in zip(figure.subplots(1, len(measures)), measures.items(), strict=True):
        shares = np.array([errors.share(limit) for limit in thresholds])
        for kind, joints in joint_kinds(skeleton).items():
            if errors.counts[joints].any():
                axes.plot(thresholds, 100 * np.nanmean(shares[:, joints], axis=1), label=kind)
        axes.plot(thresholds, [100 * errors.total(limit) for limit in thresholds], "k", linewidth=2, label="all")
        axes.axvline(threshold, color="gray", linestyle=":")
        found = f"{100 * errors.total(threshold):.1f} %" if errors.counts.any() else "nobody can be measured"
        axes.set(
            title=f"{name}: {found}",
            xlabel="threshold",
            ylabel="joints found (%)",
            xlim=(0, PLOT_UP_TO),
            ylim=(0, 100),
        )
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120)


def joint_kinds(skeleton: Skeleton) -> dict[str, list[int]]:
    """Joint ids by name without left and right."""
    kinds = {}
    for joint, name in enumerate(plain_names(skeleton.keypoints)):
        kinds.setdefault(name.removeprefix("left_").removeprefix("right_"), []).append(joint)
    return kinds


if __name__ == "__main__":
    run(main)
