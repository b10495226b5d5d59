"""The data set of a configuration."""

from dataset.mixture import Mixture
from dataset.mpii import MPII
from dataset.mscoco import MSCOCO
from dataset.pose_dataset import PoseDataset
from dataset.skeleton import Skeleton

TYPES = {"default": PoseDataset, "coco": MSCOCO, "mpii": MPII}


def create(cfg, need_images: bool = True, skeleton: Skeleton | None = None) -> PoseDataset:
    """The data set of `cfg.dataset_type`, or those of `cfg.mixture`; need_images=False if only annotations matter.

    skeleton: of a model, whose joints the data must have
    Raises InputError if it cannot be read.
    """
    if not cfg.mixture:
        return TYPES[cfg.dataset_type](cfg, need_images, skeleton)
    configs = [type(cfg)({**cfg, **part, "mixture": []}) for part in cfg.mixture]
    parts = [create(part, need_images, skeleton) for part in configs]
    return Mixture(cfg, parts, [part.get("weight", 1.0) for part in cfg.mixture])
