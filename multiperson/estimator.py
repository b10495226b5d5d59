"""From an image to its people, in Python:

network = nnet.predict.setup_pose_prediction(cfg)
estimator = PoseEstimator(network, SpatialModel(cfg).load(), cfg)
result = estimator("photo.jpg")
result.people.keypoints, result.people.score, result.as_dict()
"""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from easydict import EasyDict

from multiperson.network import Network
from multiperson.predict import People, SpatialModel, named_joints, predict_people
from util.ahead import starmap_ahead
from util.errors import InputError
from util.images import Reduction, find_reduction, fitting_scale, read_image, resize_image, scaled_size
from util.maps import Maps, check_maps

Label = TypeVar("Label")


@dataclass(frozen=True)
class PoseResult:
    """The people of one image.

    people: in pixels of the image, the best first
    joint_names: J names
    image_size: (height, width)
    network_seconds: from pixels to maps, resizing included, images of a batch alike; grouping_seconds: from maps to
        people
    reduction: set if `max_input_size` made the network see the image at less than half its size
    """

    people: People
    joint_names: tuple[str, ...]
    image_size: tuple[int, int]
    network_seconds: float
    grouping_seconds: float
    reduction: Reduction | None = None

    def as_dict(self) -> dict[str, Any]:
        """The result in plain Python types, for JSON; missing joints are left out."""
        return {
            "height": self.image_size[0],
            "width": self.image_size[1],
            "people": [
                {"score": round(score, 4), "keypoints": named_joints(self.joint_names, keypoints)}
                for keypoints, score in zip(self.people.keypoints, self.people.score.tolist(), strict=True)
            ],
            "network_seconds": round(self.network_seconds, 4),
            "grouping_seconds": round(self.grouping_seconds, 4),
        }


class PoseEstimator:
    """Finds the people in an image; stateless, so threads may share it if they may share the network."""

    def __init__(self, network: Network | None, spatial_model: SpatialModel, cfg: EasyDict):
        """network: None where only `group` is wanted"""
        self.network, self.spatial_model, self.cfg = network, spatial_model, cfg
        self.skeleton = spatial_model.skeleton

    def __call__(self, image: np.ndarray | str | os.PathLike) -> PoseResult:
        """The people in an image: uint8 RGB (H, W, 3), or the path of a file. Raises InputError for a bad file."""
        if not isinstance(image, np.ndarray):
            image = read_image(image)
        return self.estimate_batch([image])[0]

    def estimate_batch(self, images: Sequence[np.ndarray]) -> list[PoseResult]:
        """The people in each of several images of one size, uint8 RGB (H, W, 3), which the network sees together."""
        image = images[0]
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise ValueError(f"expected an RGB image, uint8 (H, W, 3), found {image.dtype} {image.shape}")
        if self.network is None:
            raise InputError(
                f"{self.cfg.config_file}: cached_scoremaps is set: there is no network for an image; "
                "only tools/predict_multiperson.py groups from the cache"
            )
        started = time.perf_counter()
        batch = self.network.maps_of_batch([network_image(self.cfg, image) for image in images])
        seconds = (time.perf_counter() - started) / len(images)
        return [self.group(maps, image.shape[:2], seconds) for maps in batch]

    def group(self, maps: Maps, image_size: tuple[int, int], network_seconds: float = 0.0) -> PoseResult:
        """The people of an image of `image_size` (H, W) from its maps.

        Raises ValueError for maps of other joints than the model's or of unequal sizes, and for an empty image.
        """
        check_maps(maps, self.cfg.num_joints)
        if min(image_size) < 1:
            raise ValueError(f"expected the height and width of an image, found {image_size}")
        started = time.perf_counter()
        people = predict_people(self.spatial_model, self.cfg, maps)
        seconds = time.perf_counter() - started
        # Width and height are truncated separately, so each has its own factor.
        rows, cols = network_size(self.cfg, *image_size)
        people = people._replace(keypoints=people.keypoints * [image_size[1] / cols, image_size[0] / rows, 1])
        reduction = find_reduction(image_size, self.cfg.global_scale, self.cfg.max_input_size)
        return PoseResult(people, self.skeleton.keypoints, image_size, network_seconds, seconds, reduction)


def estimate_ahead(
    estimator: PoseEstimator, images: Iterable[tuple[Label, np.ndarray]]
) -> Iterator[tuple[Label, np.ndarray, PoseResult]]:
    """Label, content and result of each (label, image); a thread computes the next while the caller uses the last.

    Up to `cfg.predict_batch` images in a row go through the network together, if they have one size.
    """

    def estimate(*batch):
        labels, images = zip(*batch, strict=True)
        return zip(labels, images, estimator.estimate_batch(images), strict=True)

    with ThreadPoolExecutor(1, thread_name_prefix="people") as pool:
        for results in starmap_ahead(pool, estimate, _batches(images, estimator.cfg.predict_batch), ahead=2):
            yield from results


def _batches(images: Iterable[tuple[Label, np.ndarray]], size: int) -> Iterator[list[tuple[Label, np.ndarray]]]:
    """Up to `size` of (label, image) in a row whose images have one shape; a full batch does not wait for the next."""
    batch = []
    for label, image in images:
        if batch and batch[0][1].shape != image.shape:
            yield batch
            batch = []
        batch.append((label, image))
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def network_size(cfg: EasyDict, height: int, width: int) -> tuple[int, int]:
    """Size (height, width) at which the network sees an image: `global_scale`, at most `max_input_size` squared."""
    return scaled_size((height, width), fitting_scale((height, width), cfg.global_scale, cfg.max_input_size))


def network_image(cfg: EasyDict, image: np.ndarray) -> np.ndarray:
    """The image, uint8 (H, W, 3), as large as the network sees it."""
    return resize_image(image, network_size(cfg, *image.shape[:2]))
