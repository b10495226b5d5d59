"""Lines and dots with smooth edges, drawn straight into an image: what many pictures a second need.

Pixel (x, y) is the square around the point (x, y). Parts beyond the image's border are left out.
"""

import colorsys
import math
from collections.abc import Sequence

import numpy as np

_GOLDEN_RATIO = (math.sqrt(5) - 1) / 2


def palette(numbers: Sequence[int]) -> np.ndarray:
    """RGB (n, 3) in [0, 1]: a bright colour for each number, far from those of the numbers before it."""
    return np.array([colorsys.hsv_to_rgb(k * _GOLDEN_RATIO % 1, 0.8, 1.0) for k in numbers]).reshape(-1, 3)


def line_width(image: np.ndarray) -> float:
    """Pixels of a line's width that looks alike on images of any size: 1/200 of the mean side, at least 2."""
    return max(2.0, sum(image.shape[:2]) / 400)


def draw_line(image: np.ndarray, start: np.ndarray, end: np.ndarray, width: float, color: np.ndarray) -> None:
    """A line with round ends on uint8 (H, W, 3), in place. start, end: x, y; width: pixels; color: RGB in [0, 1]"""
    rows, cols, distance = _pixels_near(image.shape, start, end, width / 2 + 0.5)
    cover = _cover(distance, width)
    _lay_over(image, rows, cols, cover, cover * color)


def draw_dot(image: np.ndarray, center: np.ndarray, diameter: float, rim: float, color: np.ndarray) -> None:
    """A dot with a black rim around its `diameter` on uint8 (H, W, 3), in place; all lengths in pixels."""
    rows, cols, distance = _pixels_near(image.shape, center, center, diameter / 2 + rim + 0.5)
    _lay_over(image, rows, cols, _cover(distance, diameter + 2 * rim), _cover(distance, diameter) * color)


def _pixels_near(shape, start, end, reach):
    """Rows, columns and distances of the image's pixels within `reach` of the line from start to end."""
    # One step of `u` after the other along the line's longer direction, as many `v` across as the reach needs.
    steep = int(abs(end[1] - start[1]) > abs(end[0] - start[0]))
    u0, v0, u1, v1 = start[steep], start[1 - steep], end[steep], end[1 - steep]
    du, dv = u1 - u0, v1 - v0
    size_u, size_v = shape[1 - steep], shape[steep]
    u = np.arange(max(0, math.ceil(min(u0, u1) - reach)), min(size_u, math.floor(max(u0, u1) + reach) + 1))
    middle = np.rint(v0 + (u - u0) * (dv / du if du else 0)).astype(int)
    half = math.ceil(reach * math.sqrt(2) + 0.5)  # across a line of 45 degrees, from a rounded middle
    v = middle[:, None] + np.arange(-half, half + 1)
    x, y = (u - u0)[:, None], v - v0
    share = np.minimum(np.maximum((x * du + y * dv) / (du**2 + dv**2), 0), 1) if du or dv else 0
    distance = np.hypot(x - share * du, y - share * dv)
    near = (distance < reach) & (v >= 0) & (v < size_v)
    u, v = u[np.nonzero(near)[0]], v[near]
    return (u, v, distance[near]) if steep else (v, u, distance[near])


def _cover(distance, width):
    """How much of each pixel a line of this width covers, (n, 1) in [0, 1]."""
    return np.minimum(np.maximum(width / 2 + 0.5 - distance, 0), 1)[:, None]


def _lay_over(image, rows, cols, cover, light):
    """Replace a share `cover` (n, 1) of pixels by `light` (n, 3), which has that share in it."""
    image[rows, cols] = np.rint(image[rows, cols] * (1 - cover) + 255 * light)
