"""Left and right in the names of joints, as people and annotation programs spell them.

    left_shoulder   Right Shoulder   R_Eye   Eye_Right   kneeL   RHip   foreleg_r_2   forelegL1   lhip   leftpaw

A name has a side if another name differs only in the side: "lip" has none unless there is a "rip".
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

# Words of a name: RHip is R, Hip; forelegL1 is foreleg, L, 1.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_FULL = {"left": "left", "right": "right"}
_LETTER = {"l": "left", "r": "right"}
# The words of a name, with None in place of the side.
Rest = tuple[str | None, ...]
Spelling = Callable[[Sequence[str]], Iterator[tuple[str, Rest]]]


class Sided(NamedTuple):
    """A name that has a side, and a counterpart on the other side."""

    side: str
    rest: Rest
    spelling: Spelling
    counterpart: int


def left_right_pairs(names: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """The numbers (left, right) of names that differ only in the side, in the order of the left ones."""
    return tuple(
        sorted((number, found.counterpart) for number, found in _paired(names).items() if found.side == "left")
    )


def lonely_sides(names: Sequence[str]) -> list[str]:
    """Names with a side but without a counterpart; letters mean sides where other names here have them."""
    paired = _paired(names)
    clear = [BY_WORD] + [BY_LETTER] * any(found.spelling is BY_LETTER for found in paired.values())
    return [
        name
        for number, name in enumerate(names)
        if number not in paired and any(True for find in clear for _ in find(_words(name)))
    ]


def plain_names(names: Sequence[str]) -> list[str]:
    """All names in one spelling: Eye_Right, R_Eye, REye and reye become right_eye."""
    paired = _paired(names)
    return [
        _plain(paired[number].side, paired[number].rest) if number in paired else plain_name(name)
        for number, name in enumerate(names)
    ]


def plain_name(name: str) -> str:
    """The same for one name, as far as possible without the others."""
    words = _words(name)
    for find in (BY_WORD, BY_LETTER):
        for side, rest in find(words):
            return _plain(side, rest)
    return "_".join(words)


def _plain(side: str, rest: Rest) -> str:
    return "_".join([side, *(word for word in rest if word)])


def _paired(names: Sequence[str]) -> dict[int, Sided]:
    """The names with counterparts, by number; clear spellings take precedence over doubtful ones."""
    words = [_words(name) for name in names]
    paired: dict[int, Sided] = {}
    for find in SPELLINGS:
        alike: dict[Rest, dict[str, list[int]]] = {}
        for number in set(range(len(names))) - paired.keys():
            for side, rest in find(words[number]):
                alike.setdefault(rest, {"left": [], "right": []})[side].append(number)
        for rest, sides in alike.items():
            left, right = ([number for number in numbers if number not in paired] for numbers in sides.values())
            if len(left) == len(right) == 1:
                paired[left[0]] = Sided("left", rest, find, right[0])
                paired[right[0]] = Sided("right", rest, find, left[0])
    return paired


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _whole(words: Sequence[str], sides: Mapping[str, str]) -> Iterator[tuple[str, Rest]]:
    """Sides that are words of their own."""
    for place, word in enumerate(words):
        if word in sides:
            yield sides[word], (*words[:place], None, *words[place + 1 :])


def _glued(words: Sequence[str], sides: Mapping[str, str]) -> Iterator[tuple[str, Rest]]:
    """Sides at the beginning or the end of a word."""
    for place, word in enumerate(words):
        for text, side in sides.items():
            before, after = words[:place], words[place + 1 :]
            if word.startswith(text) and word != text:
                yield side, (*before, None, word[len(text) :], *after)
            if word.endswith(text) and word != text:
                yield side, (*before, word[: -len(text)], None, *after)


BY_WORD, BY_LETTER = partial(_whole, sides=_FULL), partial(_whole, sides=_LETTER)
SPELLINGS = (BY_WORD, BY_LETTER, partial(_glued, sides=_FULL), partial(_glued, sides=_LETTER))
