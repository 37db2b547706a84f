from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from toolkit.engine.objects.messages import ListMessages
from toolkit.engine.objects.threads import CreateThread
from toolkit.errors import Refused
from toolkit.server.wire import (
    MOST_BODY,
    Answer,
    HungUp,
    Stream,
    error_of,
    idempotency_key,
    includes_contents,
    parse_body,
    parse_query,
    read_body,
    send_answer,
    send_stream,
)

CUT = Refused("The server ends.", status=503, code="over")
CONTENT = b"step_details.tool_calls%5B%2A%5D.file_search.results%5B%2A%5D.content"


class Line:
    """One end of a connection: what is received is given, what is sent is noted."""

    def __init__(self, *messages: dict[str, Any], broken: bool = False) -> None:
        self.messages = list(messages)
        self.sent: list[dict[str, Any]] = []
        self.broken = broken

    async def receive(self) -> dict[str, Any]:
        if not self.messages:
            await asyncio.Event().wait()
        return self.messages.pop(0)

    async def send(self, message: Any) -> None:
        if self.broken and self.sent:
            raise OSError("closed")
        self.sent.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


def body(*pieces: bytes) -> list[dict[str, Any]]:
    return [{"type": "http.request", "body": piece, "more_body": piece is not pieces[-1]} for piece in pieces]


def read(messages: Sequence[dict[str, Any]], **headers: bytes) -> bytes:
    named = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    return asyncio.run(read_body(Line(*messages).receive, named))


def test_a_body_may_come_in_pieces() -> None:
    assert read(body(b"{}")) == b"{}"
    assert read(body(b'{"a"', b":", b"1}")) == b'{"a":1}'


def test_a_body_has_a_most() -> None:
    for attempt in (
        lambda: read([], content_length=str(MOST_BODY + 1).encode()),
        lambda: read(body(b"x" * MOST_BODY, b"y")),
    ):
        with pytest.raises(Refused) as caught:
            attempt()
        assert caught.value.status == 413
    assert len(read(body(b"x" * MOST_BODY))) == MOST_BODY


def test_a_body_that_breaks_off_is_nobodys_request() -> None:
    with pytest.raises(HungUp):
        read([*body(b"{", b"")[:1], {"type": "http.disconnect"}])


def parse(raw: bytes, *, drop_unknown: bool = False) -> CreateThread:
    return asyncio.run(parse_body(CreateThread, raw, drop_unknown=drop_unknown))


def test_an_empty_body_is_an_empty_object() -> None:
    assert parse(b"") == parse(b"{}") == CreateThread()


def test_unknown_fields_are_refused_or_left_out_with_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    raw = (
        b'{"service_tier":"secret","a\\nline":1,"messages":[{"role":"user","content":"hi","x":1}],"metadata":{"k":"v"}}'
    )
    with pytest.raises(Refused, match="Unknown parameter"):
        parse(raw)
    with caplog.at_level(logging.WARNING, "toolkit.server"):
        thread = parse(raw, drop_unknown=True)
    assert thread.metadata == {"k": "v"}
    assert thread.messages is not None
    assert "service_tier" in caplog.text
    assert "messages[0].x" in caplog.text
    assert "a\\nline" in caplog.text
    assert "secret" not in caplog.text


def test_real_mistakes_and_fields_of_version_1_are_never_left_out() -> None:
    with pytest.raises(Refused, match="metadata"):
        parse(b'{"x":1,"metadata":5}', drop_unknown=True)
    with pytest.raises(Refused) as caught:
        parse(b'{"messages":[{"role":"user","content":"hi","file_ids":["file-a"]}]}', drop_unknown=True)
    assert caught.value.code == "invalid_beta"


def test_a_large_body_is_checked_like_a_small_one() -> None:
    said = [{"role": "user", "content": "x" * 100_000}] * 5
    assert len(parse(json.dumps({"messages": said}).encode()).messages or ()) == 5
    with pytest.raises(Refused, match="Unknown parameter: 'x'"):
        parse(json.dumps({"messages": said, "x": 1}).encode())


def test_a_query_comes_as_text() -> None:
    query = parse_query(ListMessages, b"limit=5&order=asc&after=msg_a&run_id=run_a&api-version=2024-05-01-preview")
    assert (query.limit, query.order, query.after, query.run_id) == (5, "asc", "msg_a", "run_a")
    assert parse_query(ListMessages, b"") == ListMessages()
    assert parse_query(ListMessages, b"after=").after == ""


