"""Several data sets as one, each with its own scale, and seen as often as its weight says."""

import numpy as np
from easydict import EasyDict

from dataset.pose_dataset import PoseDataset, Table
from util.errors import InputError


class Mixture(PoseDataset):
    """The samples of several data sets, one after the other.

    parts: data sets of the same joints, each made with a configuration of its own
    weights: how often an epoch shows each image of a part; .5 shows half of them, others in every epoch
    Raises InputError if the joints differ.
    """

    def __init__(self, cfg: EasyDict, parts: list[PoseDataset], weights: list[float]):
        self.cfg, self.parts, self.weights = cfg, parts, weights
        self.skeleton = parts[0].skeleton
        for part in parts[1:]:
            if part.skeleton.keypoints != self.skeleton.keypoints:
                raise InputError(f"{cfg.config_file}: mixture: {part.path} has other joints than {parts[0].path}")
        self.table = _joined([part.table for part in parts])
        self.first_images = np.cumsum([0, *map(len, parts)])

    def relative_scale(self, indices: np.ndarray) -> np.ndarray:
        scales = np.array([part.cfg.global_scale / self.cfg.global_scale for part in self.parts])
        return scales[np.searchsorted(self.first_images, indices, side="right") - 1]

    @property
    def epoch_size(self) -> int:
        return sum(round(weight * len(part)) for part, weight in zip(self.parts, self.weights, strict=True))

    def epoch(self, random: np.random.Generator) -> np.ndarray:
        shown = []
        for first, part, weight in zip(self.first_images, self.parts, self.weights, strict=False):
            copies, rest = divmod(round(weight * len(part)), len(part))
            images = np.arange(first, first + len(part))
            shown += [images] * copies + [random.permutation(images)[:rest]]
        return np.concatenate(shown)


def _joined(tables: list[Table]) -> Table:
    people_before = np.cumsum([0, *(len(table.people) for table in tables)])
    images_before = np.cumsum([0, *(len(table.images) for table in tables)])
    boxes = None
    if all(table.boxes is not None for table in tables):
        boxes = np.concatenate([table.boxes for table in tables])
    return Table(
        images=[image for table in tables for image in table.images],
        ids=[name for table in tables for name in table.ids],
        sizes=np.concatenate([table.sizes for table in tables]),
        first=np.concatenate(
            [[0], *(table.first[1:] + before for table, before in zip(tables, people_before, strict=False))]
        ),
        people=np.concatenate([table.people for table in tables]),
        boxes=boxes,
        ignore={
            image + before: regions
            for table, before in zip(tables, images_before, strict=False)
            for image, regions in table.ignore.items()
        },
    )
