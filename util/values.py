"""Kinds of values in a table of settings: what each accepts, and its name in error messages."""

import os
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of value.

    wanted: what it accepts, to be read after "expected"
    convert: the value as the program uses it; TypeError, ValueError or OverflowError for one that it does not accept
    """

    wanted: str
    convert: Callable[[Any], Any]

    def check(self, value: Any) -> Any:
        """The value, converted. Raises ValueError with `wanted`."""
        try:
            return self.convert(value)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(self.wanted) from None


def number(low: float, high: float) -> Kind:
    """A number from `low` to `high`."""

    def convert(value):
        converted = _as_float(value)
        if not low <= converted <= high:
            raise ValueError
        return converted

    return Kind(f"a number from {low} to {high}", convert)


def integer(low: int, high: int, multiple_of: int = 1) -> Kind:
    """A whole number from `low` to `high`, which may be written with an exponent (1e4)."""

    def convert(value):
        converted = value if type(value) is int else _as_float(value)
        if converted != int(converted) or not low <= converted <= high or converted % multiple_of:
            raise ValueError
        return int(converted)

    wanted = f"a multiple of {multiple_of}" if multiple_of > 1 else "a whole number"
    return Kind(f"{wanted} from {low} to {high}", convert)


def choice(*names: Any) -> Kind:
    """One of `names`."""

    def convert(value):
        if value not in names:
            raise ValueError
        return value

    return Kind("one of " * (len(names) > 1) + ", ".join(str(name) or "''" for name in names), convert)


def list_of(item: Kind, length: int | None = None, what: str = "values") -> Kind:
    """A list of `length` items (None: any number), called `what`."""

    def convert(value):
        if not isinstance(value, list | tuple) or (length is not None and len(value) != length):
            raise ValueError
        return [item.convert(one) for one in value]

    count = "" if length is None else f"{length} "
    return Kind(f"a list of {count}{what}, each {item.wanted}", convert)


def row(*items: Kind) -> Kind:
    """A list of one value of each kind."""

    def convert(value):
        if not isinstance(value, list | tuple):
            raise TypeError
        return [item.convert(one) for item, one in zip(items, value, strict=True)]

    return Kind(f"[{', '.join(item.wanted for item in items)}]", convert)


def mapping(kinds: dict[str, Kind], required: str) -> Kind:
    """A mapping of any of these keys, `required` among them."""

    def convert(value):
        if not isinstance(value, dict) or required not in value or not set(value) <= set(kinds):
            raise ValueError
        return {key: kinds[key].convert(one) for key, one in value.items()}

    return Kind(f"{{{required}: ...}} with perhaps {', '.join(key for key in kinds if key != required)}", convert)


def either(first: Kind, second: Kind) -> Kind:
    """What one of two kinds accepts."""

    def convert(value):
        try:
            return first.convert(value)
        except (TypeError, ValueError, OverflowError):
            return second.convert(value)

    return Kind(f"{first.wanted}, or {second.wanted}", convert)


def _as_float(value):
    # YAML 1.1 reads 1e-4 (no dot) as a text.
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    return float(value)


def _flag(value):
    if not isinstance(value, bool):
        raise TypeError
    return value


def _text(value):
    # File names hold neither the end of a C string nor half of a surrogate pair.
    if not isinstance(value, str) or any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        raise ValueError
    return value


def _path(value):
    return os.path.expanduser(_text(value))


def _file_path(value):
    if not os.path.basename(_path(value)):
        raise ValueError
    return _path(value)


FLAG = Kind("true or false", _flag)
TEXT = Kind("a text without control characters", _text)
PATH = Kind("a path without control characters", _path)
FILE_PATH = Kind("a path that ends in a name", _file_path)
