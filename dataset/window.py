"""Random views of a scaled image: a window, rotated about a person, in other colours."""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageEnhance


class Window(NamedTuple):
    """A view of an image, which is rotated by `angle` (radians, clockwise as seen) about `center` (x, y); then pixels
    `origin` (x, y) .. `origin` + `size` (height, width) are taken. Outside the image it is empty."""

    angle: float
    center: tuple[float, float]
    origin: tuple[float, float]
    size: tuple[int, int]

    def move(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 2) x, y of the image, in the window's pixels."""
        return (points - self.center) @ _rotation(self.angle).T + self.center - self.origin

    def cut(self, image: np.ndarray, fill: int | tuple[int, ...], resample: Image.Resampling) -> np.ndarray:
        """The window of a uint8 image (H, W) or (H, W, 3), with `fill` outside the image."""
        back = _rotation(self.angle).T
        # Pillow counts from the corner of a pixel, joints from its middle.
        shift = back @ (np.subtract(self.origin, self.center) - 0.5) + self.center + 0.5
        coefficients = (*back[0], shift[0], *back[1], shift[1])
        size = self.size[::-1]
        picture = Image.fromarray(image)
        return np.asarray(picture.transform(size, Image.Transform.AFFINE, coefficients, resample, fillcolor=fill))


def _rotation(angle):
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


def random_window(
    people: np.ndarray, image_size: tuple[int, int], size: tuple[int, int] | None, rotation: float, random
) -> Window:
    """A window that shows one of the people, whole if the window is large enough.

    people: (P, J, 3) x, y, flag in the image, which has (height, width) = image_size
    size: (height, width) of the window; None: the whole image, rotated about its middle
    rotation: the largest angle, degrees
    random: a numpy Generator
    """
    angle = np.radians(random.uniform(-rotation, rotation))
    height, width = image_size
    if size is None:
        return Window(angle, ((width - 1) / 2, (height - 1) / 2), (0, 0), image_size)
    whole = np.array([[0, 0], [width - 1, height - 1]], np.float64)
    labelled = [person[person[:, 2] > 0, :2] for person in people if (person[:, 2] > 0).any()]
    shown = labelled[random.integers(len(labelled))] if labelled else whole
    center = (shown.min(axis=0) + shown.max(axis=0)) / 2
    turned = Window(angle, tuple(center), (0, 0), image_size).move(shown)
    low, high = _origins(turned.min(axis=0), turned.max(axis=0), np.array(size[::-1]))
    # Within the image, as far as the person allows.
    first, last = _origins(whole[0], whole[1], np.array(size[::-1]))
    low, high = np.clip(first, low, high), np.clip(last, low, high)
    return Window(angle, tuple(center), tuple(np.round(random.uniform(low, high))), size)


def _origins(start, end, size):
    """The least and the greatest origin of a window of `size` that contains `start` .. `end`, or lies within it."""
    return np.minimum(start, end - size + 1), np.maximum(start, end - size + 1)


def jitter_colors(image: np.ndarray, strength: float, random) -> np.ndarray:
    """Brightness, contrast and colour of an RGB image, each by a factor uniform in [1 - strength, 1 + strength]."""
    picture = Image.fromarray(image)
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        picture = enhance(picture).enhance(random.uniform(1 - strength, 1 + strength))
    return np.asarray(picture)
