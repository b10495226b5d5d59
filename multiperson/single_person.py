"""One person in an image, or in a box of it.

Each joint is at the best cell of its map; where the network predicts offsets between joints, at the peak of its map
that agrees best with the other joints.
"""

import time
from collections.abc import Sequence

import numpy as np
from easydict import EasyDict

from dataset.extent import joint_extent
from multiperson.detections import Detections, Nodes, extract_detections, flatten
from multiperson.estimator import Estimator, PoseResult, require_rgb
from multiperson.predict import People
from nnet.network import Network
from util.maps import argmax_pose_predict
from util.view import View, fitting_scale

# The detections of a joint to choose from.
MIN_CONFIDENCE, CANDIDATES = 0.02, 8
# What two joints cost of which one does not expect the other where it is, beside -log of each one's confidence: so much
# for each reach (Nodes.reach) of distance, up to a limit. The best of eight pairs of values on 500 photos of LSPET that
# the demo's model was trained on.
COST_OF_REACH, COST_LIMIT = 0.5, 0.4
# More than any pose takes: one to four on these photos.
MAX_SWEEPS = 50


# The margin around a box, as a share of its longer side.
PAD = 0.1


class SinglePersonEstimator(Estimator):
    """For images or boxes that show exactly one person, or where only one counts."""

    def __init__(self, network: Network, cfg: EasyDict):
        self.network, self.cfg, self.skeleton = network, cfg, network.spec.skeleton
        self._candidates = type(cfg)(cfg, det_min_score=MIN_CONFIDENCE)
        self._joined = np.zeros((self.skeleton.num_joints,) * 2, bool)
        for a, b in self.skeleton.edges(cfg):
            self._joined[a, b] = self._joined[b, a] = True

    def estimate(self, images: Sequence[np.ndarray]) -> list[PoseResult]:
        return [self.in_boxes(image, [None]) for image in images]

    def in_boxes(self, image: np.ndarray, boxes: Sequence, pad: float = PAD, side: float | None = None) -> PoseResult:
        """The person in each box (x0, y0, x1, y1; None: all of it) of a uint8 RGB image (H, W, 3), in their order.

        pad: the box grows by this share of its longer side on each side, within the image
        side: scale the box's longer side to this many pixels for the network; by default `global_scale` applies
        `maps` and `view` of the result are those of the last box.
        """
        require_rgb(image)
        started, decoding = time.perf_counter(), 0.0
        poses, maps, view, reduction = [], None, None, None
        for box in boxes:
            view, scale = self._view(image.shape[:2], box, pad, side)
            maps = self.network.maps(np.ascontiguousarray(view.image(image)))
            began = time.perf_counter()
            poses.append(view.keypoints_back(self._pose(maps)))
            decoding += time.perf_counter() - began
            reduction = reduction or view.reduction(scale)
        seconds = time.perf_counter() - started - decoding
        people = People.of(np.reshape(poses, (-1, self.skeleton.num_joints, 3)))
        return PoseResult(
            people,
            self.skeleton,
            image.shape[:2],
            seconds,
            decoding,
            reduction,
            min_confidence=self.cfg.scmap_threshold,
            maps=None if maps is None else maps._replace(pairwise=None),
            view=view,
        )

    def _view(self, size, box, pad, side) -> tuple[View, float]:
        """How the network sees a box, and the scale that was asked for."""
        box = (0, 0, size[1], size[0]) if box is None else box
        longer = max(box[2] - box[0], box[3] - box[1], 1)
        rows, cols = padded_window(box, pad * longer, size)
        part = rows.stop - rows.start, cols.stop - cols.start
        scale = self.cfg.global_scale if side is None else side / longer
        return View.scaled(part, fitting_scale(part, scale, self.cfg.max_input_size), (cols.start, rows.start)), scale

    def _pose(self, maps) -> np.ndarray:
        """(J, 3) in the network's pixels."""
        pose = argmax_pose_predict(maps.part_prob, maps.locref, maps.stride)
        if maps.pairwise is None:
            return pose
        return agreeing_pose(pose, extract_detections(self._candidates, maps), self._joined)


def padded_window(box: Sequence[float], margin: float, size: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of `box` (x0, y0, x1, y1), `margin` pixels wider on each side, inside of size = (H, W)."""
    bounds = []
    for low, high, end in zip(box[:2], box[2:], size[::-1], strict=True):
        first = int(np.clip(np.floor(low - margin), 0, end - 1))
        bounds.append(slice(first, max(first + 1, int(min(np.ceil(high + margin), end)))))
    return bounds[1], bounds[0]


def agreeing_pose(pose: np.ndarray, detections: Detections, joined: np.ndarray) -> np.ndarray:
    """The pose (J, 3) with each joint at that of its best detections that agrees best with the other joints.

    Minimises -log(confidence) of all joints and the disagreement of all pairs of them. Each part's surest detection
    starts a pose, with the other joints where that expects them; then joint after joint moves to its best place, until
    none does (iterated conditional modes, Besag 1986). The best of these poses is the result.
    joined: (J, J) bool, the pairs that count
    Joints without a detection stay where they are in `pose`.
    """
    nodes = flatten(Detections(*([values[:CANDIDATES] for values in part] for part in detections)))
    first = np.searchsorted(nodes.part, np.arange(len(pose) + 1)).tolist()
    parts = [slice(start, end) for start, end in zip(first[:-1], first[1:], strict=True) if end > start]
    if not parts:
        return pose
    unary, cost = -np.log(nodes.conf), _disagreement(nodes, joined)

    starts = [part.start for part in parts]
    poses = np.stack([part.start + (unary[part] + cost[starts, part]).argmin(axis=1) for part in parts], axis=1)
    for _ in range(MAX_SWEEPS):
        before = poses.copy()
        for column, part in enumerate(parts):
            poses[:, column] = part.start + (unary[part] + cost[poses, part].sum(axis=1)).argmin(axis=1)
        if np.array_equal(poses, before):
            break
    energy = unary[poses].sum(axis=1) + cost[poses[:, :, None], poses[:, None]].sum(axis=(1, 2)) / 2
    best = poses[energy.argmin()]

    agreeing = pose.copy()
    agreeing[nodes.part[best]] = np.column_stack([nodes.coord[best], nodes.conf[best]])
    return agreeing


def _disagreement(nodes: Nodes, joined: np.ndarray) -> np.ndarray:
    """The cost of each pair of detections (N, N), symmetric; 0 where the parts are not joined."""
    miss = np.linalg.norm(nodes.expected_joints()[:, nodes.part] - nodes.coord, axis=2) / nodes.reach()[:, None]
    cost = np.minimum(COST_OF_REACH * miss, COST_LIMIT) * joined[nodes.part[:, None], nodes.part]
    return (cost + cost.T) / 2


def person_boxes(boxes: np.ndarray | None, people: np.ndarray) -> list:
    """A box (x0, y0, x1, y1) for each of people (P, J, 3): the data set's, or else the one around the joints.

    None (the whole image) for a single person without a box.
    """
    if boxes is not None:
        return boxes.tolist()
    if len(people) <= 1:
        return [None] * len(people)
    return np.hstack(joint_extent(people)).tolist()
