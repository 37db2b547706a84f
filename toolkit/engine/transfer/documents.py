"""What a file holds: JSON lines, one JSON document, or several one after the other, as programs write them.

Lines are read one at a time. A document that goes over several lines is read as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, BinaryIO, Final, NoReturn

from toolkit.engine.jsontext import clean, dump

__all__ = ["Document", "Unreadable", "documents"]

_HALF: Final = re.compile(r"\\ud[89a-f]", re.IGNORECASE)
"""How half of a surrogate pair is written; one that stays alone is no text."""
_BLANKS: Final = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON value, and the number of the line where it begins."""

    line: int
    value: Any


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What is no JSON, and why."""

    line: int
    why: str


def documents(file: BinaryIO) -> Iterator[Document | Unreadable]:
    """Read all values of a file, and what is no JSON between them."""
    number, first = 1, file.readline()
    while first and not first.strip():
        number, first = number + 1, file.readline()
    if not first:
        return
    encoding = json.detect_encoding(first)
    second = file.readline() if encoding in ("utf-8", "utf-8-sig") else b""
    if encoding in ("utf-8", "utf-8-sig") and _are_lines(first, second):
        yield from _lines(chain([first, second], file), number)
    else:
        yield from _whole(b"".join((first, second, file.read())), encoding, number)


def _are_lines(first: bytes, second: bytes) -> bool:
    """Tell lines from a document that goes over several: the first is a value, or a broken one before a whole one."""
    if isinstance(_read(first, 1), Document):
        return True
    return first.lstrip(b"\xef\xbb\xbf \t").startswith(b"{") and isinstance(_read(second, 2), Document)


def _lines(lines: Iterator[bytes], number: int) -> Iterator[Document | Unreadable]:
    for place, line in enumerate(lines, start=number):
        if line.strip():
            yield _read(line, place)


def _read(line: bytes, number: int) -> Document | Unreadable:
    try:
        text = line.decode("utf-8-sig")
        return Document(number, _mended(json.loads(text, parse_constant=_refuse), text))
    except (ValueError, RecursionError) as error:
        return Unreadable(number, _why(error))


def _whole(data: bytes, encoding: str, number: int) -> Iterator[Document | Unreadable]:
    place = 0
    try:
        text = data.decode(encoding)
        decoder = json.JSONDecoder(parse_constant=_refuse)
        while (place := _after_blanks(text, place)) < len(text):
            line = number + text.count("\n", 0, place)
            value, end = decoder.raw_decode(text, place)
            yield Document(line, _mended(value, text[place:end]))
            place = end
    except (ValueError, RecursionError) as error:
        line = error.lineno - 1 if isinstance(error, json.JSONDecodeError) else data[:place].count(b"\n")
        yield Unreadable(number + line, _why(error))


def _after_blanks(text: str, place: int) -> int:
    found = _BLANKS.match(text, place)
    return found.end() if found else place


def _mended(value: Any, text: str) -> Any:
    """Give a value whose strings are text, which those of some programs are not."""
    return json.loads(clean(dump(value))) if _HALF.search(text) else value


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"is no JSON: {error.msg} (column {error.colno})"
    if isinstance(error, UnicodeDecodeError):
        return "is no text in UTF-8"
    return "is nested too deeply" if isinstance(error, RecursionError) else str(error)
