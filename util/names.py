"""Unique names for the results of files."""

import os
from collections import Counter
from collections.abc import Sequence

from util.files import unused_name


def distinct_names(paths: Sequence[str | os.PathLike], folder: str | os.PathLike | None = None) -> list[str]:
    """A unique name for each file: its path without the suffix, with / between folders.

    folder: names are paths relative to it; by default they are file names or, if two of those are equal, paths
        relative to the common folder of all files
    Files that differ only in the suffix keep it; a repeated file gets a number.
    """
    if folder is None and len({os.path.basename(path) for path in paths}) < len(paths):
        paths = [os.path.abspath(path) for path in paths]
        folder = os.path.commonpath([os.path.dirname(path) for path in paths])
    whole = [os.path.basename(path) if folder is None else os.path.relpath(path, folder) for path in paths]
    whole = [name.replace(os.sep, "/") for name in whole]
    short = [os.path.splitext(name)[0] for name in whole]
    counts, taken = Counter(short), set()
    return [unused_name(name if counts[name] == 1 else full, taken) for name, full in zip(short, whole, strict=True)]
