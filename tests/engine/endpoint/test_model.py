"""The endpoint against a socket whose server says exactly what a test wants, byte by byte."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.engine.endpoint.listener import Answering, Asked, Said, event, refusal, serving
from toolkit.engine.endpoint import Endpoint
from toolkit.engine.model import ContextExceeded, Delta, Ended, ModelError, ModelRequest, Text
from toolkit.errors import EngineError

HI = [event({"content": "Hi"}), event({}, "stop"), b"data: [DONE]\n\n"]
ASK = ModelRequest("big", ['{"role":"user","content":"Hello"}'])


async def deltas_of(endpoint: Endpoint, request: ModelRequest = ASK) -> list[Delta]:
    return [delta async for delta in endpoint.complete(request)]


def complete(answering: Answering | Sequence[Said], request: ModelRequest = ASK, **options: Any) -> list[Delta]:
    async def main() -> list[Delta]:
        async with serving(answering, **options) as (_, endpoint):
            return await deltas_of(endpoint, request)

    return asyncio.run(main())


def failure(answering: Answering | Sequence[Said], request: ModelRequest = ASK, **options: Any) -> ModelError:
    with pytest.raises(ModelError) as error:
        complete(answering, request, **options)
    return error.value


DONE = [Text("Hi"), Ended("stop", (), '{"role":"assistant","content":"Hi"}', None)]


def test_what_is_sent() -> None:
    async def main() -> None:
        async with serving([Said(HI)], key="sk-1", headers={"X-Team": "a"}) as (server, endpoint):
            request = ModelRequest(
                "bíg",
                ['{"role":"system","content":"é東"}', '{"role": "user",  "content":"verbatim"}'],
                '[{"type": "function"}]',
                {"temperature": 0.5, "tool_choice": {"type": "function"}, "max_completion_tokens": 9},
            )
            await deltas_of(endpoint, request)
            [asked] = server.asked
        assert asked.line == "POST /v1/chat/completions HTTP/1.1"
        assert asked.headers["authorization"] == "Bearer sk-1"
        assert asked.headers["x-team"] == "a"
        assert asked.headers["content-type"] == "application/json"
        assert b'{"role": "user",  "content":"verbatim"}' in asked.raw
        assert asked.body == {
            "model": "bíg",
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": 0.5,
            "tool_choice": {"type": "function"},
            "max_completion_tokens": 9,
            "tools": [{"type": "function"}],
            "messages": [{"role": "system", "content": "é東"}, {"role": "user", "content": "verbatim"}],
        }

    asyncio.run(main())


def test_without_a_key_or_tools_nothing_is_said_of_them() -> None:
    async def main() -> None:
        async with serving([Said(HI)]) as (server, endpoint):
            await deltas_of(endpoint)
            assert "authorization" not in server.asked[0].headers
            assert "tools" not in server.asked[0].body

    asyncio.run(main())


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("/v1", "/v1/chat/completions"),
        ("/v1/", "/v1/chat/completions"),
        ("", "/chat/completions"),
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/openai/x?api-version=1", "/openai/x/chat/completions?api-version=1"),
    ],
)
def test_urls(url: str, path: str) -> None:
    async def main() -> None:
        async with serving(lambda _: Said(HI)) as (server, endpoint):
            base = repr(endpoint).split("'")[1].removesuffix("/v1")
            other = Endpoint(base + url)
            await deltas_of(other)
            await other.aclose()
            assert server.asked[0].line == f"POST {path} HTTP/1.1"

    asyncio.run(main())


BODY = b"".join(HI)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(Said([BODY]), id="one packet"),
        pytest.param(Said([BODY[at : at + 1] for at in range(len(BODY))]), id="byte by byte"),
        pytest.param(Said(HI, framing="close"), id="until closed"),
        pytest.param(Said([*HI, None]), id="left open after the mark"),
        pytest.param(Said(HI, framing="reset"), id="reset after the mark"),
        pytest.param(Said(HI[:2], framing="reset"), id="reset after the reason"),
        pytest.param(Said(HI, headers={"Content-Type": "text/plain"}), id="other content type"),
        pytest.param(
            Said([b'{"choices": [{"message": {"content": "Hi"}}]}'], headers={"Content-Type": "application/json"}),
            id="JSON",
        ),
    ],
)
def test_answers_that_are_whole(said: Said) -> None:
    assert complete([said]) == DONE


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(Said([]), id="nothing"),
        pytest.param(Said([b""], framing="close"), id="nothing, closed"),
        pytest.param(Said(HI[:1]), id="no end"),
        pytest.param(Said(HI[:1], framing="close"), id="closed early"),
        pytest.param(Said(HI[:1], framing="reset"), id="reset"),
        pytest.param(Said([], framing="reset"), id="reset at once"),
        pytest.param(Said([b'{"choices": [{"mess'], headers={"Content-Type": "application/json"}), id="half of JSON"),
        pytest.param(Said([*HI[:1], b'data: {"error": {"message": "Overloaded"}}\n\n']), id="error event"),
    ],
)
def test_answers_that_break_may_be_asked_for_again(said: Said) -> None:
    error = failure([said])
    assert (error.retry, error.code) == (True, "server_error")
    assert "http://127.0.0.1:" in error.message


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_refusals_that_may_pass(status: int) -> None:
    error = failure([refusal(status, {"error": {"message": "Later."}}, retry_after_ms="1500")])
    assert (error.retry, error.retry_after_s) == (True, 1.5)
    assert error.code == ("rate_limit_exceeded" if status == 429 else "server_error")
    assert "Later." in error.message


@pytest.mark.parametrize("status", [307, 400, 401, 402, 403, 404, 422])
def test_refusals_that_stay(status: int) -> None:
    error = failure([refusal(status, {"error": {"message": "No, sk-secret."}})], key="sk-secret")
    assert not error.retry
    assert "sk-secret" not in error.message


def test_a_long_request_is_told_apart() -> None:
    error = failure([refusal(400, {"error": {"message": "No.", "code": "context_length_exceeded"}})])
    assert isinstance(error, ContextExceeded)


def picky(*refused: str, status: int = 400) -> Answering:
    """A server that refuses members of the request, the first one by name."""

    def answer(asked: Asked) -> Said:
        for name in refused:
            if name in asked.body:
                return refusal(status, {"error": {"message": f"Unsupported parameter: '{name}'."}})
        return Said(HI)

    return answer


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    ("refused", "requests", "left"),
    [
        (["stream_options"], 2, {"max_completion_tokens": 9, "parallel_tool_calls": False}),
        (["parallel_tool_calls"], 2, {"stream_options": {"include_usage": True}, "max_completion_tokens": 9}),
        (
            ["max_completion_tokens"],
            2,
            {"stream_options": {"include_usage": True}, "max_tokens": 9, "parallel_tool_calls": False},
        ),
        (
            ["max_completion_tokens", "max_tokens"],
            3,
            {"stream_options": {"include_usage": True}, "parallel_tool_calls": False},
        ),
        (["stream_options", "parallel_tool_calls", "max_completion_tokens", "max_tokens"], 5, {}),
    ],
)
def test_members_a_server_refuses_are_left_out_and_remembered(
    status: int, refused: list[str], requests: int, left: dict[str, Any]
) -> None:
    async def main() -> None:
        async with serving(picky(*refused, status=status)) as (server, endpoint):
            request = ModelRequest(
                "big", ASK.messages, None, {"max_completion_tokens": 9, "parallel_tool_calls": False}
            )
            assert await deltas_of(endpoint, request) == DONE
            assert len(server.asked) == requests
            rest = {k: v for k, v in server.asked[-1].body.items() if k not in ("model", "messages", "stream")}
            assert rest == left
            assert await deltas_of(endpoint, request) == DONE
            assert len(server.asked) == requests + 1
            assert server.asked[-1].body == server.asked[-2].body

    asyncio.run(main())


def test_a_refused_value_is_left_out_but_not_remembered() -> None:
    def answer(asked: Asked) -> Said:
        if asked.body.get("max_completion_tokens", 0) > 100:
            return refusal(400, {"error": {"message": "max_completion_tokens is too large: 200."}})
        return Said(HI)

    async def main() -> None:
        async with serving(answer) as (server, endpoint):
            for tokens in (200, 50):
                await deltas_of(endpoint, ModelRequest("big", ASK.messages, None, {"max_completion_tokens": tokens}))
            assert [asked.body.get("max_completion_tokens") for asked in server.asked] == [200, None, 50]
            assert "max_tokens" not in server.asked[1].body

    asyncio.run(main())


def test_what_is_refused_with_and_without_is_refused() -> None:
    async def main() -> None:
        async with serving(lambda _: refusal(400, {"error": "stream_options, max_tokens: no"})) as (server, endpoint):
            with pytest.raises(ModelError, match="stream_options, max_tokens: no"):
                await deltas_of(endpoint)
            assert len(server.asked) == 2

    asyncio.run(main())


def test_other_refusals_are_not_repeated() -> None:
    async def main() -> None:
        for said in (refusal(500, {"error": "stream_options"}), refusal(400, {"error": "temperature"})):
            async with serving([said]) as (server, endpoint):
                with pytest.raises(ModelError):
                    await deltas_of(endpoint)
                assert len(server.asked) == 1

    asyncio.run(main())


def test_nobody_listens() -> None:
    async def main() -> None:
        listening = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        listening.close()
        await listening.wait_closed()
        endpoint = Endpoint(f"http://user:pass@127.0.0.1:{port}/v1?key=secret")
        with pytest.raises(ModelError) as error:
            await deltas_of(endpoint)
        assert error.value.retry
        assert f"http://127.0.0.1:{port}/v1 cannot be reached" in error.value.message
        assert "Is it running?" in error.value.message
        assert "pass" not in error.value.message
        assert "secret" not in error.value.message
        await endpoint.aclose()

    asyncio.run(main())


@pytest.mark.parametrize(
    "url", ["localhost:8000/v1", "ftp://host/v1", "", "http://[::1", "http://", "http://host:port/v1"]
)
def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(EngineError, match="Write it like http://localhost:11434/v1"):
        Endpoint(url)


@pytest.mark.parametrize("key", ["ключ", "two\nlines", "sk-\x00"])
def test_a_key_that_is_none(key: str) -> None:
    with pytest.raises(EngineError, match="--model-key") as error:
        Endpoint("http://localhost/v1", key=key)
    assert key not in str(error.value)


def test_a_key_as_files_hold_it() -> None:
    async def main() -> None:
        async with serving([Said(HI)], key=" sk-1\n") as (server, endpoint):
            await deltas_of(endpoint)
            assert server.asked[0].headers["authorization"] == "Bearer sk-1"

    asyncio.run(main())


@pytest.mark.parametrize("pieces", [[None], [HI[0], None]])
def test_silence_ends_with_the_time(pieces: list[bytes | None]) -> None:
    error = failure([Said(pieces)], ModelRequest("big", ASK.messages, timeout_s=0.2))
    assert error.retry
    assert "took too long" in error.message
    assert failure([Said(pieces)], timeout_s=0.2).retry


def test_text_passes_on_before_the_next_byte_is_sent() -> None:
    async def main() -> None:
        async with serving([Said([HI[0], None])]) as (server, endpoint):
            deltas = endpoint.complete(ASK)
            assert await anext(deltas) == Text("Hi")
            assert not server.gone.is_set()
            await deltas.aclose()
            await asyncio.wait_for(server.gone.wait(), 5)

    asyncio.run(main())


def test_cancelling_hangs_up() -> None:
    async def main() -> None:
        async with serving([Said([HI[0], None])]) as (server, endpoint):
            task = asyncio.create_task(deltas_of(endpoint))
            while not server.asked:
                await asyncio.sleep(0.005)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(server.gone.wait(), 5)

    asyncio.run(main())


def test_one_connection_serves_many_completions() -> None:
    async def main() -> None:
        async with serving(lambda _: Said(HI)) as (server, endpoint):
            for _ in range(5):
                assert await deltas_of(endpoint) == DONE
            assert (len(server.asked), len(server.connections)) == (5, 1)

    asyncio.run(main())


def test_an_endpoint_may_be_used_on_several_loops() -> None:
    made: list[Endpoint] = []

    async def main() -> None:
        async with serving(lambda _: Said(HI)) as (server, endpoint):
            made[:] = made or [Endpoint(repr(endpoint).split("'")[1])]
            server_of_first = repr(made[0]) == repr(Endpoint(repr(endpoint).split("'")[1]))
            if server_of_first:
                assert await deltas_of(made[0]) == DONE
            else:
                with pytest.raises(ModelError):
                    await deltas_of(made[0])
            await made[0].aclose()
            assert len(server.asked) == server_of_first

    asyncio.run(main())
    asyncio.run(main())


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"object": "list", "data": [{"id": "a"}, {"id": "b"}, {"id": "a"}]}, ["a", "b"]),
        ([{"id": "a"}, {"id": "b"}], ["a", "b"]),
        ({"models": [{"name": "a", "model": "a:latest"}, {"name": "b"}]}, ["a:latest", "b"]),
        ({"data": ["a", "b"]}, ["a", "b"]),
        ({"data": [{"id": None, "name": "a"}, {}, None, 7, {"id": ""}]}, ["a"]),
        ({"data": None}, []),
        ({}, []),
        ("a", []),
    ],
)
def test_names(body: Any, names: list[str]) -> None:
    async def main() -> None:
        async with serving([], listing=Said([json.dumps(body).encode()]), key="k") as (server, endpoint):
            assert await endpoint.names() == names
            assert server.listed[0].line == "GET /v1/models HTTP/1.1"
            assert server.listed[0].headers["authorization"] == "Bearer k"

    asyncio.run(main())


@pytest.mark.parametrize("said", [Said([b"<html>"]), Said([]), refusal(401), refusal(404), Said([], framing="reset")])
def test_names_that_cannot_be_read(said: Said) -> None:
    async def main() -> None:
        async with serving([], listing=said) as (_, endpoint):
            with pytest.raises(ModelError):
                await endpoint.names()

    asyncio.run(main())


def test_half_of_a_pair_in_a_message_is_no_failure() -> None:
    assert complete([Said(HI)], ModelRequest("big", ['{"role":"user","content":"\ud83d"}'])) == DONE
