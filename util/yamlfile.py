"""Reading YAML files, which may be handwritten or of unknown origin."""

import os
from typing import Any

import yaml

from util.errors import InputError
from util.files import read_text

# A few lines of anchors can expand to billions of values; sensible files have hundreds.
MAX_VALUES = 100_000


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which also refuses repeated keys and endless values."""

    def get_single_node(self):
        node = super().get_single_node()
        if node is not None:
            _count_values(node, {})
        return node


def _count_values(node: yaml.Node, counts: dict[int, float]) -> float:
    """The number of values in the node with its aliases expanded; `counts` are those of nodes seen before."""
    if id(node) not in counts:
        counts[id(node)] = float("inf")  # the count of a node that contains itself
        counts[id(node)] = 1 + sum(_count_values(child, counts) for child in _children(node))
    if counts[id(node)] > MAX_VALUES:
        raise yaml.MarkedYAMLError(problem=f"more than {MAX_VALUES} values", problem_mark=node.start_mark)
    return counts[id(node)]


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        _refuse_equal_keys(node)
        return [child for pair in node.value for child in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _refuse_equal_keys(node: yaml.MappingNode) -> None:
    lines = {}
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
            line = key.start_mark.line + 1
            if (key.tag, key.value) in lines:
                first = lines[key.tag, key.value]
                raise yaml.MarkedYAMLError(
                    problem=f"{key.value} stands twice, first in line {first}", problem_mark=key.start_mark
                )
            lines[key.tag, key.value] = line


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
