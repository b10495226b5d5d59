"""A stand-in for a trained network."""

from collections.abc import Callable

import numpy as np

from dataset.model_spec import ModelSpec
from multiperson.simulate import NOISE_LEVELS, simulate_maps
from nnet.network import Network


class SeesPeople(Network):
    """Gives the maps of people whom it knows to be in an image.

    people_in: gives them, (P, J, 3) x, y, flag in pixels of the image that it gets
    noise: one of NOISE_LEVELS
    """

    def __init__(self, cfg, spec: ModelSpec, people_in: Callable[[np.ndarray], np.ndarray], noise: str = "none"):
        super().__init__(cfg, spec)
        self.people_in, self.noise = people_in, NOISE_LEVELS[noise]

    def _maps_of(self, images):
        return [
            simulate_maps(self.people_in(image), *image.shape[:2], self.spec.stride, self.noise) for image in images
        ]
