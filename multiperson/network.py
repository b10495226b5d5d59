"""The interface of a network for prediction, whatever it runs in."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from easydict import EasyDict

from dataset.skeleton import from_config
from multiperson.tta import FLIP, average_maps
from util.maps import Maps


class Network(ABC):
    """Computes the maps of images."""

    def __init__(self, cfg: EasyDict):
        self.cfg = cfg
        self.mirror_map = None
        if FLIP in cfg.tta:
            skeleton = from_config(cfg)
            skeleton.require_sides(cfg.config_file, "tta: [flip]")
            self.mirror_map = skeleton.mirror_map

    def maps(self, image: np.ndarray) -> Maps:
        """The maps of a uint8 (H, W, 3) RGB image in that image's pixels, averaged over the views of `cfg.tta`.

        `pairwise` is a function of cells (see util.maps.Maps).
        """
        return self.maps_of_batch([image])[0]

    def maps_of_batch(self, images: Sequence[np.ndarray]) -> list[Maps]:
        """The maps of images of one size, as `maps` gives them for each."""
        if self.cfg.tta:
            return average_maps(self._maps_of, images, self.cfg, self.mirror_map)
        return self._maps_of(images)

    @abstractmethod
    def _maps_of(self, images: Sequence[np.ndarray]) -> list[Maps]:
        """The maps of one view of each image; the views have one size."""
