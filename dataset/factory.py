"""The data set of a configuration."""

from dataset.mixture import Mixture
from dataset.mpii import MPII
from dataset.mscoco import MSCOCO
from dataset.pose_dataset import PoseDataset

TYPES = {"default": PoseDataset, "coco": MSCOCO, "mpii": MPII}


def create(cfg, need_images: bool = True) -> PoseDataset:
    """The data set of `cfg.dataset_type`, or those of `cfg.mixture`; need_images=False if only annotations matter.

    Raises InputError if it cannot be read.
    """
    if not cfg.mixture:
        return TYPES[cfg.dataset_type](cfg, need_images)
    configs = [type(cfg)({**cfg, **part, "mixture": []}) for part in cfg.mixture]
    parts = [create(part, need_images) for part in configs]
    return Mixture(cfg, parts, [part.get("weight", 1.0) for part in cfg.mixture])
