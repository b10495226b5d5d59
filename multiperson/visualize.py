"""Drawing people and detections on an image."""

from collections.abc import Sequence

import numpy as np

from multiperson.detections import Detections
from multiperson.predict import People
from util.draw import draw_dots, draw_lines, enlarge_points, enlarge_small, line_width, palette


class PersonDraw:
    """Draws people: limbs in a colour per person, joints as dots with a dark rim.

    limbs: pairs of joint ids
    """

    def __init__(self, limbs: Sequence[tuple[int, int]]):
        self.limbs = np.array(limbs, int).reshape(-1, 2)

    def draw(self, image: np.ndarray, people: People, ids: Sequence[int] | None = None) -> np.ndarray:
        """A copy of the image, uint8 (H, W, 3), with the people on it; small images are enlarged.

        ids: a number for each person that decides the colour (default: the person's rank)
        """
        picture, factor = enlarge_small(image)
        width = line_width(picture)
        found, points = people.keypoints[..., 2] > 0, enlarge_points(people.keypoints[..., :2], factor)
        colors = palette(range(len(points)) if ids is None else ids)
        for joints, there, color in zip(points, found, colors, strict=True):
            start, end = self.limbs[there[self.limbs].all(axis=1)].T
            draw_lines(picture, joints[start], joints[end], width, color)
        for joints, there, color in zip(points, found, colors, strict=True):
            draw_dots(picture, joints[there], 1.25 * width, width / 4, color)
        return picture


def visualize_detections(image: np.ndarray, detections: Detections, names: Sequence[str]) -> np.ndarray:
    """A picture, uint8 (H, W, 3), of the detections before grouping: a dot for each, coloured by part.

    The surer a detection, the larger its dot; a cross marks the centre of the cell that a detection comes from.
    """
    from util.visualize import POINT, figure_image, image_figure  # matplotlib, which a demo need not wait for

    figure, axes = image_figure(image)
    width = line_width(image) * POINT
    for name, color, coord, grid, conf in zip(
        names, palette(range(len(names))), detections.coord, detections.coord_grid, detections.conf, strict=True
    ):
        if len(coord):
            size = (width * (1 + 3 * conf[:, 0])) ** 2
            axes.scatter(*coord.T, s=size, color=color, edgecolors="black", linewidths=width / 4, label=name)
            axes.scatter(*grid.T, s=width**2, color=color, marker="x", linewidths=width / 4)
    if any(map(len, detections.coord)):
        axes.legend(loc="upper right", fontsize=4 * width, markerscale=0.5)
    return figure_image(figure)
