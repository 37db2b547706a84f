from __future__ import annotations

import pytest

from toolkit.runs.sse import EventDecoder

STREAM = 'event: a\ndata: {"x": "é"}\n\n: ping\n\ndata:{}\n\nevent: b\nid: 7\ndata: [1,\ndata: 2]\n\n'
EVENTS = [("a", {"x": "é"}), ("", {}), ("b", [1, 2])]


def decode(data: bytes, size: int) -> list[tuple[str, object]]:
    decoder = EventDecoder()
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    return [(event.name, event.data) for chunk in chunks for event in decoder.feed(chunk)]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_however_the_bytes_are_cut_and_lines_end(size: int, line_end: str) -> None:
    assert decode(STREAM.replace("\n", line_end).encode(), size) == EVENTS


def test_an_event_without_its_end_is_dropped() -> None:
    assert decode(b"event: a\ndata: 1\n\nevent: b\ndata: 2\n", 1000) == [("a", 1)]


def test_a_large_event_in_small_chunks() -> None:
    big = b'data: "' + b"x" * 3_000_000 + b'"\n\n'
    [(_, text)] = decode(big, 16_384)
    assert text == "x" * 3_000_000
