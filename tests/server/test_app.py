from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import uvicorn
from openai import AuthenticationError, AzureOpenAI, OpenAI

from tests.contract.official import assert_official
from tests.engine.scripted import Scripted, answer
from tests.server.conftest import Serve
from toolkit.engine import Engine


def error(response: httpx2.Response) -> dict[str, Any]:
    assert_official("ErrorResponse", response.json())
    body: dict[str, Any] = response.json()["error"]
    assert set(body) == {"message", "type", "param", "code"}
    return body


@pytest.mark.parametrize("prefix", ["/v1", "/openai", "/openai/v1", ""])
def test_every_prefix_leads_to_the_same_place(http: httpx2.Client, prefix: str) -> None:
    made = http.post(f"{prefix}/assistants?api-version=v1", json={"model": "m"}).json()
    for other in ("/v1", "/openai", ""):
        assert http.get(f"{other}/assistants/{made['id']}").json() == made


def test_every_answer_says_what_it_is(http: httpx2.Client) -> None:
    ids = set()
    for response in (http.get("/v1/assistants"), http.get("/v1/threads/thread_no"), http.get("/nowhere")):
        headers = response.headers
        assert headers["content-type"] == "application/json"
        assert headers["openai-version"] == "2020-10-01"
        assert headers["x-idempotency-key"] == "kept"
        assert int(headers["openai-processing-ms"]) >= 0
        assert headers["x-request-id"].startswith("req_")
        ids.add(headers["x-request-id"])
    assert len(ids) == 3


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v1/vector_stores/vs_a/nothing", "/v1/uploads/upload_a", "/v1/threads/t/nothing", "/v1/a/b/c/d/e/f"],
)
def test_a_path_that_is_not_served_is_a_404(http: httpx2.Client, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        response = http.request(method, path)
        assert (response.status_code, error(response)["code"]) == (404, "unknown_url")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/v1/assistants", "GET, HEAD, OPTIONS, POST"),
        ("PATCH", "/v1/threads/t", "DELETE, GET, HEAD, OPTIONS, POST"),
        ("GET", "/v1/threads/t/runs/r/cancel", "OPTIONS, POST"),
        ("DELETE", "/v1/threads/t/runs/r", "GET, HEAD, OPTIONS, POST"),
    ],
)
def test_a_wrong_method_is_a_405(http: httpx2.Client, method: str, path: str, allow: str) -> None:
    response = http.request(method, path)
    assert (response.status_code, error(response)["code"]) == (405, "method_not_supported")
    assert response.headers["allow"] == allow
    asked = http.options(path)
    assert (asked.status_code, asked.headers["allow"], asked.content) == (204, allow, b"")


