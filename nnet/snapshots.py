"""The snapshots of a training, <prefix>-<step>, as files in its folder; what is in them is nnet.checkpoint's."""

import os
import re
from pathlib import Path

INDEX, DATA = ".index", ".data-00000-of-00001"


def snapshots(folder: str | os.PathLike, prefix: str) -> dict[int, str]:
    """The complete snapshots <prefix>-<step> in a folder: their paths by step, the oldest first.

    prefix: a path, relative to the folder
    """
    place = Path(folder, prefix)
    pattern = re.compile(re.escape(place.name) + r"-(\d+)\.index")
    found = {}
    for path in place.parent.glob("*.index"):
        match = pattern.fullmatch(path.name)
        if match and Path(f"{path.with_suffix('')}{DATA}").exists():
            found[int(match[1])] = str(path.with_suffix(""))
    return dict(sorted(found.items()))


def latest_snapshot(folder: str | os.PathLike, prefix: str) -> str | None:
    """The path of the newest complete snapshot, without suffix."""
    return next(reversed(snapshots(folder, prefix).values()), None)


def prune_snapshots(folder: str | os.PathLike, prefix: str, keep: int) -> None:
    """Delete the oldest snapshots beyond `keep`."""
    for path in list(snapshots(folder, prefix).values())[:-keep]:
        Path(path + INDEX).unlink(missing_ok=True)
        Path(path + DATA).unlink(missing_ok=True)
