from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI, OpenAI

from toolkit.testing.links import Answer, Exchange, Sent, linked


class Service:
    """Answers compressed, and counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        headers = {"content-encoding": "gzip", "x-said": "yes", "content-type": "application/json"}
        return httpx2.Response(200, headers=headers, content=gzip.compress(b'{"real": true}'))


class Between(Exchange):
    """Does as it is told, and notes what it hears."""

    def __init__(self, sent: Sent, log: list[str], does: Mapping[str, Any]) -> None:
        self.log, self.does = log, does
        log.append(f"{sent.method} {sent.path} {sent.body}")

    def ask(self) -> Answer | None:
        answer: Answer | None = self.does.get("ask")
        return answer

    def begin(self, status: int, headers: Mapping[str, str]) -> Callable[[], Answer] | None:
        self.log.append(f"{status} {headers['x-said']}")
        instead: Callable[[], Answer] | None = self.does.get("begin")
        return instead

    def feed(self, piece: bytes) -> Iterable[bytes]:
        self.log.append(piece.decode())
        return (piece.replace(b"true", b"false"),)

    def end(self) -> Iterable[bytes]:
        self.log.append("end")
        return (b" ",)

    def left(self) -> None:
        self.log.append("left")


def get(service: Service, log: list[str], *, awaits: bool, **does: Any) -> Any:
    """Ask for something through a link, in either world."""

    def begin(sent: Sent) -> Exchange:
        return Between(sent, log, does)

    options: Any = {"api_key": "k", "base_url": "http://service/v1", "max_retries": 0}
    transport = httpx2.MockTransport(service)
    if not awaits:
        with linked(OpenAI(**options, http_client=httpx2.Client(transport=transport)), begin) as client:
            return client.post("/things?a=1", body={"b": 2}, cast_to=dict[str, Any])

    async def main() -> Any:
        http = httpx2.AsyncClient(transport=transport)
        async with linked(AsyncOpenAI(**options, http_client=http), begin) as client:
            return await client.post("/things?a=1", body={"b": 2}, cast_to=dict[str, Any])

    return asyncio.run(main())


@pytest.fixture(params=[False, True], ids=["blocking", "awaiting"])
def awaits(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_everything_is_heard_as_it_is_and_may_be_changed(awaits: bool) -> None:
    log: list[str] = []
    assert get(Service(), log, awaits=awaits) == {"real": False}
    assert log[:4] == ["POST /things?a=1 {'b': 2}", "200 yes", '{"real": true}', "end"]
    assert set(log[4:]) == {"left"}


def test_an_answer_in_its_place_asks_nobody(awaits: bool) -> None:
    service = Service()
    assert get(service, [], awaits=awaits, ask=Answer.of(200, {"ours": 1})) == {"ours": 1}
    assert service.asked == 0


def test_another_answer_comes_after_the_real_one(awaits: bool) -> None:
    service = Service()
    assert get(service, [], awaits=awaits, begin=lambda: Answer.of(200, {"ours": 1})) == {"ours": 1}
    assert service.asked == 1


def test_what_is_raised_is_met_as_a_broken_connection(awaits: bool) -> None:
    def breaks() -> Answer:
        raise httpx2.ReadError("gone")

    with pytest.raises(Exception, match="Connection error") as failed:
        get(Service(), [], awaits=awaits, begin=breaks)
    assert isinstance(failed.value.__cause__, httpx2.ReadError)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://api.openai.com/v1/threads?a=1", "/threads?a=1"),
        ("https://proxy.example/openai/v1/threads/v1", "/threads/v1"),
        ("https://llm.example/threads", "/threads"),
    ],
)
def test_paths_are_those_below_the_api(url: str, path: str) -> None:
    assert Sent("GET", httpx2.URL(url), {}, b"").path == path
