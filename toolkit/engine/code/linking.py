"""Links in a model's text to files of its session, such as sandbox:/mnt/data/sales.csv: found while the text comes in.

A link may arrive in pieces, so what could become one is held back until it is whole or something else. Only files that
are known are linked; the longest name that fits is the one that is meant, and names may have blanks, also as `%20`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

__all__ = ["Link", "Linking", "annotation"]

_PREFIX: Final = "sandbox:/mnt/data/"
_GOES_ON: Final = re.compile(r"[\w-]|\.\w", re.ASCII)
"""What follows a name that is only the beginning of another one."""
_LONGEST_END: Final = 2


@dataclass(frozen=True, slots=True)
class Link:
    """A link, as it stands in the text, and the file that it leads to."""

    text: str
    file_id: str


class Linking:
    """Parts a text into plain text and links to `files`: path under /mnt/data -> id of a file."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._links = {f"{_PREFIX}{form}": file for path, file in files.items() for form in (quote(path), path)}
        self._sorted = sorted(self._links)
        self._lengths = sorted({len(link) for link in self._links}, reverse=True)
        self._held = ""

    def feed(self, piece: str) -> Iterator[str | Link]:
        """Take a piece of the text, and give what is certain."""
        yield from self._certain(self._held + piece, final=False)

    def end(self) -> Iterator[str | Link]:
        """Give what was held back."""
        yield from self._certain(self._held, final=True)

    def _certain(self, text: str, *, final: bool) -> Iterator[str | Link]:
        self._held, plain, at = "", 0, 0
        while (at := self._next(text, at, final)) >= 0:
            rest = text[at : at + self._lengths[0] + _LONGEST_END]
            if not final and self._may_grow(rest):
                break
            link = next(
                (rest[:size] for size in self._lengths if rest[:size] in self._links and _ends(rest, size)), None
            )
            if link is None:
                at += 1
                continue
            if at > plain:
                yield text[plain:at]
            yield Link(link, self._links[link])
            at = plain = at + len(link)
        end = len(text) if at < 0 else at
        if end > plain:
            yield text[plain:end]
        self._held = text[end:]

    def _next(self, text: str, at: int, final: bool) -> int:
        """Say where the next link may begin, from a place on; -1 for nowhere."""
        found = text.find(_PREFIX, at)
        if found >= 0 or final:
            return found if self._links else -1
        for begin in range(max(at, len(text) - len(_PREFIX) + 1), len(text)):
            if self._links and _PREFIX.startswith(text[begin:]):
                return begin
        return -1

    def _may_grow(self, rest: str) -> bool:
        """Whether what comes next may still decide which link it is, or whether it is one."""
        after = bisect_right(self._sorted, rest)
        if after < len(self._sorted) and self._sorted[after].startswith(rest):
            return True
        # A whole name at the end of the text, or one with a dot behind it: it may go on.
        return rest in self._links or rest.removesuffix(".") in self._links


def annotation(link: Link, at: int) -> dict[str, Any]:
    """Make the annotation of a link that stands at a place in a text."""
    return {
        "type": "file_path",
        "text": link.text,
        "start_index": at,
        "end_index": at + len(link.text),
        "file_path": {"file_id": link.file_id},
    }


def _ends(rest: str, at: int) -> bool:
    return _GOES_ON.match(rest, at) is None
