"""From images to their people: what a loaded model gives for one image, and for many in a row.

model = load_model("models/demo")
result = model("photo.jpg")
for image, result in model.stream(["a.jpg", "b.jpg"]):
    result.people, result.as_dict(), result.draw(image)
"""

import logging
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
from easydict import EasyDict

from dataset.skeleton import Skeleton
from multiperson.predict import People, SpatialModel, named_joints, predict_people
from multiperson.visualize import PersonDraw
from nnet.network import Network
from util.ahead import starmap_ahead
from util.errors import InputError
from util.images import read_image
from util.maps import Maps, check_maps
from util.view import Reduction, View, network_view

READERS = 2  # threads that decode images while the network is busy

# A path, uint8 RGB (H, W, 3), or a pair of anything that identifies the image and one of these.
Source = Any


@dataclass(frozen=True)
class PoseResult:
    """The people of one image.

    people: in pixels of the image, the best first
    image_size: (height, width)
    network_seconds: from pixels to maps, resizing included, images of a batch alike; grouping_seconds: from maps to
        people
    reduction: set if `max_input_size` made the network see the image at less than half its size
    min_confidence: joints with less are neither drawn nor named
    maps: of the one person, and view: how the network saw the image; None for several people
    source: what the image was called in `Estimator.stream`
    """

    people: People
    skeleton: Skeleton
    image_size: tuple[int, int]
    network_seconds: float
    grouping_seconds: float
    reduction: Reduction | None = None
    min_confidence: float = 0.0
    maps: Maps | None = None
    view: View | None = None
    source: Source = None

    @property
    def sure_keypoints(self) -> np.ndarray:
        """(K, J, 3) x, y, confidence; all 0 where that is below `min_confidence`."""
        keypoints = self.people.keypoints
        return np.where(keypoints[..., 2:] >= self.min_confidence, keypoints, 0)

    def as_dict(self) -> dict[str, Any]:
        """The result in plain Python types, for JSON; missing joints are left out."""
        names = self.skeleton.keypoints
        return {
            "height": self.image_size[0],
            "width": self.image_size[1],
            "people": [
                {"score": round(score, 4), "keypoints": named_joints(names, keypoints)}
                for keypoints, score in zip(self.sure_keypoints, self.people.score.tolist(), strict=True)
            ],
            "network_seconds": round(self.network_seconds, 4),
            "grouping_seconds": round(self.grouping_seconds, 4),
        }

    def draw(self, image: np.ndarray, ids: Sequence[int] | None = None) -> np.ndarray:
        """A copy of the image, uint8 (H, W, 3), with the people on it; small images are enlarged.

        ids: a number for each person that decides the colour (default: the person's rank)
        """
        people = self.people._replace(keypoints=self.sure_keypoints)
        return PersonDraw(self.skeleton.limbs).draw(image, people, ids)


class Estimator(ABC):
    """A loaded model. It keeps no state between calls, so threads may share it."""

    cfg: EasyDict
    skeleton: Skeleton
    network: Network | None

    def __call__(self, image: np.ndarray | str | os.PathLike) -> PoseResult:
        """The people in an image: uint8 RGB (H, W, 3), or the path of a file. Raises InputError for a bad file."""
        return self.estimate([image if isinstance(image, np.ndarray) else read_image(image)])[0]

    @abstractmethod
    def estimate(self, images: Sequence[np.ndarray]) -> list[PoseResult]:
        """The people in each of several images of one size, uint8 RGB (H, W, 3), which the network sees together."""

    def stream(
        self,
        sources: Iterable[Source],
        skipped: Callable[[Source, InputError], None] | None = None,
        find: Callable[[Source, np.ndarray], PoseResult] | None = None,
    ) -> Iterator[tuple[np.ndarray, PoseResult]]:
        """Image and result of each source, in order; threads read and compute ahead while the caller uses the last.

        sources: paths, images, or (name, path or image)
        skipped: called with the name and the reason for each file that cannot be read; by default these are named in
            the log, and InputError is raised if they are all
        find: gives the result of a name and an image in place of the model itself
        Up to `cfg.predict_batch` images in a row go through the network together, if they have one size.
        """

        def results(*batch: tuple[Source, np.ndarray]) -> list[tuple[np.ndarray, PoseResult]]:
            names, images = zip(*batch, strict=True)
            found = [find(name, image) for name, image in batch] if find else self.estimate(images)
            named = (replace(result, source=name) for name, result in zip(names, found, strict=True))
            return list(zip(images, named, strict=True))

        size = 1 if find else self.cfg.predict_batch
        with ThreadPoolExecutor(READERS) as readers, ThreadPoolExecutor(1) as network:
            images = _readable(_read_ahead(readers, map(_named, sources)), skipped)
            for batch in starmap_ahead(network, results, _batches(images, size), ahead=2):
                yield from batch


