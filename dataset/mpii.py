"""MPII, single person: a `dataset.mat` with one crop per person and 14 joints."""

from dataset.pose_dataset import PoseDataset
from dataset.skeleton import MPII as SKELETON
from dataset.skeleton import Skeleton
from util.errors import InputError


class MPII(PoseDataset):
    """As PoseDataset, with MPII's skeleton."""

    # The original's MPII variant counts pixels from 1 and so maps x to width - x.
    mirror_offset = 0

    def _own_skeleton(self) -> Skeleton:
        if self.cfg.num_joints not in (None, SKELETON.num_joints):
            raise InputError(f"{self.cfg.config_file}: num_joints is {self.cfg.num_joints}, but dataset_type mpii has "
                             f"{SKELETON.num_joints} joints; own joints are for dataset_type default")  # fmt: skip
        return SKELETON
