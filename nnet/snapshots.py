"""Checkpoints as pairs of files, and the snapshots of a training, <prefix>-<step>; nnet.checkpoint reads them.

A checkpoint is complete when both its index and its data exist. While one replaces another of the same prefix, the
earlier one is kept as .<prefix>.earlier, which counts as long as the prefix has no index: a process may be killed at
any moment, and one of the two is complete.
"""

import glob
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from config import checkpoint_prefix
from nnet.errors import tensorflow_path
from util.errors import InputError
from util.published import fetching_hint

INDEX, DATA = ".index", ".data-00000-of-00001"
EARLIER = ".earlier"


def snapshots(folder: str | os.PathLike, prefix: str) -> dict[int, str]:
    """The complete snapshots <prefix>-<step> in a folder: their paths by step, the oldest first.

    prefix: a path, relative to the folder
    """
    place = Path(folder, prefix)
    pattern = re.compile(re.escape(place.name) + r"-(\d+)\.index")
    found = {}
    for path in place.parent.glob("*.index"):
        match = pattern.fullmatch(path.name)
        if match and is_complete(path.with_suffix("")):
            found[int(match[1])] = str(path.with_suffix(""))
    return dict(sorted(found.items()))


def latest_snapshot(folder: str | os.PathLike, prefix: str) -> str | None:
    """The path of the newest complete snapshot, without suffix."""
    return next(reversed(snapshots(folder, prefix).values()), None)


def prune_snapshots(folder: str | os.PathLike, prefix: str, keep: int) -> None:
    """Delete the oldest snapshots beyond `keep`."""
    for path in list(snapshots(folder, prefix).values())[:-keep]:
        _remove(path)


def is_complete(prefix: str | os.PathLike) -> bool:
    return all(os.path.exists(f"{prefix}{suffix}") for suffix in (INDEX, DATA))


def replace_checkpoint(prefix: str | os.PathLike, new: str | os.PathLike) -> None:
    """Rename the checkpoint `new` to `prefix`, replacing any checkpoint of that name."""
    earlier = _earlier(prefix)
    if is_complete(prefix):
        _remove(earlier)
        for suffix in (DATA, INDEX):
            _link(f"{prefix}{suffix}", f"{earlier}{suffix}")
        os.unlink(f"{prefix}{INDEX}")
    _rename(new, prefix)
    _remove(earlier)


def whole_generation(prefix: str | os.PathLike) -> str:
    """The prefix to read: the earlier checkpoint's where its replacement was never finished, else `prefix`."""
    earlier = _earlier(prefix)
    return earlier if not os.path.exists(f"{prefix}{INDEX}") and is_complete(earlier) else os.fspath(prefix)


def require_checkpoint(prefix: str | os.PathLike) -> str:
    """The prefix to read a checkpoint by, from that or a name of its files. Raises InputError if it is missing."""
    prefix = tensorflow_path(whole_generation(checkpoint_prefix(prefix)))
    if not (os.path.exists(prefix + INDEX) or os.path.isfile(prefix)):
        found = sorted(Path(prefix).parent.glob("*" + INDEX))
        there = f"; found there: {', '.join(p.stem for p in found[:5])}" if found else ""
        hint = fetching_hint(prefix) or there
        raise InputError(f"{prefix}: no such checkpoint ({prefix}{INDEX} is missing){hint}")
    return prefix


def remove_leftovers(folder: str | os.PathLike, prefix: str) -> None:
    """Clear up after processes that were killed while they wrote or replaced checkpoints <prefix>-..."""
    place = Path(folder, prefix)
    leftovers = f".{glob.escape(place.name)}-*"
    for index in place.parent.glob(leftovers + EARLIER + INDEX):
        earlier = index.with_suffix("")
        replaced = earlier.with_name(earlier.name[1:].removesuffix(EARLIER))
        if not is_complete(replaced):
            _rename(earlier, replaced)
    for path in place.parent.glob(leftovers + ".*"):
        path.unlink(missing_ok=True)


def _earlier(prefix: str | os.PathLike) -> str:
    folder, name = os.path.split(prefix)
    return os.path.join(folder, f".{name}{EARLIER}")


def _rename(source: str | os.PathLike, target: str | os.PathLike) -> None:
    for suffix in (DATA, INDEX):
        os.replace(f"{source}{suffix}", f"{target}{suffix}")


def _remove(prefix: str | os.PathLike) -> None:
    for suffix in (INDEX, DATA):
        with suppress(FileNotFoundError):
            os.unlink(f"{prefix}{suffix}")


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)
