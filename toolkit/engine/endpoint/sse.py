"""Server-sent events out of the bytes of a model endpoint's answer, however they are cut. No I/O.

Source: the WHATWG HTML standard, "Interpreting an event stream". Three differences, since real servers need them: an
event that the end of the stream cuts off still counts, nothing is too long, and `error:` is a field.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["BOM", "Event", "EventReader"]

BOM: Final = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One event with content; comments, ids, retry times and empty data make none."""

    name: str
    """What `event:` said, '' when it said nothing."""
    data: str
    """Its data lines, joined by newlines; bytes that are no UTF-8 are replaced."""


class EventReader:
    """Feed bytes, get the events they complete; `end` gives what the last line without a newline completes.

    Lines are split as bytes, so a character cut in two by a packet is whole again before it is decoded.
    """

    def __init__(self) -> None:
        self._line: list[bytes] = []
        """Pieces of the line under way, joined once when it ends: a long line costs no more than its length."""
        self._after_cr = False
        self._first = True
        self._name = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> list[Event]:
        """Give the events that this chunk completes."""
        if self._after_cr or b"\r" in chunk:
            chunk = self._with_plain_line_ends(chunk)
        head, *more = chunk.split(b"\n")
        self._line.append(head)
        if not more:
            return []
        *lines, rest = more
        lines.insert(0, b"".join(self._line))
        self._line = [rest]
        return self._read(lines)

    def end(self) -> list[Event]:
        """Give the event that the end of the stream completes, if there is one."""
        lines = [b"".join(self._line), b""]
        self._line = []
        return self._read(lines)

    def _with_plain_line_ends(self, chunk: bytes) -> bytes:
        if not chunk:
            return chunk
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]  # the second half of a line end that was cut in two
            if not chunk:
                self._after_cr = False
                return chunk
        self._after_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _read(self, lines: list[bytes]) -> list[Event]:
        events: list[Event] = []
        if self._first:
            self._first = False
            lines[0] = lines[0].removeprefix(BOM)
        for line in lines:
            if not line:
                if any(self._data):
                    data = b"\n".join(self._data) if len(self._data) > 1 else self._data[0]
                    events.append(Event(self._name.decode(errors="replace"), data.decode(errors="replace")))
                self._name, self._data = b"", []
            elif line.startswith(b"data:"):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif line.startswith(b"event:"):
                self._name = line[6:].strip()
            elif line.startswith(b"error:"):  # no field of the standard, but how llama.cpp told errors until late 2025
                self._name = b"error"
                self._data.append(line[6:].strip())
        return events
