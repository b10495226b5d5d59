"""The commands that come with an installation (pyproject.toml, [project.scripts]): each runs a script."""

import runpy
from collections.abc import Callable
from functools import partial


def __getattr__(script: str) -> Callable[[], object]:
    """`tools_export` runs tools/export.py. Under __main__, so that all is as for `python tools/export.py`."""
    if script.startswith("__"):
        raise AttributeError(script)
    return partial(runpy.run_module, script.replace("_", ".", 1), run_name="__main__")
