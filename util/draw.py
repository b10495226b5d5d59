"""Lines and dots with smooth edges, drawn directly into an image, fast enough for many pictures per second.

Pixel (x, y) is the square around the point (x, y). Drawing is clipped to the image.
"""

import colorsys
import math
from collections.abc import Sequence

import numpy as np

from util.images import resize_image

# Mean side, in pixels, of an image on which lines have their smallest width.
SMALL = 400
_GOLDEN_RATIO = (math.sqrt(5) - 1) / 2


def palette(numbers: Sequence[int]) -> np.ndarray:
    """RGB (n, 3) in [0, 1]: bright colours, each far from the ones before it."""
    return np.array([colorsys.hsv_to_rgb(k * _GOLDEN_RATIO % 1, 0.8, 1.0) for k in numbers]).reshape(-1, 3)


def enlarge_small(image: np.ndarray) -> tuple[np.ndarray, int]:
    """A copy of uint8 (H, W, 3) to draw on, and its factor of enlargement, above 1 for small images.

    On a small image visible lines would hide the people.
    """
    height, width = image.shape[:2]
    factor = math.ceil(2 * SMALL / (height + width))
    return np.array(resize_image(image, (factor * height, factor * width))), factor


def enlarge_points(points: np.ndarray, factor: int) -> np.ndarray:
    """The positions of an image's points (..., 2) in its enlarged copy."""
    return (points + 0.5) * factor - 0.5


def line_width(image: np.ndarray) -> float:
    """A line width in pixels that looks alike on images of any size: 1/200 of the mean side, at least 2."""
    return max(2.0, sum(image.shape[:2]) / SMALL)


def draw_lines(image: np.ndarray, start: np.ndarray, end: np.ndarray, width: float, color: np.ndarray) -> None:
    """Lines with round ends on uint8 (H, W, 3), in place.

    start, end: (n, 2) x, y; width: pixels; color: RGB in [0, 1]
    """
    rows, cols, distance = _pixels_near(image.shape, start, end, width / 2 + 0.5)
    cover = _cover(distance, width)
    _lay_over(image, rows, cols, cover, cover * color)


def draw_dots(image: np.ndarray, centers: np.ndarray, diameter: float, rim: float, color: np.ndarray) -> None:
    """Dots with a black rim around their `diameter` on uint8 (H, W, 3), in place; centers: (n, 2) x, y."""
    rows, cols, distance = _pixels_near(image.shape, centers, centers, diameter / 2 + rim + 0.5)
    _lay_over(image, rows, cols, _cover(distance, diameter + 2 * rim), _cover(distance, diameter) * color)


def _pixels_near(shape, start, end, reach):
    """Rows, columns and distances of the image's pixels within `reach` of a line, once for each such line.

    The nearest come last, so that assignment in this order joins the lines without seams.
    """
    # One step of `u` after the other along each line's longer direction, as many `v` across as the reach needs.
    steep = np.abs(end - start).argmax(axis=1) == 1
    size_u, size_v = np.where(steep, shape[0], shape[1]), np.where(steep, shape[1], shape[0])
    (u0, v0), (u1, v1) = (np.where(steep, points.T[::-1], points.T)[..., None, None] for points in (start, end))
    du, dv = u1 - u0, v1 - v0
    first = np.clip(np.ceil(np.minimum(u0, u1) - reach), 0, None)
    last = np.minimum(np.floor(np.maximum(u0, u1) + reach), size_u[:, None, None] - 1)
    u = first + np.arange(max(0, (last - first).max(initial=-1) + 1))[:, None]
    half = math.ceil(reach * math.sqrt(2) + 0.5)  # across a line of 45 degrees, from a rounded middle
    v = np.rint(v0 + (u - u0) * (dv / np.where(du, du, 1))) + np.arange(-half, half + 1)
    x, y = u - u0, v - v0
    share = np.clip((x * du + y * dv) / np.where(du, du**2 + dv**2, 1), 0, 1)
    distance = np.hypot(x - share * du, y - share * dv)
    near = (distance < reach) & (u <= last) & (v >= 0) & (v < size_v[:, None, None])
    line, step, _ = np.nonzero(near)
    u, v, distance, steep = u[line, step, 0].astype(int), v[near].astype(int), distance[near], steep[line]
    order = np.argsort(-distance)
    return np.where(steep, u, v)[order], np.where(steep, v, u)[order], distance[order]


def _cover(distance, width):
    """How much of each pixel a line of this width covers, (n, 1) in [0, 1]."""
    return np.clip(width / 2 + 0.5 - distance, 0, 1)[:, None]


def _lay_over(image, rows, cols, cover, light):
    """Replace the share `cover` (n, 1) of pixels by `light` (n, 3), which is already multiplied by it."""
    image[rows, cols] = np.rint(image[rows, cols] * (1 - cover) + 255 * light)
