"""People as a table, for spreadsheets and pandas: a CSV file with a line per person and frame.

    file,frame,seconds,person,score,neck_x,neck_y,neck_confidence,head_top_x,...

file: the picture, or the clip; frame, seconds: position in a clip, from 0, empty for a picture; person: identifies
somebody throughout a clip, and is 0 for the best in a picture; score: mean confidence over all joints. The joints are
in pixels of the picture; a missing joint leaves its three cells empty.
"""

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from multiperson.predict import People
from util.files import atomic_path


@contextmanager
def people_table(path: str | os.PathLike, joint_names: Sequence[str]) -> Iterator[Callable[..., None]]:
    """A function add(file, people, ids=None, frame="", seconds="") that writes the lines of the people of one image.

    ids: a number for each person (default: the rank). The table appears whole when the block ends without an error.
    Raises InputError if it cannot be written.
    """
    with (
        atomic_path(path) as temporary,
        open(temporary, "w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        columns = [f"{name}_{what}" for name in joint_names for what in ("x", "y", "confidence")]
        writer.writerow(["file", "frame", "seconds", "person", "score", *columns])

        def add(
            file: str | os.PathLike,
            people: People,
            ids: Sequence[int] | None = None,
            frame: int | str = "",
            seconds: float | str = "",
        ) -> None:
            ids = range(len(people.score)) if ids is None else ids
            for person, score, joints in zip(ids, people.score.tolist(), people.keypoints.tolist(), strict=True):
                cells = [cell for joint in joints for cell in _joint_cells(*joint)]
                writer.writerow([file, frame, seconds, person, round(score, 4), *cells])

        yield add


def _joint_cells(x, y, confidence):
    return (round(x, 2), round(y, 2), round(confidence, 4)) if confidence > 0 else ("", "", "")
