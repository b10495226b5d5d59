"""What TensorFlow's errors say, for people."""

import re


def reason(error: BaseException) -> str:
    """An error's first line, without the node of the graph that it came from; its type if it says nothing."""
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return re.sub(r"^\{\{.*?\}\} |( \[Op:\w+\].*)$", "", first)
