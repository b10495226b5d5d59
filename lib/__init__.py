"""Compiled code: non-maximum suppression, edges and their costs, the multicut solver, people, lists."""

from collections.abc import Iterator
from contextlib import contextmanager


class MissingExtension(ImportError):
    """A compiled module is missing; the message says how to build it."""

    def __init__(self, module: str):
        super().__init__(f"{module} is not built: run ./compile.sh in the repository's folder")


@contextmanager
def compiled(module: str) -> Iterator[None]:
    """Raises MissingExtension where the block fails to import this compiled module."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise MissingExtension(module) from None
