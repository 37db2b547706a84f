"""What happens on the way: compression, slowness, size, proxies, redirects, and what requests carry."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import zlib
from collections.abc import Sequence
from typing import Any

import pytest

from tests.engine.endpoint.listener import Answering, Said, event, refusal, serving
from toolkit.engine.endpoint import Endpoint
from toolkit.engine.model import Delta, Ended, ModelError, ModelRequest, Text
from toolkit.errors import EngineError

HI = [event({"content": "Hi"}), event({}, "stop"), b"data: [DONE]\n\n"]
ASK = ModelRequest("big", ['{"role":"user","content":"Hello"}'])


async def text_of(endpoint: Endpoint, request: ModelRequest = ASK) -> str:
    deltas = [delta async for delta in endpoint.complete(request)]
    assert isinstance(deltas[-1], Ended)
    return "".join(delta.value for delta in deltas if isinstance(delta, Text))


def complete(answering: Answering | Sequence[Said], **options: Any) -> str:
    async def main() -> str:
        async with serving(answering, **options) as (_, endpoint):
            return await text_of(endpoint)

    return asyncio.run(main())


@pytest.mark.parametrize(("name", "press"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_compressed_answer_though_none_was_asked_for(name: str, press: Any) -> None:
    body = press(b"".join(HI))
    headers = {"Content-Encoding": name}
    assert complete([Said([body], headers=headers)]) == "Hi"
    assert complete([Said([body[at : at + 1] for at in range(len(body))], headers=headers)]) == "Hi"
    for broken in (Said([body[: len(body) // 2]], headers=headers), Said([b"no " + body], headers=headers)):
        with pytest.raises(ModelError) as error:
            complete([broken])
        assert error.value.retry


def test_a_slow_drip_takes_its_time() -> None:
    body = b"".join(HI)
    pieces = [body[at : at + 8] for at in range(0, len(body), 8)]
    assert complete([Said(pieces, pause_s=0.01)]) == "Hi"


def test_comments_do_not_keep_a_call_alive_for_ever() -> None:
    async def main() -> ModelError:
        async with serving([Said([b": ping\n\n"] * 1000, pause_s=0.02)]) as (_, endpoint):
            with pytest.raises(ModelError) as error:
                await text_of(endpoint, ModelRequest("big", ASK.messages, timeout_s=0.2))
            return error.value

    error = asyncio.run(main())
    assert error.retry
    assert "took too long" in error.message


@pytest.mark.parametrize("packet", [1 << 12, 1 << 20, 1 << 22])
def test_a_line_of_a_megabyte(packet: int) -> None:
    long = "é" * (1 << 19)
    body = b"".join([event({"content": long}), *HI[1:]])
    assert complete([Said([body[at : at + packet] for at in range(0, len(body), packet)])]) == long
    whole = json.dumps({"choices": [{"message": {"content": long}}]}).encode()
    assert complete([Said([whole], framing="length")]) == long


def test_arguments_of_a_megabyte() -> None:
    piece = json.dumps({"text": "x" * (1 << 20)})
    calls = [{"index": 0, "id": "c", "function": {"name": "f", "arguments": piece}}]

    async def main() -> Delta:
        async with serving([Said([event({"tool_calls": calls}), *HI[1:]])]) as (_, endpoint):
            return [delta async for delta in endpoint.complete(ASK)][-1]

    ended = asyncio.run(main())
    assert isinstance(ended, Ended)
    assert ended.calls[0].arguments == piece


def test_many_small_events_cost_what_they_are() -> None:
    body = b"".join([event({"content": "x"}) * 50_000, *HI[1:]])
    began = time.monotonic()
    assert complete([Said([body])]) == "x" * 50_000
    assert time.monotonic() - began < 20  # it takes 1; were each event looked at with all before it, minutes


@pytest.mark.parametrize("ending", [[None], [b""]])
def test_a_server_that_never_closes(ending: list[bytes | None]) -> None:
    async def main() -> float:
        async with serving([Said([*HI, *ending]), Said(HI)]) as (_, endpoint):
            began = asyncio.get_running_loop().time()
            assert await text_of(endpoint) == "Hi"
            assert await text_of(endpoint) == "Hi"  # the next one is not held up either
            return asyncio.get_running_loop().time() - began

    assert asyncio.run(main()) < 3


@pytest.mark.slow
def test_an_idle_connection_is_let_go_before_its_server_does() -> None:
    """uvicorn closes after 5 s: a request that was sent at that moment would be lost."""

    async def main() -> None:
        async with serving(lambda _: Said(HI)) as (server, endpoint):
            for pause_s, connections in ((0, 1), (0.5, 1), (4.5, 2)):
                await asyncio.sleep(pause_s)
                assert await text_of(endpoint) == "Hi"
                assert len(server.connections) == connections

    asyncio.run(main())


def test_query_and_headers_as_azure_wants_them() -> None:
    async def main() -> None:
        options: dict[str, Any] = {
            "key": "sk-1",
            "key_header": "api-key",
            "headers": {"X-Team": "a"},
            "query": {"api-version": "2024-10-21", "a b": "é&"},
            "path": "/openai/deployments/big?x=1",
        }
        async with serving([Said(HI)], **options) as (server, endpoint):
            assert await text_of(endpoint) == "Hi"
            [asked] = server.asked
            query = "x=1&api-version=2024-10-21&a+b=%C3%A9%26"
            assert asked.line == f"POST /openai/deployments/big/chat/completions?{query} HTTP/1.1"
            assert (asked.headers["api-key"], asked.headers["x-team"]) == ("sk-1", "a")
            assert "authorization" not in asked.headers
            with pytest.raises(ModelError):
                await endpoint.names()
            assert server.listed[0].line == f"GET /openai/deployments/big/models?{query} HTTP/1.1"

    asyncio.run(main())


def test_own_headers_win_however_they_are_written() -> None:
    async def main() -> None:
        headers = {"authorization": "Basic abc", "user-agent": "mine"}
        async with serving([Said(HI)], key="sk-1", headers=headers) as (server, endpoint):
            assert await text_of(endpoint) == "Hi"
            [asked] = server.asked
            assert (asked.headers["authorization"], asked.headers["user-agent"]) == ("Basic abc", "mine")
            assert asked.names.count("authorization") == asked.names.count("user-agent") == 1

    asyncio.run(main())


def test_secrets_of_headers_and_query_are_not_shown() -> None:
    said = refusal(400, {"error": {"message": "Not k-one, not k-two, not k-three; team blue, version 7."}})

    async def main() -> str:
        options: dict[str, Any] = {
            "key": "k-one",
            "headers": {"X-Auth-Token": "k-two", "X-Team": "blue"},
            "query": {"api_key": "k-three", "api-version": "7"},
        }
        async with serving([said], **options) as (_, endpoint):
            assert "k-" not in repr(endpoint)
            with pytest.raises(ModelError) as error:
                await text_of(endpoint)
            return error.value.message

    assert "Not [key], not [key], not [key]; team blue, version 7." in asyncio.run(main())


@pytest.mark.parametrize(
    "options",
    [
        {"headers": {"A B": "x"}},
        {"headers": {"": "x"}},
        {"headers": {"A": "two\nlines"}},
        {"headers": {"A": "ключ"}},
        {"key": "k", "key_header": "A:"},
    ],
)
def test_headers_that_are_none(options: dict[str, Any]) -> None:
    with pytest.raises(EngineError, match="is no header"):
        Endpoint("http://localhost/v1", **options)


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://new.example/v2/chat/completions?key=secret", "has moved to https://new.example/v2 (status 308)"),
        ("https://user:secret@new.example/v2/", "has moved to https://new.example/v2 (status 308)"),
        ("/v1/chat/completions/", "/v1 (status 308)"),
        (None, "has moved (status 308)"),
        ("http://[secret", "has moved (status 308)"),
    ],
)
def test_a_redirect_is_named_and_not_followed(location: str | None, shown: str) -> None:
    async def main() -> ModelError:
        headers = {"Location": location} if location else {}
        async with serving([Said([b""], 308, headers)], key="k") as (server, endpoint):
            with pytest.raises(ModelError) as error:
                await text_of(endpoint)
            assert len(server.asked) == 1
            return error.value

    error = asyncio.run(main())
    assert shown in error.message
    assert "secret" not in error.message
    assert "--model-url" in error.message
    assert not error.retry


def test_a_proxy_is_used_but_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "no_proxy", "all_proxy", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    async def main() -> None:
        async with serving(lambda _: Said(HI)) as (proxy, through), serving(lambda _: Said(HI)) as (server, endpoint):
            monkeypatch.setenv("HTTP_PROXY", repr(through).split("'")[1].removesuffix("/v1"))
            assert await text_of(endpoint) == "Hi"
            assert (len(server.asked), len(proxy.asked)) == (1, 0)
            far = Endpoint("http://model.example/v1")
            assert await text_of(far) == "Hi"
            assert [asked.line for asked in proxy.asked] == ["POST http://model.example/v1/chat/completions HTTP/1.1"]
            await far.aclose()
            for here in ("http://localhost:1/v1", "http://127.0.0.2:1/v1", "http://[::1]:1/v1", "http://0.0.0.0:1/v1"):
                near = Endpoint(here)
                with pytest.raises(ModelError):
                    await text_of(near)
                await near.aclose()
            assert len(proxy.asked) == 1

    asyncio.run(main())


@pytest.mark.parametrize(
    ("proxy", "says"), [("socks5://127.0.0.1:9", "pip install socksio"), ("nonsense://secret", "is not understood")]
)
def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, proxy: str, says: str) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    assert complete([Said(HI)]) == "Hi"

    async def main() -> None:
        far = Endpoint("http://model.example/v1")
        for asking in (text_of(far), far.names()):
            with pytest.raises(ModelError) as error:
                await asking
            assert says in error.value.message
            assert not error.value.retry
            assert "secret" not in error.value.message

    asyncio.run(main())


LISTING = Said([json.dumps({"data": [{"id": "big", "max_model_len": 4096}, {"id": "small"}]}).encode()])


def test_windows_are_learned_beside_the_first_answer() -> None:
    async def main() -> None:
        async with serving(lambda _: Said(HI), listing=LISTING) as (server, endpoint):
            assert endpoint.window("big") is None
            assert await text_of(endpoint) == "Hi"
            while endpoint.window("big") is None:
                await asyncio.sleep(0.005)
            assert (endpoint.window("big"), endpoint.window("small"), endpoint.window("none")) == (4096, None, None)
            assert await text_of(endpoint) == "Hi"
            await asyncio.sleep(0.05)
            assert len(server.listed) == 1  # it is not asked for with every completion

    asyncio.run(main())


@pytest.mark.parametrize(
    "listing", [refusal(404), refusal(500), Said([b"<html>"]), Said([None]), Said([b"[" * 99_999])]
)
def test_a_listing_that_fails_or_hangs_harms_nothing(listing: Said) -> None:
    async def main() -> None:
        async with serving(lambda _: Said(HI), listing=listing) as (_, endpoint):
            for _each in range(3):
                assert await asyncio.wait_for(text_of(endpoint), 10) == "Hi"
            assert endpoint.window("big") is None

    asyncio.run(main())


def test_a_window_that_was_set_is_not_asked_for() -> None:
    async def main() -> None:
        async with serving(lambda _: Said(HI), listing=LISTING, context_tokens=100) as (server, endpoint):
            assert await text_of(endpoint) == "Hi"
            await asyncio.sleep(0.05)
            assert (endpoint.window("big"), endpoint.window("any"), server.listed) == (100, 100, [])

    asyncio.run(main())
