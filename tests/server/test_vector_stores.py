"""What the operations on vector stores add to what the objects do: headers, reads and writes, and who is woken."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.contract.crash_store import Dying
from tests.server.conftest import Serve
from toolkit.engine.store.address import parse
from toolkit.engine.store.sqlite import SQLite
from toolkit.server.vector_stores import VECTOR_STORES

LARGE = b"many words " * 50_000
AFTER = "openai-poll-after-ms"


def ok(response: httpx2.Response) -> Any:
    assert response.status_code == 200, response.text
    return response.json()


def file(http: httpx2.Client, data: bytes = b"some words") -> str:
    made = ok(http.post("/v1/files", data={"purpose": "assistants"}, files={"file": ("a.txt", data)}))
    return str(made["id"])


def waited(http: httpx2.Client, path: str) -> httpx2.Response:
    deadline = time.monotonic() + 60
    while (answer := http.get(path)).json()["status"] == "in_progress":
        assert AFTER in answer.headers
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return answer


def test_who_waits_is_told_when_to_look_again(http: httpx2.Client) -> None:
    made = http.post("/v1/vector_stores", json={"file_ids": [file(http, LARGE)]})
    store = f"/v1/vector_stores/{ok(made)['id']}"
    added = http.post(f"{store}/files", json={"file_id": file(http)})
    batch = http.post(f"{store}/file_batches", json={"file_ids": [file(http)]})
    assert [answer.headers.get(AFTER) for answer in (made, added, batch)] == ["20"] * 3
    for path in (store, f"{store}/files/{ok(added)['id']}", f"{store}/file_batches/{ok(batch)['id']}"):
        assert AFTER not in waited(http, path).headers


def test_who_need_not_wait_is_told_nothing(http: httpx2.Client) -> None:
    made = http.post("/v1/vector_stores", json={})
    assert AFTER not in made.headers
    store = f"/v1/vector_stores/{ok(made)['id']}"
    there = file(http)
    http.post(f"{store}/files", json={"file_id": there})
    waited(http, f"{store}/files/{there}")
    for answer in (
        http.post(f"{store}/files", json={"file_id": there}),
        http.post(f"{store}/file_batches", json={"file_ids": [there]}),
        http.get(store),
    ):
        assert (ok(answer)["status"], AFTER in answer.headers) == ("completed", False)


Ask = Callable[[httpx2.Client, str], httpx2.Response]


@pytest.mark.parametrize(
    "ask",
    [
        lambda http, file_id: http.post("/v1/vector_stores", json={"file_ids": [file_id]}),
        lambda http, file_id: http.post(
            "/v1/assistants",
            json={"model": "m", "tool_resources": {"file_search": {"vector_stores": [{"file_ids": [file_id]}]}}},
        ),
        lambda http, file_id: http.post(
            "/v1/threads", json={"tool_resources": {"file_search": {"vector_stores": [{"file_ids": [file_id]}]}}}
        ),
        lambda http, file_id: http.post("/v1/threads", json={"messages": [message(file_id)]}),
        lambda http, file_id: http.post(f"/v1/threads/{thread(http)}/messages", json=message(file_id)),
    ],
    ids=["store", "assistant", "thread", "message of a thread", "message"],
)
def test_processing_begins_at_once(http: httpx2.Client, ask: Ask) -> None:
    """Not when somebody looks, once a second."""
    took_s: list[float] = []
    while min(took_s, default=1) > 0.4:  # the machine may be busy
        assert len(took_s) < 5, took_s
        file_id = file(http)
        began = time.monotonic()
        ok(ask(http, file_id))
        [store, *_] = ok(http.get("/v1/vector_stores"))["data"]
        waited(http, f"/v1/vector_stores/{store['id']}")
        took_s.append(time.monotonic() - began)


def message(file_id: str) -> Any:
    tools = [{"type": "file_search"}]
    return {"role": "user", "content": "x", "attachments": [{"file_id": file_id, "tools": tools}]}


def thread(http: httpx2.Client) -> str:
    return str(ok(http.post("/v1/threads", json={}))["id"])


def test_a_search_writes_only_now_and_then(serve: Serve, tmp_path: Path) -> None:
    """It notes that its store is used, once a minute; else it would wait for whoever writes."""
    place = tmp_path / "store.db"
    store = Dying(SQLite(parse(f"sqlite:///{place}")))
    http = serve(store=store)
    asked = {"expires_after": {"anchor": "last_active_at", "days": 1}, "file_ids": [file(http)]}
    made = ok(http.post("/v1/vector_stores", json=asked))
    path = f"/v1/vector_stores/{made['id']}"
    waited(http, path)
    time.sleep(0.1)  # whatever else begins with the engine is over
    writes = store.writes
    for _ in range(20):
        ok(http.post(f"{path}/search", json={"query": "words"}))
    assert store.writes - writes <= 2, "of who looks after the runs"
    assert ok(http.get(path))["last_active_at"] == made["last_active_at"]
    with closing(sqlite3.connect(place, isolation_level=None)) as other:
        other.execute("UPDATE vector_store SET last_active_at = last_active_at - 60")
    ok(http.post(f"{path}/search", json={"query": "words"}))
    used = ok(http.get(path))
    assert used["last_active_at"] >= made["last_active_at"]
    assert used["expires_at"] == used["last_active_at"] + 86400


def test_every_operation_is_refused_in_the_api_shape_where_nothing_is(http: httpx2.Client) -> None:
    for route in VECTOR_STORES:
        path = route.path.format(vector_store_id="vs_x", file_id="file-x", batch_id="vsfb_x")
        body = BODIES.get(path.rpartition("/")[2], {})
        answer = http.request(route.method, f"/v1/{path}", json=body if route.method == "POST" else None)
        if path == "vector_stores":
            assert answer.status_code == 200
        else:
            assert answer.status_code == 404, answer.text
            assert answer.json()["error"]["message"] == "Vector store with id 'vs_x' not found."


BODIES: dict[str, Any] = {
    "search": {"query": "x"},
    "files": {"file_id": "file-x"},
    "file-x": {"attributes": None},
    "file_batches": {"file_ids": ["file-x"]},
}
