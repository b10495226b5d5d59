"""Compiled code: non-maximum suppression and the multicut solver."""


class MissingExtension(ImportError):
    """A compiled module is not there; the message says how to build it."""

    def __init__(self, module: str):
        super().__init__(f"{module} is not built: run ./compile.sh in the repository's folder")
