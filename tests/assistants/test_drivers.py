"""Both worlds carry out the same steps, over real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI, InternalServerError, OpenAI

from toolkit.assistants.drivers import carry_out
from toolkit.assistants.steps import Request, Steps
from toolkit.engine import Engine


class Server(ThreadingHTTPServer):
    """Answers with what is next in line, and keeps what it was asked."""

    answers: list[tuple[int, Any]]
    asked: list[tuple[str, str, Any, dict[str, str]]]


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length", "0"))
        body = json.loads(self.rfile.read(length)) if length else None
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((self.command, self.path, body, headers))
        status, answer = self.server.answers.pop(0)
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.send_header("retry-after-ms", "1")
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.answers, server.asked = [], []
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def blocking(url: str, steps: Steps[Any]) -> Any:
    with OpenAI(base_url=url, api_key="k", http_client=httpx2.Client(verify=False)) as client:
        return carry_out("plan", client, steps)


def awaiting(url: str, steps: Steps[Any]) -> Any:
    async def main() -> Any:
        async with AsyncOpenAI(base_url=url, api_key="k", http_client=httpx2.AsyncClient(verify=False)) as client:
            return await carry_out("plan", client, steps)

    return asyncio.run(main())


Carry = Callable[[str, Steps[Any]], Any]


@pytest.fixture(params=[blocking, awaiting])
def carry(request: pytest.FixtureRequest, server: Server) -> Callable[[Steps[Any]], Any]:
    return lambda steps: request.param(f"http://127.0.0.1:{server.server_port}/v1", steps)


def test_one_request_after_another(carry: Callable[[Steps[Any]], Any], server: Server) -> None:
    def steps() -> Steps[str]:
        first = yield Request("GET", "/assistants?limit=1")
        second = yield Request("POST", "/assistants", {"model": first["model"]}, repeatable=False)
        third = yield Request("POST", "/assistants/asst_1", {"tools": []})
        return f"{second['id']} {third['id']}"

    server.answers = [(200, {"model": "m"}), (200, {"id": "one"}), (200, {"id": "two"})]
    assert carry(steps()) == "one two"
    assert [(method, path, body) for method, path, body, _ in server.asked] == [
        ("GET", "/v1/assistants?limit=1", None),
        ("POST", "/v1/assistants", {"model": "m"}),
        ("POST", "/v1/assistants/asst_1", {"tools": []}),
    ]
    assert all(headers["openai-beta"] == "assistants=v2" for *_, headers in server.asked)
    assert ["idempotency-key" in headers for *_, headers in server.asked] == [False, True, False]


def test_what_may_be_repeated_is(carry: Callable[[Steps[Any]], Any], server: Server) -> None:
    def steps() -> Steps[Any]:
        return (yield Request("POST", "/assistants/asst_1", {}))

    server.answers = [(500, {}), (200, {"id": "one"})]
    assert carry(steps()) == {"id": "one"}


def test_the_making_of_an_assistant_is_not_repeated(carry: Callable[[Steps[Any]], Any], server: Server) -> None:
    def steps() -> Steps[Any]:
        return (yield Request("POST", "/assistants", {}, repeatable=False))

    server.answers = [(500, {"error": {"message": "no"}}), (200, {"id": "one"})]
    with pytest.raises(InternalServerError):
        carry(steps())
    assert len(server.asked) == 1


def test_other_clients_are_refused_in_one_sentence() -> None:
    def steps() -> Steps[Any]:
        return (yield Request("GET", "/assistants"))

    with pytest.raises(TypeError, match=r"plan\(\) takes an openai\.OpenAI or openai\.AsyncOpenAI first, not str"):
        carry_out("plan", "client", steps())  # type: ignore[call-overload]  # the point of the test
    with (
        Engine("sqlite:///:memory:") as engine,
        pytest.raises(TypeError, match=r"not Engine; write engine\.client\(\)"),
    ):
        carry_out("plan", engine, steps())  # type: ignore[call-overload]  # the point of the test