def _readable(
    images: Iterable[tuple[Source, np.ndarray | InputError]], skipped: Callable[[Source, InputError], None] | None
) -> Iterator[tuple[Source, np.ndarray]]:
    """The images that could be read; the others go to `skipped`, or into the log. Raises InputError if that is all."""
    count, faults, unsaid = 0, [], []
    for count, (name, image) in enumerate(images, start=1):
        if not isinstance(image, InputError):
            yield name, image
        elif skipped:
            skipped(name, image)
        else:
            faults.append(image)
            unsaid.append(image)
        # The only file is an error at the end, and no warning.
        while count > 1 and unsaid:
            logging.warning("skipped %s", unsaid.pop(0))
    if unsaid:
        raise unsaid[0]
    if faults and len(faults) == count:
        raise InputError(f"none of the {count} images can be read; the first: {faults[0]}")


def _named(source: Source) -> tuple[Source, Source]:
    """Name and content of a source."""
    return source if isinstance(source, tuple) else (None if isinstance(source, np.ndarray) else source, source)


def _read_ahead(
    pool: ThreadPoolExecutor, sources: Iterable[tuple[Source, Source]]
) -> Iterator[tuple[Source, np.ndarray | InputError]]:
    """Name and image of each (name, path or image); files are read ahead, a camera's next image is not waited for."""
    for is_image, group in groupby(sources, lambda named: isinstance(named[1], np.ndarray)):
        if is_image:
            yield from group
        else:
            yield from starmap_ahead(pool, _read, group, ahead=2 * READERS)


def _read(name: Source, path: str | os.PathLike) -> tuple[Source, np.ndarray | InputError]:
    try:
        return name, read_image(path)
    except InputError as error:
        return name, error


def _batches(images: Iterable[tuple[Source, np.ndarray]], size: int) -> Iterator[list[tuple[Source, np.ndarray]]]:
    """Up to `size` of (name, image) in a row whose images have one shape; a full batch does not wait for the next."""
    batch = []
    for name, image in images:
        if batch and batch[0][1].shape != image.shape:
            yield batch
            batch = []
        batch.append((name, image))
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def require_rgb(image: np.ndarray) -> None:
    """Raise ValueError for anything but an RGB image."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(f"expected an RGB image, uint8 (H, W, 3), found {image.dtype} {image.shape}")


class PoseEstimator(Estimator):
    """Finds all people in an image."""

    def __init__(self, network: Network | None, spatial_model: SpatialModel, cfg: EasyDict):
        """network: None where only `group` is wanted"""
        self.network, self.spatial_model, self.cfg = network, spatial_model, cfg
        self.skeleton = spatial_model.skeleton

    def estimate(self, images: Sequence[np.ndarray]) -> list[PoseResult]:
        require_rgb(images[0])
        if self.network is None:
            raise InputError(
                f"{self.cfg.config_file}: cached_scoremaps is set: there is no network for an image; "
                "only tools/predict_multiperson.py groups from the cache"
            )
        started = time.perf_counter()
        size = images[0].shape[:2]
        view = network_view(self.cfg, size)
        batch = self.network.maps_of_batch([view.image(image) for image in images])
        seconds = (time.perf_counter() - started) / len(images)
        return [self.group(maps, size, seconds) for maps in batch]

    def group(self, maps: Maps, image_size: tuple[int, int], network_seconds: float = 0.0) -> PoseResult:
        """The people of an image of `image_size` (H, W) from its maps.

        Raises ValueError for maps of other joints than the model's or of unequal sizes, and for an empty image.
        """
        check_maps(maps, self.skeleton.num_joints)
        if min(image_size) < 1:
            raise ValueError(f"expected the height and width of an image, found {image_size}")
        started = time.perf_counter()
        people = predict_people(self.spatial_model, self.cfg, maps)
        seconds = time.perf_counter() - started
        view = network_view(self.cfg, image_size)
        people = people._replace(keypoints=view.keypoints_back(people.keypoints))
        reduction = view.reduction(self.cfg.global_scale)
        return PoseResult(people, self.skeleton, image_size, network_seconds, seconds, reduction)
