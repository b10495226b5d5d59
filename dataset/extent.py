"""The boxes around people's joints."""

import numpy as np


def joint_extent(people: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest x, y, each (P, 2), of the labelled joints of people (P, J, 3: x, y, flag).

    inf and -inf for people without any.
    """
    labelled = people[..., 2:] > 0
    low = np.where(labelled, people[..., :2], np.inf).min(axis=1, initial=np.inf)
    high = np.where(labelled, people[..., :2], -np.inf).max(axis=1, initial=-np.inf)
    return low, high