@pytest.mark.parametrize(
    ("query", "param", "code"),
    [
        (b"limit=0", "limit", "integer_below_min_value"),
        (b"limit=101", "limit", "integer_above_max_value"),
        (b"limit=ten", "limit", "invalid_type"),
        (b"order=up", "order", "invalid_value"),
    ],
)
def test_a_wrong_query_is_told(query: bytes, param: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_query(ListMessages, query)
    assert (caught.value.param, caught.value.code) == (param, code)


def test_what_may_be_included() -> None:
    for query in (b"", b"include[]=" + CONTENT, b"include%5B%5D=" + CONTENT + b"," + CONTENT, b"limit=3"):
        assert includes_contents(query) == (b"include" in query)
    for query in (b"include[]=logs", b"include=" + CONTENT + b",logs", b"include[]=" + CONTENT + b"&include[]=logs"):
        with pytest.raises(Refused, match="Invalid value: 'logs'"):
            includes_contents(query)


def test_a_key_stands_for_its_request() -> None:
    def key(method: str = "POST", path: str = "/v1/threads", raw: bytes = b"{}", value: bytes = b"k") -> Any:
        return idempotency_key(method, path, {b"idempotency-key": value}, raw)

    assert key().value == "k"
    assert key() == key()
    assert len({key().request, key(path="/v1/x").request, key(raw=b"{} ").request, key(method="PUT").request}) == 4
    assert len(key().request) == len(hashlib.sha256().hexdigest())
    assert key(value=b" ") is None
    with pytest.raises(Refused, match="Idempotency-Key is too long"):
        key(value=b"k" * 256)


def test_an_error_has_the_shape_of_the_api() -> None:
    answer = error_of(Refused("No.", status=404, param="p", code="c"))
    assert answer.status == 404
    assert json.loads(answer.text) == {
        "error": {"message": "No.", "type": "invalid_request_error", "param": "p", "code": "c"}
    }


def test_an_answer_says_its_length_and_when_to_ask_again() -> None:
    line = Line()
    asyncio.run(send_answer(line.send, Answer('{"a":"ä"}', 200, 20), [(b"x-request-id", b"req_a")]))
    start, end = line.sent
    assert dict(start["headers"]) == {
        b"content-type": b"application/json",
        b"content-length": b"10",
        b"openai-poll-after-ms": b"20",
        b"x-request-id": b"req_a",
    }
    assert end["body"] == '{"a":"ä"}'.encode()


def test_frames_are_sent_as_they_come() -> None:
    async def frames() -> AsyncIterator[bytes]:
        yield b"event: a\ndata: {}\n\n"
        yield b"event: done\ndata: [DONE]\n\n"

    line = Line()
    asyncio.run(send_stream(line.receive, line.send, Stream(frames()), [], cut=CUT))
    assert dict(line.sent[0]["headers"])[b"content-type"].startswith(b"text/event-stream")
    assert line.body == b"event: a\ndata: {}\n\nevent: done\ndata: [DONE]\n\n"
    assert not line.sent[-1].get("more_body")


@pytest.mark.parametrize("broken", [True, False])
def test_a_client_that_has_gone_ends_the_sending(broken: bool) -> None:
    ended: list[str] = []

    async def frames() -> AsyncIterator[bytes]:
        try:
            yield b"event: a\ndata: {}\n\n"
            await asyncio.Event().wait()
        finally:
            ended.append("left")

    async def work() -> None:
        line = Line(broken=broken)

        async def receive() -> dict[str, Any]:
            while not line.body:
                await asyncio.sleep(0.001)
            return {"type": "http.disconnect"}

        told = frames()
        async with asyncio.timeout(5):
            await send_stream(receive, line.send, Stream(told), [], cut=CUT)
        await told.aclose()  # type: ignore[attr-defined]  # an async generator

    asyncio.run(work())
    assert ended == ["left"]


@pytest.mark.parametrize("kind", [ValueError, TimeoutError])
def test_what_breaks_the_frames_is_not_hidden(kind: type[Exception]) -> None:
    async def frames() -> AsyncIterator[bytes]:
        yield b"event: a\ndata: {}\n\n"
        raise kind("on purpose")

    line = Line()
    with pytest.raises(kind, match="on purpose"):
        asyncio.run(send_stream(line.receive, line.send, Stream(frames()), [], cut=CUT))
    assert line.sent[-1]["more_body"]


def test_a_stream_that_is_cut_says_so_last() -> None:
    async def frames() -> AsyncIterator[bytes]:
        yield b"event: a\ndata: {}\n\n"
        await asyncio.Event().wait()

    async def work(line: Line) -> None:
        sending = asyncio.create_task(send_stream(line.receive, line.send, Stream(frames()), [], cut=CUT))
        while len(line.sent) < 2:
            await asyncio.sleep(0)
        sending.cancel()
        await sending

    line = Line()
    asyncio.run(work(line))
    first, error, rest = line.body.decode().split("\n\n")
    assert (first, rest) == ("event: a\ndata: {}", "")
    kind, _, data = error.partition("\ndata: ")
    assert (kind, json.loads(data)["error"]["code"]) == ("event: error", "over"), "as the official client raises it"
    assert not line.sent[-1].get("more_body")
