"""The interface of a network for prediction, whatever it runs in."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from easydict import EasyDict

from dataset.model_spec import ModelSpec
from nnet.tta import FLIP, average_maps
from util.maps import Maps


class Network(ABC):
    """Computes the maps of images. spec: what it is"""

    def __init__(self, cfg: EasyDict, spec: ModelSpec):
        self.cfg, self.spec = cfg, spec
        if FLIP in cfg.tta:
            spec.skeleton.require_sides(cfg.config_file, "tta: [flip]")

    def maps(self, image: np.ndarray) -> Maps:
        """The maps of a uint8 (H, W, 3) RGB image in that image's pixels, averaged over the views of `cfg.tta`.

        `pairwise` is a function of cells (see util.maps.Maps).
        """
        return self.maps_of_batch([image])[0]

    def maps_of_batch(self, images: Sequence[np.ndarray]) -> list[Maps]:
        """The maps of images of one size, as `maps` gives them for each."""
        if self.cfg.tta:
            return average_maps(self._maps_of, images, self.cfg, self.spec)
        return self._maps_of(images)

    @abstractmethod
    def _maps_of(self, images: Sequence[np.ndarray]) -> list[Maps]:
        """The maps of one view of each image; the views have one size."""
