"""Pictures by matplotlib without a window, through its object interface and Agg.

Only `show` opens a window, and only it imports pyplot.
"""

import math
import os
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from util.errors import InputError
from util.images import write_image

# A power of two, so that a size in pixels survives the conversion to inches.
_DPI = 128
POINT = 72 / _DPI  # of a pixel
_WINDOW_INCHES = 10  # the longer side


def image_figure(image: np.ndarray) -> tuple[Figure, Axes]:
    """A figure of exactly the image's pixels, and its axes, whose coordinates are those of the image.

    image: uint8 (H, W, 3)
    """
    height, width = image.shape[:2]
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(image, interpolation="nearest", aspect="auto")
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), autoscale_on=False)
    axes.axis("off")
    return figure, axes


def figure_image(figure: Figure) -> np.ndarray:
    """The drawn figure as uint8 (H, W, 3) RGB."""
    canvas = figure.canvas
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def save_figure(path: str | os.PathLike, figure: Figure) -> None:
    """Write the figure as an image, whole or not at all; the suffix decides the format."""
    write_image(path, figure_image(figure))


def show(picture: np.ndarray) -> None:
    """Open a window with a picture, uint8 (H, W, 3), and wait until it is closed.

    Raises InputError if there is no display.
    """
    window = Window()
    window.show(picture)
    window.wait()


class Window:
    """A window for a sequence of pictures, uint8 (H, W, 3). Raises InputError if there is no display.

    closed: whether it was closed, or a key pressed in it
    """

    def __init__(self):
        from matplotlib import pyplot

        if pyplot.get_backend().lower() == "agg":  # what matplotlib falls back to
            raise InputError("there is no display to open a window on: leave --show out and look at the files written")
        self._pyplot, self._figure, self._image = pyplot, None, None
        self.closed = False

    def show(self, picture: np.ndarray) -> None:
        """Show a picture immediately, without waiting."""
        if self._figure is None:
            self._open(*picture.shape[:2])
        self._image.set_data(picture)
        self._figure.canvas.draw_idle()
        self._figure.canvas.flush_events()

    def wait(self) -> None:
        """Wait until the window is closed."""
        self._pyplot.show()

    def _open(self, height, width):
        inches = _WINDOW_INCHES / max(height, width)
        self._figure = self._pyplot.figure(figsize=(width * inches, height * inches))
        axes = self._figure.add_axes((0, 0, 1, 1))
        self._image = axes.imshow(np.zeros((height, width, 3), np.uint8))
        axes.axis("off")
        for event in ("close_event", "key_press_event"):
            self._figure.canvas.mpl_connect(event, self._end)
        self._pyplot.show(block=False)

    def _end(self, _):
        self.closed = True


def show_heatmaps(
    image: np.ndarray, part_prob: np.ndarray, names: Sequence[str], pose: np.ndarray | None = None
) -> Figure:
    """The score map of each part over the gray image, side by side.

    part_prob: (h, w, J) in [0, 1]; pose: (J, 3) a position to mark in each, x, y, score
    """
    columns = math.ceil(math.sqrt(part_prob.shape[2]))
    rows = math.ceil(part_prob.shape[2] / columns)
    height, width = image.shape[:2]
    figure = Figure(figsize=(3 * columns, (3 * height / width + 0.3) * rows), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    gray = image.mean(axis=2)
    # Cells may reach beyond the image's right and lower border.
    extent = (-0.5, part_prob.shape[1] * 8 - 0.5, part_prob.shape[0] * 8 - 0.5, -0.5)
    for part, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        axes.axis("off")
        if part >= part_prob.shape[2]:
            continue
        axes.imshow(gray, cmap="gray", vmin=0, vmax=255)
        score = part_prob[..., part]
        axes.imshow(score, cmap="jet", vmin=0, vmax=1, extent=extent, alpha=0.2 + 0.6 * np.sqrt(np.clip(score, 0, 1)))
        if pose is not None:
            axes.plot(*pose[part, :2], "+", color="white", markersize=10)
        axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
        axes.set_title(f"{names[part]} {score.max(initial=0):.2f}", fontsize=8)
    return figure
