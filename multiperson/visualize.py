"""Pictures of people and of what they are made from, drawn on the image."""

from collections.abc import Sequence

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from multiperson.detections import Detections, flatten
from multiperson.predict import People
from util.visualize import figure_image, image_figure, line_width, palette, show_arrows


class PersonDraw:
    """Draws people: limbs in a colour per person, joints as dots with a dark rim.

    limbs: pairs of joint ids
    """

    def __init__(self, limbs: Sequence[tuple[int, int]]):
        self.limbs = np.array(limbs, int).reshape(-1, 2)

    def draw(self, image: np.ndarray, people: People, ids: Sequence[int] | None = None) -> np.ndarray:
        """The image, uint8 (H, W, 3), with the people on it.

        ids: a number for each person that decides the colour (default: the person's rank)
        """
        return figure_image(self.figure(image, people, ids))

    def figure(self, image: np.ndarray, people: People, ids: Sequence[int] | None = None) -> Figure:
        """The same as a figure, for `util.visualize.show` and for additions."""
        figure, axes = image_figure(image)
        keypoints = people.keypoints
        if not len(keypoints):  # matplotlib leaves a dot for an empty scatter
            return figure
        colors = palette(range(len(keypoints)) if ids is None else ids)
        width = line_width(image)
        found = keypoints[..., 2] > 0
        person, limb = np.nonzero(found[:, self.limbs].all(axis=2))
        lines = keypoints[person[:, None], self.limbs[limb], :2]
        axes.add_collection(LineCollection(lines, colors=colors[person], linewidths=width, capstyle="round"))
        person, joint = np.nonzero(found)
        x, y = keypoints[person, joint, :2].T
        axes.scatter(x, y, s=(1.5 * width) ** 2, c=colors[person], edgecolors="black", linewidths=width / 4, zorder=3)
        return figure


def visualize_detections(image: np.ndarray, detections: Detections, names: Sequence[str]) -> Figure:
    """The candidates before they are grouped: a dot per detection, a colour per part, the surer the larger.

    A cross marks the centre of the cell that a detection comes from.
    """
    figure, axes = image_figure(image)
    width = line_width(image)
    for name, color, coord, grid, conf in zip(
        names, palette(range(len(names))), detections.coord, detections.coord_grid, detections.conf, strict=True
    ):
        if len(coord):
            size = (width * (1 + 3 * conf[:, 0])) ** 2
            axes.scatter(*coord.T, s=size, color=color, edgecolors="black", linewidths=width / 4, label=name)
            axes.scatter(*grid.T, s=width**2, color=color, marker="x", linewidths=width / 4)
    if any(map(len, detections.coord)):
        axes.legend(loc="upper right", fontsize=4 * width, markerscale=0.5)
    return figure


def visualize_offsets(image: np.ndarray, detections: Detections, limbs: Sequence[tuple[int, int]]) -> Figure:
    """Arrows from each detection to where it expects its neighbours along the limbs, both ways."""
    nodes = flatten(detections)
    towards = [pair for a, b in limbs for pair in ((a, b), (b, a))]
    start, offset, kind = [np.empty((0, 2))], [np.empty((0, 2))], [np.empty(0, int)]
    for a, b in towards:
        rows = nodes.part == a
        start.append(nodes.grid[rows])
        offset.append(nodes.outgoing[rows, b - (b > a)])
        kind.append(np.full(rows.sum(), b))
    return show_arrows(image, *map(np.concatenate, (start, offset, kind)))
