"""TensorFlow's errors in plain words."""

import os
import re

from util.errors import InputError


def reason(error: BaseException) -> str:
    """The first line of an error, without the graph node it came from, or its type if it has no text."""
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return re.sub(r"^\{\{.*?\}\} |( \[Op:\w+\].*)$", "", first)


def disk_reason(error: BaseException) -> str:
    """Why a file cannot be written ("No space left on device"), without the temporary name that TensorFlow gave it."""
    return getattr(error, "strerror", None) or reason(error).rpartition("; ")[2]


def tensorflow_path(path: str | os.PathLike) -> str:
    """A path that TensorFlow can open. Raises InputError for one with bytes that are not UTF-8."""
    text = os.fspath(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(
            f"{text}: TensorFlow opens no path that is not UTF-8; rename the folder, or work inside it"
        ) from None
    return text
