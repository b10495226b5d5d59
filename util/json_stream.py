"""Reading JSON files piece by piece: at once they would take ten times their size in memory."""

import codecs
import json
import os
from collections.abc import Iterator
from typing import Any

from util.errors import InputError
from util.files import parse_json

BLOCK = 1 << 18  # bytes read at a time, more where a single value is longer
BLANKS = " \t\r\n"
BATCH = 4096  # values passed on together
ENDS = tuple(BLANKS + ",]}")  # what may follow a number
OBJECT_BORDERS = "},{", "}, {"  # between the objects of a list, as nearly all programs write them
_skip_blanks = json.decoder.WHITESPACE.match
_scan = json.JSONDecoder().scan_once


class JsonStream:
    """The content of a JSON file (UTF-8, with or without byte order mark) from its start to its end.

    The caller peeks at the next character and asks for what begins there:

        stream = JsonStream(path)
        for key in stream.keys():
            if stream.peek() == "[":
                for item in stream.items(): ...
            else:
                value = stream.value()
        stream.end()

    Every method raises InputError with the place of the fault for invalid JSON, and for a file that is missing, empty
    or not text.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = path
        self._text, self._position, self._ended = "", 0, False
        self._unclear = False  # where the objects of the text end
        # Where the text begins in the file.
        self._line, self._column, self._byte = 1, 1, 0
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        try:
            self._file = open(path, "rb")  # noqa: SIM115 - closed when it is read to its end, or with the object
        except OSError as error:
            raise self._unreadable(error) from error
        if not self.peek():
            raise InputError(f"{path}: the file is empty; expected JSON")

    def peek(self) -> str:
        """The next character that is not white space; "" at the end of the file."""
        while True:
            character = self._text[self._position : self._position + 1]
            if character and character not in BLANKS:
                return character
            self._position = _skip_blanks(self._text, self._position).end()
            if self._position == len(self._text):
                if self._ended:
                    return ""
                self._read_more()

    def value(self) -> Any:
        """The whole next value."""
        while True:
            try:
                value, end = _scan(self._text, self._position)
            except StopIteration as stop:
                fault, place = "Expecting value", stop.value
            except json.JSONDecodeError as error:
                fault, place = error.msg, error.pos
            except (ValueError, RecursionError) as error:
                raise InputError(f"{self.path}: not usable JSON: {error}") from error
            else:
                # A number may continue beyond the text in memory.
                if self._ended or self._text[end : end + 1] in ENDS or type(value) not in (int, float):
                    self._position = end
                    return value
            if self._ended:
                raise self._fault(fault, place)
            self._read_more()

    def items(self) -> Iterator[Any]:
        """The items of the list that begins here."""
        for batch in self.batches():
            yield from batch

    def batches(self) -> Iterator[list]:
        """The items of the list that begins here, thousands at a time: decoding each by itself takes longer."""
        self._take("[")
        if self.peek() == "]":
            self._position += 1
            return
        ended = False
        while not ended:
            batch = self._objects() or [self.value()]
            ended = not self._goes_on("]")
            while self._unclear and not ended and len(batch) < BATCH:  # decoded one by one, but passed on together
                batch.append(self.value())
                ended = not self._goes_on("]")
            yield batch

    def _objects(self) -> list:
        """The next objects, up to the last one in the text in memory; empty if its end is unclear."""
        for border in () if self._unclear else OBJECT_BORDERS:
            end = self._text.rfind(border, self._position)
            if end >= 0:
                try:
                    objects = parse_json(f"[{self._text[self._position : end + 1]}]")
                except (ValueError, RecursionError):
                    break
                self._position = end + 1
                return objects
        # No border, or one inside an object or beyond the end of the list: not searched for again in this text.
        self._unclear = True
        return []

    def keys(self) -> Iterator[str]:
        """The keys of the object that begins here; the caller must read the value after each key."""
        self._take("{")
        if self.peek() == "}":
            self._position += 1
            return
        while True:
            if self.peek() != '"':
                raise self._fault("Expecting property name enclosed in double quotes", self._position)
            key = self.value()
            self.peek()
            self._take(":")
            self.peek()
            yield key
            if not self._goes_on("}"):
                return

    def end(self) -> None:
        """Require that only white space follows."""
        if self.peek():
            raise self._fault("Extra data", self._position)

    def _take(self, character: str) -> None:
        if self._text[self._position : self._position + 1] != character:
            raise self._fault(f"Expecting '{character}'", self._position)
        self._position += 1

    def _goes_on(self, last: str) -> bool:
        """Skip the comma before the next item, or the bracket after the last one; whether there is a next item."""
        mark = self.peek()
        if mark not in (",", last):
            raise self._fault(f"Expecting ',' or '{last}'", self._position)
        self._position += 1
        if mark == ",":
            self.peek()
        return mark == ","

    def _read_more(self) -> None:
        """Drop what was read and add a block, which doubles the text while a value is longer."""
        done = self._text[: self._position]
        newlines = done.count("\n")
        self._line += newlines
        self._column = len(done) - done.rfind("\n") if newlines else self._column + len(done)
        rest = self._text[self._position :]
        try:
            block = self._file.read(max(BLOCK, len(rest)))
            pending = len(self._decoder.getstate()[0])
            text = self._decoder.decode(block, final=not block)
        except OSError as error:
            raise self._unreadable(error) from error
        except UnicodeDecodeError as error:
            place = self._byte - pending + error.start
            raise InputError(f"{self.path}: byte {place} is not UTF-8; save the file as UTF-8") from error
        self._byte += len(block)
        if not block:
            self._ended = True
            self._file.close()
        self._text, self._position, self._unclear = rest + text, 0, False

    def _unreadable(self, error: OSError) -> InputError:
        return InputError(f"{self.path}: cannot be read: {error.strerror or error}")

    def _fault(self, message: str, position: int) -> InputError:
        before = self._text[:position]
        newlines = before.count("\n")
        column = position - before.rfind("\n") if newlines else self._column + position
        return InputError(f"{self.path}: line {self._line + newlines}, column {column}: not JSON: {message}")
