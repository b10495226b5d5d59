"""The data set that a configuration names."""

from dataset.mpii import MPII
from dataset.mscoco import MSCOCO
from dataset.pose_dataset import PoseDataset

TYPES = {"default": PoseDataset, "coco": MSCOCO, "mpii": MPII}


def create(cfg, need_images: bool = True) -> PoseDataset:
    """The data set of `cfg.dataset_type`; need_images=False where only the annotations count.

    Raises InputError when it cannot be read.
    """
    return TYPES[cfg.dataset_type](cfg, need_images)
