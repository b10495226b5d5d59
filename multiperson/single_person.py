"""One person in an image, or in a box of it.

Each joint is at the best cell of its map; where the network predicts offsets between joints, at the peak of its map
that agrees best with the other joints.

For example:

    from config import load_config
    from nnet.load import build_single_estimator

    estimator = build_single_estimator(load_config("models/demo/pose_cfg.yaml"))
    keypoints = estimator(image).keypoints
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from easydict import EasyDict

from dataset.extent import joint_extent
from dataset.skeleton import from_config
from multiperson.detections import Detections, Nodes, extract_detections, flatten
from multiperson.network import Network
from util.images import Reduction, find_reduction, fitting_scale, scale_image
from util.maps import STRIDE, cell_centers

# The detections of a joint to choose from.
MIN_CONFIDENCE, CANDIDATES = 0.02, 8
# What two joints cost of which one does not expect the other where it is, beside -log of each one's confidence: so much
# for each reach (Nodes.reach) of distance, up to a limit. The best of eight pairs of values on 500 photos of LSPET that
# the demo's model was trained on.
COST_OF_REACH, COST_LIMIT = 0.5, 0.4
# More than any pose takes: one to four on these photos.
MAX_SWEEPS = 50


class SinglePose(NamedTuple):
    """One person.

    keypoints: (J, 3) x, y in pixels of the whole image, confidence
    image: what the network saw, uint8; part_prob: (h, w, J) its maps; network_keypoints: (J, 3) in its pixels
    reduction: set if it saw the image, or the box, at less than half its size, because of `max_input_size`
    """

    keypoints: np.ndarray
    image: np.ndarray
    part_prob: np.ndarray
    network_keypoints: np.ndarray
    reduction: Reduction | None = None


class SinglePersonEstimator:
    """For images or boxes that show exactly one person, or where only one counts."""

    def __init__(self, network: Network, cfg: EasyDict):
        self.network, self.cfg, self.skeleton = network, cfg, from_config(cfg)
        self._candidates = type(cfg)(cfg, det_min_score=MIN_CONFIDENCE)
        self._joined = np.zeros((cfg.num_joints, cfg.num_joints), bool)
        for a, b in self.skeleton.edges(cfg.sparse_graph):
            self._joined[a, b] = self._joined[b, a] = True

    def __call__(
        self, image: np.ndarray, box: Sequence[float] | None = None, pad: float = 0.1, side: float | None = None
    ) -> SinglePose:
        """The person in uint8 RGB (H, W, 3), or in `box` (x0, y0, x1, y1) of it.

        pad: the box grows by this share of its longer side on each side, within the image
        side: scale the box's longer side to this many pixels for the network; by default `global_scale` applies
        """
        height, width = image.shape[:2]
        box = (0, 0, width, height) if box is None else box
        longer = max(box[2] - box[0], box[3] - box[1], 1)
        rows, cols = padded_window(box, pad * longer, (height, width))
        part = image[rows, cols]
        scale = self.cfg.global_scale if side is None else side / longer
        limit = self.cfg.max_input_size
        scaled = scale_image(part, fitting_scale(part.shape[:2], scale, limit))
        maps = self.network.maps(np.ascontiguousarray(scaled))
        pose = argmax_pose_predict(maps.part_prob, maps.locref, self.cfg.stride)
        if maps.pairwise is not None:
            pose = agreeing_pose(pose, extract_detections(self._candidates, maps), self._joined)
        # Width and height are truncated separately, so each has its own factor.
        factors = [part.shape[1] / scaled.shape[1], part.shape[0] / scaled.shape[0], 1]
        return SinglePose(
            pose * factors + [cols.start, rows.start, 0],
            scaled,
            maps.part_prob,
            pose,
            find_reduction(part.shape[:2], scale, limit),
        )


def padded_window(box: Sequence[float], margin: float, size: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of `box` (x0, y0, x1, y1), `margin` pixels wider on each side, inside of size = (H, W)."""
    bounds = []
    for low, high, end in zip(box[:2], box[2:], size[::-1], strict=True):
        first = int(np.clip(np.floor(low - margin), 0, end - 1))
        bounds.append(slice(first, max(first + 1, int(min(np.ceil(high + margin), end)))))
    return bounds[1], bounds[0]


def argmax_pose_predict(scmap: np.ndarray, offmat: np.ndarray | None, stride: float = STRIDE) -> np.ndarray:
    """Single-person decoding: x, y and score of the best cell of each part, (J, 3).

    scmap: (h, w, J); offmat: (h, w, J, 2) offsets in pixels, or None
    """
    height, width, joints = scmap.shape
    best = scmap.reshape(-1, joints).argmax(axis=0)
    cells = np.stack(np.unravel_index(best, (height, width)), axis=1)
    rows, cols = cells.T
    position = cell_centers(cells, stride)
    if offmat is not None:
        position = position + offmat[rows, cols, np.arange(joints)]
    return np.column_stack([position, scmap[rows, cols, np.arange(joints)]])


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
