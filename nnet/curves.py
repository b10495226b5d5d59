"""The curves of trainings: the scalars that nnet.summary wrote for TensorBoard, and a picture of them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from util.errors import InputError
from util.files import atomic_path

COLUMNS, PANEL = 3, (4.5, 3.0)
# Panels in this order; other tags follow.
FIRST = "total_loss", "part_loss", "part_loss_interm", "locref_loss", "pairwise_loss", "learning_rate", "score"

# For each tag the steps (n,) and values (n,).
Scalars = dict[str, tuple[np.ndarray, np.ndarray]]


def read_scalars(folder: Path) -> Scalars:
    """All scalars of a run. Raises InputError where there are none."""
    # Sorted by the time in their names: if a step was done twice, the last one counts.
    paths = sorted(Path(folder).glob("events.out.tfevents.*"))
    values = _read_events(paths) if paths else {}
    if not values:
        raise InputError(f"{folder}: no scalars for TensorBoard (events.out.tfevents.*); train.py writes them to log/")
    return {
        tag: (np.array(sorted(by_step)), np.array([by_step[step] for step in sorted(by_step)]))
        for tag, by_step in values.items()
    }


def _read_events(paths: list[Path]) -> dict[str, dict[int, float]]:
    """The scalars of files by tag and step; later files win."""
    import tensorflow as tf  # takes seconds: not where there is nothing to read

    values: dict[str, dict[int, float]] = {}
    for path in paths:
        records = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
        try:
            for record in records:
                event = tf.compat.v1.Event.FromString(record)
                for value in event.summary.value:
                    if value.tensor.dtype == tf.float32.as_datatype_enum and not value.tensor.tensor_shape.dim:
                        values.setdefault(value.tag, {})[event.step] = float(tf.make_ndarray(value.tensor))
        except tf.errors.DataLossError:
            pass  # where a killed run stopped writing
    return values


def plot(runs: Mapping[str, Scalars], path: Path) -> None:
    """Draw a panel for each tag and in it a line for each run."""
    from matplotlib.figure import Figure

    tags = sorted({tag for scalars in runs.values() for tag in scalars}, key=_place)
    columns = min(COLUMNS, len(tags))
    rows = -(-len(tags) // columns)
    figure = Figure(figsize=(PANEL[0] * columns, PANEL[1] * rows), layout="constrained")
    for tag, axes in zip(tags, figure.subplots(rows, columns, squeeze=False).flat, strict=False):
        for name, scalars in runs.items():
            if tag in scalars:
                axes.plot(*scalars[tag], linewidth=1, marker="." if len(scalars[tag][0]) < 20 else None, label=name)
        axes.set(title=tag.replace("_", " "), xlabel="step")
        if "loss" in tag and all((scalars[tag][1] > 0).all() for scalars in runs.values() if tag in scalars):
            axes.set_yscale("log")
        axes.grid(alpha=0.3, which="both")
    for axes in figure.axes[len(tags) :]:
        axes.remove()
    if len(runs) > 1:
        figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=100)


def _place(tag: str) -> tuple[int, str]:
    return (FIRST.index(tag) if tag in FIRST else len(FIRST), tag)
