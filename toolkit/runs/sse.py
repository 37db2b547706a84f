"""Server-sent events out of the bytes of an answer, however they are cut.

Source: the WHATWG HTML standard, "Interpreting an event stream". Our own, because a driver must look at the clock
between two reads even when they bring no event, and because an event's JSON is read only when somebody wants it.
"""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.runs.events import ServerEvent

__all__ = ["EventDecoder"]


class EventDecoder:
    """Feed bytes, get events; an event cut off by the end of the stream is dropped, as the standard has it."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._after_cr = False

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """Give the events that this chunk completes."""
        if self._after_cr or b"\r" in chunk:
            chunk = self._with_plain_line_ends(chunk)
        buffer = self._buffer
        look_from = max(len(buffer) - 1, 0)
        buffer += chunk
        while (end := buffer.find(b"\n\n", look_from)) >= 0:
            block = bytes(buffer[:end])
            del buffer[: end + 2]
            look_from = 0
            event = _event(block)
            if event is not None:
                yield event

    def _with_plain_line_ends(self, chunk: bytes) -> bytes:
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]  # the second half of a line end that was cut in two
        self._after_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _event(block: bytes) -> ServerEvent | None:
    """Read one block of lines; None for one without data, such as a comment that keeps the connection alive."""
    name, data = b"", list[bytes]()
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    return ServerEvent(name.decode(errors="replace"), b"\n".join(data)) if data else None
