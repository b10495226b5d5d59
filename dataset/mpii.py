"""MPII, single person: a `dataset.mat` with one crop per person and 14 joints."""

from dataset.pose_dataset import PoseDataset
from dataset.skeleton import MPII as SKELETON
from dataset.skeleton import agreed


class MPII(PoseDataset):
    """As PoseDataset, with MPII's skeleton."""

    # The original's MPII variant counts pixels from 1 and so maps x to width - x.
    mirror_offset = 0

    def _take_skeleton(self) -> None:
        self.skeleton = agreed(self.cfg, SKELETON, "dataset_type mpii")
