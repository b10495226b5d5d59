"""Reading and writing MATLAB files."""

import os
from typing import Any

from util.errors import InputError
from util.files import atomic_path


def read_mat(path: str | os.PathLike, *required: str, hint: str = "") -> dict[str, Any]:
    """The variables of a .mat file as `scipy.io.loadmat` gives them, with their types in MATLAB.

    hint: end of the message that there is no such file ("; <script> writes it")
    Raises InputError if the file cannot be read or lacks one of `required`.
    """
    from scipy.io import loadmat  # slow to import

    try:
        content = loadmat(os.fspath(path), mat_dtype=True, appendmat=False)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file{hint}") from None
    except Exception as error:  # scipy's for broken files are of all kinds
        raise InputError(f"{path}: not a readable MATLAB file of version 4 to 7.2 ('-v7'): {error}") from error
    names = [name for name in content if not name.startswith("__")]
    for name in required:
        if name not in names:
            raise InputError(f"{path}: variable '{name}' is missing; the file holds {', '.join(names) or 'nothing'}")
    return {name: content[name] for name in names}


def write_mat(path: str | os.PathLike, content: dict[str, Any], compress: bool = False) -> None:
    """Write variables by name, whole or not at all. Raises InputError if the file cannot be written."""
    from scipy.io import savemat

    with atomic_path(path) as temporary:
        savemat(temporary, content, do_compression=compress)
