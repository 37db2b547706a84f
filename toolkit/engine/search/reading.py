"""The text of a file, for search: decoded where it is text, with the headings of Markdown as its places.

Documents that have to be taken apart are read elsewhere (`isolated.py`); here their first bytes tell which they are.
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

__all__ = [
    "MOST_BYTES",
    "MOST_DOCUMENT_BYTES",
    "MOST_TOKENS",
    "OLD_OFFICE",
    "Path",
    "Text",
    "Unreadable",
    "is_document",
    "text_of",
]

MOST_TOKENS: Final = 5_000_000
"""Of one file, as the API's guide has it."""
MOST_BYTES: Final = 4 * MOST_TOKENS
"""What that is at four bytes a token; a larger file of text is not looked at."""
MOST_DOCUMENT_BYTES: Final = 128 * 2**20
"""Of a document that has to be taken apart; it holds more than its text."""

OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How files of the Office of before 2007 begin, and locked ones of today's (`old_word.py`)."""
_SIGNATURES: Final[Mapping[bytes, str]] = {
    OLD_OFFICE: "an old Office file",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF87a": "a GIF image",
    b"GIF89a": "a GIF image",
    b"\x1f\x8b": "a gzip archive",
    b"{\\rtf": "an RTF document",
}
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL: Final = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_ASCII: Final = bytes(range(128))
_FEW: Final = 1 / 3
"""The most bytes beyond ASCII, of all, that a text in an old encoding of Western Europe has; others have more."""


_DOCUMENTS: Final = (b"%PDF-", b"PK\x03\x04")
_HTML: Final = re.compile(rb"\s*(?:<!doctype html|<html)[\s>]", re.IGNORECASE)
_HEADING: Final = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t#]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a file, and the places in it: (offset in characters, a page or the headings above), in order."""

    value: str
    places: Sequence[tuple[int, str]] = ()

    def place(self, at: int) -> str:
        """Say at which place an offset is; empty when that is not known."""
        found = bisect_right(self.places, at, key=lambda place: place[0])
        return self.places[found - 1][1] if found else ""


@dataclass(frozen=True, slots=True)
class Path:
    """The headings above a place, by their levels: an outline may begin with any, and leave some out."""

    above: tuple[tuple[int, str], ...] = ()

    def down(self, level: int, heading: str) -> Path:
        """Give the path below the next heading."""
        higher = tuple(each for each in self.above if each[0] < level)
        return Path((*higher, (level, heading)))

    def __str__(self) -> str:
        return " > ".join(heading for _, heading in self.above)


class Unreadable(Exception):
    """A file that has no text for us. `code` is as in a vector store file's `last_error`."""

    def __init__(self, code: Literal["unsupported_file", "invalid_file"], message: str) -> None:
        super().__init__(message)
        self.code: Literal["unsupported_file", "invalid_file"] = code


def is_document(data: bytes) -> bool:
    """Say whether a file has to be taken apart to be read."""
    return data.startswith(_DOCUMENTS) or _HTML.match(data) is not None


def text_of(data: bytes, name: str = "") -> Text:
    """Read a text: UTF-8, UTF-16 or UTF-32 by its mark, else UTF-8, else Windows-1252. Raises Unreadable."""
    for signature, what in _SIGNATURES.items():
        if data.startswith(signature):
            raise Unreadable("unsupported_file", f"The file is {what}; files of text can be read.")
    text = _decoded(data).replace("\r\n", "\n").replace("\r", "\n")
    if _CONTROL.search(text):
        raise Unreadable("unsupported_file", "The file has bytes that no text has; files of text can be read.")
    if not text.strip():
        raise Unreadable("invalid_file", "The file has no text.")
    return Text(text, tuple(_headings(text)) if name.lower().endswith((".md", ".markdown")) else ())


def _headings(text: str) -> Iterator[tuple[int, str]]:
    """Walk the headings of a Markdown text: where each stands, and those above it with it."""
    path = Path()
    for found in _HEADING.finditer(text):
        path = path.down(len(found.group(1)), found.group(2))
        yield found.start(), str(path)


def _decoded(data: bytes) -> str:
    encoding = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            said = f"The file begins as {encoding.removesuffix('-sig').upper()} text and goes on otherwise."
            raise Unreadable("invalid_file", said) from None
    text = data.decode("cp1252", "replace")
    if len(data.translate(None, _ASCII)) > len(data) * _FEW and not _CONTROL.search(text):
        raise Unreadable("invalid_file", "The file's text is in an encoding that is not known. Save it as UTF-8.")
    return text
