from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest

from toolkit import AsyncStream, Event, Result, RunEnded, ServerEvent, Stream, TextDelta
from toolkit.runs.hosts.assistants import Assistants

HOST = Assistants("k", "thread_1")


def delta(message_id: str, *parts: dict[str, Any]) -> ServerEvent:
    data = {"id": message_id, "delta": {"content": list(parts)}}
    return ServerEvent("thread.message.delta", json.dumps(data).encode())


def text(value: str | None) -> dict[str, Any]:
    return {"index": 0, "type": "text", "text": {"value": value}}


def ended(*messages: tuple[str, str]) -> RunEnded:
    jsons = tuple({"id": message_id, "content": [text(value)]} for message_id, value in messages)
    return RunEnded(Result((), 0, {"id": "run_1"}, jsons))


def played(*events: Event) -> Generator[Event]:
    yield from events


def pieces(*events: Event) -> list[tuple[str, str]]:
    with Stream(played(*events), HOST) as stream:
        return [(event.message_id, event.text) for event in stream if isinstance(event, TextDelta)]


def test_text_comes_after_the_event_that_brought_it() -> None:
    events = [ServerEvent("thread.created", b"{}"), delta("m", text("He")), ended(("m", "He"))]
    assert list(Stream(played(*events), HOST)) == [*events[:2], TextDelta("He", "m"), events[2]]


def test_parts_without_text_bring_none() -> None:
    image = {"index": 1, "type": "image_file", "image_file": {"file_id": "file-1"}}
    annotation = {"index": 0, "type": "text", "text": {"annotations": []}}
    assert pieces(delta("m", image), delta("m", annotation), delta("m", text(None)), delta("m"), ended()) == []


def test_what_no_stream_brought_comes_at_the_end() -> None:
    end = ended(("a", "Hello"), ("b", "there"), ("c", "!"))
    assert pieces(delta("a", text("Hello")), delta("b", text("th")), end) == [
        ("a", "Hello"),
        ("b", "th"),
        ("b", "ere"),
        ("c", "!"),
    ]


def test_text_in_broken_json_comes_at_the_end() -> None:
    broken = ServerEvent("thread.message.delta", b"{{")
    assert pieces(broken, ended(("a", "Hello"))) == [("a", "Hello")]


def test_the_text_alone_can_be_gone_on_with() -> None:
    stream = Stream(played(delta("m", text("He")), delta("m", text("llo")), ended(("m", "Hello"))), HOST)
    assert next(stream.text) == "He"
    with pytest.raises(RuntimeError, match="no result yet"):
        _ = stream.result
    assert list(stream.text) == ["llo"]
    assert stream.result.run_id == "run_1"


def test_leaving_closes_what_is_under_way() -> None:
    closed = []

    def events() -> Generator[Event]:
        try:
            yield delta("m", text("He"))
        finally:
            closed.append(True)

    with Stream(events(), HOST) as stream:
        next(iter(stream))
    assert closed == [True]
    assert list(stream) == []


def test_a_stream_left_without_a_block_is_closed_at_once() -> None:
    closed = []

    def events() -> Generator[Event]:
        try:
            yield delta("m", text("He"))
        finally:
            closed.append(True)

    gc.disable()
    try:
        for _ in Stream(events(), HOST):
            break
        assert closed == [True]
    finally:
        gc.enable()


def test_an_awaited_stream_left_without_a_block_is_closed_at_once() -> None:
    closed = asyncio.Event()

    async def events() -> AsyncGenerator[Event]:
        try:
            yield delta("m", text("He"))
        finally:
            closed.set()

    async def leave() -> None:
        async for _ in AsyncStream(events(), HOST):
            break
        await asyncio.wait_for(closed.wait(), 10)

    gc.disable()
    try:
        asyncio.run(leave())
    finally:
        gc.enable()
