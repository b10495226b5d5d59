"""How the network sees an image: which part of it, at which size, perhaps flipped; and the way back for points."""

from typing import NamedTuple

import numpy as np

from util.images import resize_image, scaled_size


class Reduction(NamedTuple):
    """An image that the network sees much smaller than it is: its own size and the network's, (height, width)."""

    size: tuple[int, int]
    network_size: tuple[int, int]


class View(NamedTuple):
    """A part of an image, scaled, then perhaps flipped.

    part: (height, width) of the part; origin: x, y of its first pixel in the image
    size: (height, width) at which it is seen; factors: x, y, from the part's pixels to those seen
    shift: where the part's point 0, 0 is seen, x, y
    flip: what x and its flipped place add up to, in pixels seen; None: not flipped
    """

    part: tuple[int, int]
    size: tuple[int, int]
    factors: tuple[float, float]
    origin: tuple[int, int] = (0, 0)
    shift: tuple[float, float] = (0.0, 0.0)
    flip: float | None = None

    @classmethod
    def scaled(cls, part: tuple[int, int], scale: float, origin: tuple[int, int] = (0, 0)) -> "View":
        """All of a part at `scale` times its size. Sides are whole pixels, so that each has a factor of its own.

        As the original scales the joints it trains on, what is at x is seen at factor * x.
        """
        size = scaled_size(part, scale)
        return cls(part, size, (size[1] / part[1], size[0] / part[0]), origin)

    def from_corners(self) -> "View":
        """The same view, with points counted as resizing counts pixels: each is the square around its point."""
        return self._replace(shift=tuple((factor - 1) / 2 for factor in self.factors))

    def image(self, image: np.ndarray) -> np.ndarray:
        """The part of the image, uint8 (H, W, 3), at its size; not flipped."""
        x, y = self.origin
        return resize_image(image[y : y + self.part[0], x : x + self.part[1]], self.size)

    def points(self, points: np.ndarray) -> np.ndarray:
        """Where points (..., 2) x, y of the image are seen."""
        seen = (points - np.array(self.origin)) * self.factors + self.shift
        return seen if self.flip is None else np.stack([self.flip - seen[..., 0], seen[..., 1]], axis=-1)

    def back(self, points: np.ndarray) -> np.ndarray:
        """Where in the image points (..., 2) x, y are that were seen here."""
        if self.flip is not None:
            points = np.stack([self.flip - points[..., 0], points[..., 1]], axis=-1)
        return (points - np.array(self.shift)) / self.factors + self.origin

    def keypoints_back(self, keypoints: np.ndarray) -> np.ndarray:
        """Keypoints (..., J, 3) x, y, confidence seen here, in pixels of the image; missing ones stay all 0."""
        back = np.concatenate([self.back(keypoints[..., :2]), keypoints[..., 2:]], axis=-1)
        return np.where(keypoints[..., 2:] > 0, back, 0)

    def reduction(self, scale: float) -> Reduction | None:
        """Set if the part should have been scaled by `scale`, or left as it is, and is seen at less than half that.

        Then people who are easily seen in the image may be lost.
        """
        return Reduction(self.part, self.size) if max(self.factors) < min(scale, 1) / 2 else None


def fitting_scale(size: tuple[int, int], scale: float, max_input_size: int) -> float:
    """`scale`, reduced as needed to keep height x width within the square of `max_input_size`."""
    height, width = size
    return min(scale, max_input_size / (height * width) ** 0.5)


def network_view(cfg, size: tuple[int, int]) -> View:
    """How the network sees an image of this (height, width): `global_scale`, at most `max_input_size` squared."""
    return View.scaled(size, fitting_scale(size, cfg.global_scale, cfg.max_input_size))
