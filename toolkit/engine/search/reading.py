"""The text of a file, for search: decoded where it is text, refused in plain words where it is not."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Final, Literal

__all__ = ["MOST_BYTES", "Unreadable", "text_of"]

MOST_TOKENS: Final = 5_000_000
"""Of one file, as the API's guide has it."""
MOST_BYTES: Final = 4 * MOST_TOKENS
"""What that is at four bytes a token; a larger file is not even read."""

_SIGNATURES: Final[Mapping[bytes, str]] = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a ZIP archive, such as a Word, PowerPoint or Excel file",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Office file",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"RIFF": "a RIFF file, such as a WebP image",
    b"\x1f\x8b": "a gzip archive",
    b"{\\rtf": "an RTF document",
}
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS: Final = bytes(sorted({*range(32), 127} - {*b"\t\n\v\f\r\x1b"}))


class Unreadable(Exception):
    """A file that has no text for us. `code` is as in a vector store file's `last_error`."""

    def __init__(self, code: Literal["unsupported_file", "invalid_file"], message: str) -> None:
        super().__init__(message)
        self.code: Literal["unsupported_file", "invalid_file"] = code


def text_of(data: bytes) -> str:
    """Read a text: UTF-8, UTF-16 or UTF-32 by its mark, else UTF-8, else Latin-1. Raises Unreadable."""
    for signature, what in _SIGNATURES.items():
        if data.startswith(signature):
            raise Unreadable("unsupported_file", f"The file is {what}; files of text can be read.")
    text = _decoded(data).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise Unreadable("invalid_file", "The file has no text.")
    return text


def _decoded(data: bytes) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                raise Unreadable(
                    "invalid_file", f"The file begins as {encoding[:6]} text and goes on otherwise."
                ) from None
    if data.translate(None, _CONTROLS) != data:
        raise Unreadable("unsupported_file", "The file has bytes that no text has; files of text can be read.")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
