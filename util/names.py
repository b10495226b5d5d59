"""Names for files, by which their results go."""

import os
from collections import Counter
from collections.abc import Sequence

from util.files import unused_name


def distinct_names(paths: Sequence[str | os.PathLike], folder: str | os.PathLike | None = None) -> list[str]:
    """A name for each file, no two of them equal: its path without the suffix, with / between folders.

    folder: that the paths count from; by default names are those of the files alone or, where two files have the
        same, count from the folder that all of them share
    Files that differ in nothing but the suffix keep it; a file that is there twice has a number the second time.
    """
    if folder is None and len({os.path.basename(path) for path in paths}) < len(paths):
        paths = [os.path.abspath(path) for path in paths]
        folder = os.path.commonpath([os.path.dirname(path) for path in paths])
    whole = [os.path.basename(path) if folder is None else os.path.relpath(path, folder) for path in paths]
    whole = [name.replace(os.sep, "/") for name in whole]
    short = [os.path.splitext(name)[0] for name in whole]
    counts, taken = Counter(short), set()
    return [unused_name(name if counts[name] == 1 else full, taken) for name, full in zip(short, whole, strict=True)]
