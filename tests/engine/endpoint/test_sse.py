from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from toolkit.engine.endpoint.sse import Event, EventReader


def read(*chunks: bytes) -> list[Event]:
    reader = EventReader()
    return [event for chunk in chunks for event in reader.feed(chunk)] + reader.end()


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b"data: a\n\ndata: b\n\n", ["a", "b"]),
        (b"data:a\r\n\r\ndata:b\r\n\r\n", ["a", "b"]),
        (b"data: a\r\rdata: b\r\r", ["a", "b"]),
        (b"data: a\r\n\ndata: b\n\r\n", ["a", "b"]),
        (b"data:  two spaces\n\n", [" two spaces"]),
        (b"data: {\ndata: }\n\n", ["{\n}"]),
        (b": comment\n\ndata: a\n\n:\n\n", ["a"]),
        (b"retry: 100\n\nid: 7\n\nevent: ping\n\ndata: a\n\n", ["a"]),
        (b"data:\n\ndata: \n\ndata\n\ndata: a\n\n", ["a"]),
        (b"\xef\xbb\xbfdata: a\n\n", ["a"]),
        (b"data: a\n\ndata: last line", ["a", "last line"]),
        (b"data: a\n\ndata: last event\n", ["a", "last event"]),
        (b"", []),
        (b"\n\n\n", []),
        ("data: é\u2028ü\x0b\x0c\x85\n\n".encode(), ["é\u2028ü\x0b\x0c\x85"]),
        (b"data: \xff\n\n", ["\ufffd"]),
        (b"data: " + b"x" * 300_000 + b"\n\n", ["x" * 300_000]),
        (b"database: a\n\nDATA: b\n\n", []),
        (b'error: {"code":400}\n\ndata: a\n\n', ['{"code":400}', "a"]),
    ],
)
def test_what_counts_as_an_event(body: bytes, data: list[str]) -> None:
    assert [event.data for event in read(body)] == data


def test_the_name_goes_with_its_event_alone() -> None:
    body = b"event: error\ndata: a\n\ndata: b\n\nevent: lost\n\ndata: c\n\n"
    assert read(body) == [Event("error", "a"), Event("", "b"), Event("", "c")]


def test_an_event_is_there_as_soon_as_its_last_byte() -> None:
    reader = EventReader()
    assert reader.feed(b"data: a\n") == []
    assert reader.feed(b"\n") == [Event("", "a")]
    assert reader.feed(b"data: b\r\r") == [Event("", "b")]
    assert reader.feed(b"\n") == []


lines = st.sampled_from(
    [
        b"data: one",
        b"data:two",
        b"data:",
        "data: é東".encode(),
        b": c",
        b"event: error",
        b"id: 1",
        b"",
        b"",
        b"x",
        b"\xff",
    ]
)
bodies = st.tuples(
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.lists(st.tuples(lines, st.sampled_from([b"\n", b"\r\n", b"\r"])), max_size=12),
    st.sampled_from([b"", b"data: end"]),
).map(lambda parts: parts[0] + b"".join(line + end for line, end in parts[1]) + parts[2])


@given(bodies, st.lists(st.integers(0, 200), max_size=8))
@example(b"data: a\r\n\r\ndata: b", [8, 9, 10])
@example(b"\xef\xbb\xbfdata: a\r\r", [1, 2])
def test_any_cut_of_the_bytes_gives_the_same_events(body: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    assert read(*(body[a:b] for a, b in itertools.pairwise(edges))) == read(body)
    assert read(*(body[at : at + 1] for at in range(len(body)))) == read(body)
