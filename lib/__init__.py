"""Compiled code: non-maximum suppression, edges and their costs, the multicut solver, people, lists."""


class MissingExtension(ImportError):
    """A compiled module is missing; the message says how to build it."""

    def __init__(self, module: str):
        super().__init__(f"{module} is not built: run ./compile.sh in the repository's folder")