def test_head_is_get_without_its_body(http: httpx2.Client) -> None:
    assistant_id = http.post("/v1/assistants", json={"model": "m"}).json()["id"]
    whole, head = http.get(f"/v1/assistants/{assistant_id}"), http.head(f"/v1/assistants/{assistant_id}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]
    assert http.head("/v1/assistants/asst_no").status_code == 404


def test_requests_without_a_body_are_not_parsed(http: httpx2.Client) -> None:
    json_without_content = {"content-type": "application/json"}
    assert http.get("/v1/assistants", headers=json_without_content).status_code == 200
    response = http.request("POST", "/v1/threads/t/runs/r/cancel", headers=json_without_content, content=b"{not json")
    assert response.status_code == 404
    made = http.post("/v1/threads", headers=json_without_content, content=b"")
    assert made.status_code == 200
    assert http.request("DELETE", f"/v1/threads/{made.json()['id']}", content=b"{not json").status_code == 200


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"null", b"[]", b'"text"', b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_a_400(http: httpx2.Client, content: bytes) -> None:
    response = http.post("/v1/threads", content=content)
    assert response.status_code == 400
    assert error(response)["type"] == "invalid_request_error"


def test_a_body_that_is_too_large_is_a_413(http: httpx2.Client) -> None:
    response = http.post("/v1/threads", content=b" " * (33 * 2**20))
    assert response.status_code == 413
    assert "32 MiB" in error(response)["message"]


def test_what_goes_wrong_inside_stays_inside(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    engine = Engine("sqlite:///:memory:", model=Scripted([answer("x")]))

    async def ask() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=engine.app)  # type: ignore[arg-type]  # its types are narrower than ASGI's
        async with httpx2.AsyncClient(transport=transport, base_url="http://engine") as client:
            first = await client.get("/v1/assistants")
            assert first.status_code == 200
            await engine.app.aclose()
            await asyncio.to_thread(engine.close)
            return await client.get("/v1/assistants/asst_a")

    with caplog.at_level(logging.ERROR, "toolkit.server"):
        response = asyncio.run(ask())
    assert (response.status_code, error(response)["type"]) == (500, "server_error")
    assert "store" not in response.text.lower()
    assert response.headers["x-request-id"] in caplog.text
    assert "The store is closed" in caplog.text


def test_the_log_has_ids_and_no_contents(http: httpx2.Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "toolkit"):
        headers = {"authorization": "Bearer my-secret"}
        http.post("/v1/threads?q=query-secret", headers=headers, json={"metadata": {"k": "body-secret"}})
        http.post("/v1/threads", headers=headers, json={"metadata": {"k": ["body-secret"]}})
    assert "POST /v1/threads 200" in caplog.text
    assert "POST /v1/threads 400" in caplog.text
    assert "secret" not in caplog.text


def test_a_path_makes_no_lines_of_its_own_in_the_log(http: httpx2.Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "toolkit.server"):
        http.get("/v1/threads/a%0Areq_b GET /health 200")
    [record] = [record for record in caplog.records if record.name == "toolkit.server"]
    assert "GET /v1/threads/a%0Areq_b%20GET%20/health%20200 404" in record.getMessage()


def test_the_health_check_needs_no_key(serve: Serve) -> None:
    assert serve(api_keys={"k": "p"}).get("/health").json() == {"status": "ok"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server on a socket, with a key for each of two projects."""
    with Engine(
        "sqlite:///:memory:", model=Scripted([answer("hello", " you")]), api_keys={"key-a": "a", "key-b": "b"}
    ) as engine:
        config = uvicorn.Config(engine.app, port=0, log_level="warning", ws="none", lifespan="on")  # type: ignore[arg-type]  # ASGI
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        [socket] = server.servers[0].sockets
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
        server.should_exit = True
        thread.join()


pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")


def test_a_key_sees_its_own_project_over_a_socket(url: str) -> None:
    a = OpenAI(api_key="key-a", base_url=f"{url}/v1")
    assistant = a.beta.assistants.create(model="m", name="mine")
    assert a.beta.assistants.retrieve(assistant.id).name == "mine"
    b = AzureOpenAI(api_key="key-b", azure_endpoint=url, api_version="2024-05-01-preview")
    assert list(b.beta.assistants.list()) == []
    azure = AzureOpenAI(api_key="key-a", azure_endpoint=url, api_version="2024-05-01-preview")
    assert [found.id for found in azure.beta.assistants.list()] == [assistant.id]
    with pytest.raises(AuthenticationError, match="Incorrect API key provided"):
        OpenAI(api_key="key-c", base_url=f"{url}/v1").beta.assistants.list()
    for client in (a, b, azure):
        client.close()


def test_no_header_over_a_socket_stands_for_a_project(url: str) -> None:
    response = httpx2.get(f"{url}/v1/assistants", headers={"toolkit.project": "a"})
    assert response.status_code == 401
    assert "didn't provide an API key" in error(response)["message"]
    assert httpx2.get(f"{url}/health").status_code == 200


def test_a_run_over_a_socket_polled_and_streamed(url: str) -> None:
    with OpenAI(api_key="key-a", base_url=f"{url}/v1") as client:
        assistant = client.beta.assistants.create(model="m")
        run = client.beta.threads.create_and_run_poll(
            assistant_id=assistant.id, thread={"messages": [{"role": "user", "content": "hi"}]}
        )
        assert run.status == "completed"
        with client.beta.threads.runs.stream(thread_id=run.thread_id, assistant_id=assistant.id) as stream:
            assert list(stream.text_deltas) == ["hello", " you"]


def test_frames_over_a_socket_have_a_name_and_one_line_of_data(url: str) -> None:
    with httpx2.Client(base_url=url, headers={"api-key": "key-a"}) as client:
        assistant_id = client.post("/assistants", json={"model": "m"}).json()["id"]
        body = {
            "assistant_id": assistant_id,
            "stream": True,
            "thread": {"messages": [{"role": "user", "content": "x"}]},
        }
        with client.stream("POST", "/threads/runs", json=body) as response:
            assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
            assert response.headers["x-request-id"].startswith("req_")
            frames = response.read().decode().split("\n\n")
    assert frames.pop() == ""
    assert frames[0].startswith("event: thread.created\ndata: {")
    assert frames[-1] == "event: done\ndata: [DONE]"
    for frame in frames[:-1]:
        event, data = frame.split("\n")
        assert event.startswith("event: thread.")
        json.loads(data.removeprefix("data: "))
