"""Reading MATLAB files with clear errors."""

import os
from io import BytesIO
from pathlib import Path
from typing import Any

from util.errors import InputError


def read_mat(path: str | os.PathLike, *required: str) -> dict[str, Any]:
    """The variables of a .mat file; raises InputError when it is unreadable or lacks one of `required`."""
    from scipy.io import loadmat

    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    try:
        content = loadmat(BytesIO(data))
    except NotImplementedError as error:
        raise InputError(f"{path}: MATLAB 7.3 format; save it with '-v7'") from error
    except Exception as error:  # scipy's reader fails on broken files in many ways
        raise InputError(f"{path}: not a MATLAB file, or a broken one: {error}") from error
    for name in required:
        if name not in content:
            found = ", ".join(sorted(key for key in content if not key.startswith("__"))) or "nothing"
            raise InputError(f"{path}: variable '{name}' is missing; the file holds {found}")
    return content
