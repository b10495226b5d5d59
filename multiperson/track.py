"""Tracking: people keep their identity from frame to frame; each new pose goes to the track that expects it nearest."""

from dataclasses import dataclass

import numpy as np

from multiperson.predict import People

# The share of the last step in a new velocity; the rest smooths the jitter of the joints.
VELOCITY_GAIN = 0.5
# More than any sum of allowed distances.
FORBIDDEN = 1e6


@dataclass
class Track:
    """One person, as tracked so far.

    keypoints: (J, 3), each joint as it was last seen, moved along since; confidence 0: never seen
    velocity: (2,) pixels a frame; unseen: frames since the person was last found
    """

    identity: int
    keypoints: np.ndarray
    velocity: np.ndarray
    unseen: int = 0

    def expect(self) -> None:
        """Move on to the next frame."""
        self.keypoints[:, :2] += self.velocity
        self.unseen += 1

    def follow(self, keypoints: np.ndarray) -> None:
        """Take the pose that was found where this person was expected."""
        both = (self.keypoints[:, 2] > 0) & (keypoints[:, 2] > 0)
        error = np.median(keypoints[both, :2] - self.keypoints[both, :2], axis=0)
        self.velocity = self.velocity + VELOCITY_GAIN * error / self.unseen
        self.keypoints[:, :2] += error  # hidden joints move along
        found = keypoints[:, 2] > 0
        self.keypoints[found] = keypoints[found]
        self.unseen = 0


class Tracker:
    """Identities for the people of successive frames, counted from 0.

    A person is expected where their motion would have taken them; poses and tracks are matched so that the sum of
    their distances is least.

    max_distance: in sizes of the person (see `pose_distance`); a pose farther away is somebody else
    max_gap: frames for which a person may be missing and still be recognised
    """

    def __init__(self, max_distance: float = 0.3, max_gap: int = 15):
        self.max_distance, self.max_gap = max_distance, max_gap
        self.tracks: list[Track] = []
        self._count = 0

    def update(self, people: People) -> list[int]:
        """The identity of each of the people in the next frame."""
        for track in self.tracks:
            track.expect()
        identities = []
        matches = self._match(people.keypoints)
        for number, keypoints in enumerate(people.keypoints):
            if number in matches:
                track = matches[number]
                track.follow(keypoints)
            else:
                track = self._start(keypoints)
            identities.append(track.identity)
        self.tracks = [track for track in self.tracks if track.unseen <= self.max_gap]
        return identities

    def _match(self, poses):
        """The matched tracks, by the number of the pose."""
        if not len(poses) or not self.tracks:
            return {}
        from scipy.optimize import linear_sum_assignment  # a fifth of a second, which pictures need not wait for

        distance = np.array([[pose_distance(track.keypoints, pose) for track in self.tracks] for pose in poses])
        cost = np.where(distance <= self.max_distance, distance, FORBIDDEN)
        pairs = np.transpose(linear_sum_assignment(cost)).tolist()
        return {pose: self.tracks[track] for pose, track in pairs if cost[pose, track] < FORBIDDEN}

    def _start(self, keypoints):
        track = Track(self._count, np.array(keypoints, float), np.zeros(2))
        self._count += 1
        self.tracks.append(track)
        return track


def pose_distance(pose: np.ndarray, other: np.ndarray) -> float:
    """Mean distance of the joints that two poses (J, 3) share, in diagonals of the larger one's box; inf without any.

    Joints of confidence 0 are missing.
    """
    both = (pose[:, 2] > 0) & (other[:, 2] > 0)
    if not both.any():
        return np.inf
    size = max(np.hypot(*np.ptp(keypoints[keypoints[:, 2] > 0, :2], axis=0)) for keypoints in (pose, other))
    return np.linalg.norm(pose[both, :2] - other[both, :2], axis=1).mean() / max(size, 1)
