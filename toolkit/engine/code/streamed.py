"""The code of a call while its arguments come in: `{"code": "pri` already says that the code begins with `pri`."""

from __future__ import annotations

import re
from typing import Final

from toolkit.engine.jsontext import clean

__all__ = ["Streamed"]

_HEAD: Final = re.compile(r'\s*\{\s*"code"\s*:\s*"')
_LONGEST_HEAD: Final = 200
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\", "/": "/"}
_PIECE: Final = re.compile(r'[^"\\]+|\\u[0-9a-fA-F]{4}|\\[^u]|"')


class Streamed:
    """Reads the code out of the pieces of a call's arguments, once, each piece as it comes.

    Arguments that do not begin with the code give nothing: the code is told when it is whole.
    """

    def __init__(self) -> None:
        self.code = ""
        """What has been read so far."""
        self._held = self._half = ""
        self._inside = self._done = False

    def feed(self, piece: str) -> str:
        """Take a piece of the JSON text, and give what it adds to the code."""
        if self._done:
            return ""
        self._held += piece
        if not self._inside:
            head = _HEAD.match(self._held)
            if head is None:
                self._done = len(self._held) > _LONGEST_HEAD
                return ""
            self._inside, self._held = True, self._held[head.end() :]
        at, more = 0, self._half
        while not self._done and (found := _PIECE.match(self._held, at)):
            text, at = found[0], found.end()
            if text == '"':
                self._done = True
            elif text.startswith("\\u"):
                more += chr(int(text[2:], 16))
            else:
                more += _ESCAPES.get(text[1], text[1]) if text.startswith("\\") else text
        self._held = self._held[at:]
        # A character may be written as two escapes: the first one alone is nothing that JSON can tell.
        self._half = more[-1:] if not self._done and "\ud800" <= more[-1:] <= "\udbff" else ""
        more = clean(more.removesuffix(self._half))
        self.code += more
        return more
