"""Reading YAML files, which may be handwritten."""

import os
from typing import Any

import yaml

from util.errors import InputError
from util.files import read_text


class _Loader(yaml.CSafeLoader):
    """PyYAML's safe loader, which also refuses repeated keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = {}
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and isinstance(key, yaml.ScalarNode):
                first = keys.setdefault(key.value, key)
                if first is not key:
                    problem = f"{key.value} stands twice, first in line {first.start_mark.line + 1}"
                    raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
        # Deep, since a later mapping that merges this one adds its keys to the node.
        return super().construct_mapping(node, deep=True)


def read_yaml(path: str | os.PathLike, hint: str = "") -> Any:
    """The content of a YAML file; None if it is empty.

    hint: what to do if the file cannot be opened. Raises InputError with the place of the fault.
    """
    return parse_yaml(read_text(path, hint=hint), str(path))


def parse_yaml(text: str, source: str) -> Any:
    """The value of a YAML text; None if it is empty. Raises InputError that names `source` and the place."""
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(f"{source}: {place}not usable YAML: {problem[:300]}") from error
    except (ValueError, LookupError, AttributeError, OverflowError, RecursionError) as error:
        # Values that only look like numbers or dates (2001-99-99, 0x_), and nesting without end.
        raise InputError(f"{source}: not usable YAML: {error}") from error
