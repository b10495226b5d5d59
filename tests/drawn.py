"""Where something lies in a picture that a script wrote."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from util.draw import enlarge_points, enlarge_small, palette
from util.images import read_image

# Somebody who stands, in AI Challenger's joints, x and y, 54 wide and 173 high.
STANDING = np.array([(12, 38), (2, 68), (0, 96), (42, 38), (52, 68), (54, 96), (18, 98), (16, 138), (16, 173),
                     (36, 98), (38, 138), (38, 173), (27, 0), (27, 26)], float)  # fmt: skip
# From a joint to where nothing of it is left: its dot, and the JPEG's block of 8x8 pixels that it ends in.
REACH = 12


def assert_people_drawn(picture: Path, image: np.ndarray, people: Sequence[dict], ids: Sequence[int]) -> None:
    """Every joint in a picture of the image has its person's colour; nothing is drawn away from the people.

    people: as `PoseResult.as_dict` describes them; ids: what their colours follow
    """
    drawn = read_image(picture).astype(int)
    plain, factor = enlarge_small(image)
    assert drawn.shape == plain.shape
    untouched = np.ones(drawn.shape[:2], bool)
    for person, colour in zip(people, palette(ids), strict=True):
        joints = np.array([(joint["x"], joint["y"]) for joint in person["keypoints"].values()])
        cols, rows = np.rint(enlarge_points(joints, factor)).astype(int).T
        np.testing.assert_allclose(drawn[rows, cols], np.tile(255 * colour, (len(joints), 1)), atol=40)
        untouched[max(0, rows.min() - REACH) : rows.max() + REACH, max(0, cols.min() - REACH) : cols.max() + REACH] = 0
    assert untouched.any() and np.abs(drawn - plain)[untouched].max() < 12


def made_figures(monkeypatch) -> list[Figure]:
    """A list that every figure will be added to."""
    figures, make = [], Figure.__init__

    def made(figure, *args, **kwargs):
        make(figure, *args, **kwargs)
        figures.append(figure)

    monkeypatch.setattr(Figure, "__init__", made)
    return figures


def pixel_of(axes: Axes, point: tuple[float, float], picture: np.ndarray) -> np.ndarray:
    """Column and row, as fractions, where a point in the axes' coordinates is in the picture of their figure."""
    x, y = axes.figure.transFigure.inverted().transform(axes.transData.transform(point))
    return np.array([x * picture.shape[1], (1 - y) * picture.shape[0]]) - 0.5
