"""How large, deep and long requests may be, and that those beyond are refused as the API refuses."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.contract.official import assert_official
from tests.contract.talk import BOTH, WEATHER
from tests.engine.scripted import answer, ask
from toolkit.engine.model import ModelError, Text


def refused(response: Any, code: str | None, param: str | None) -> str:
    assert response.status_code == 400, response.text
    assert_official("ErrorResponse", response.json())
    error = response.json()["error"]
    assert (error["code"], error["param"]) == (code, param)
    message: str = error["message"]
    return message


def test_lists_in_requests_have_a_most(begin: Any) -> None:
    talk = begin()
    part, message = {"type": "text", "text": "x"}, {"role": "user", "content": "x"}
    outputs = [{"tool_call_id": str(number), "output": ""} for number in range(1001)]
    messages, run = f"/v1/threads/{talk.thread_id}/messages", {"assistant_id": talk.assistant_id}
    assert len(talk.sent("POST", messages, json={"role": "user", "content": [part] * 1000})["content"]) == 1000
    assert talk.http.post("/v1/threads", json={"messages": [message] * 10_000}).status_code == 200
    for path, body, param, most in (
        (messages, {"role": "user", "content": [part] * 1001}, "content", 1000),
        ("/v1/threads", {"messages": [message] * 10_001}, "messages", 10_000),
        (f"/v1/threads/{talk.thread_id}/runs", {**run, "additional_messages": [message] * 10_001}, None, 10_000),
        ("/v1/threads/runs", {**run, "thread": {"messages": [message] * 10_001}}, "thread.messages", 10_000),
        ("/v1/threads/t/runs/r/submit_tool_outputs", {"tool_outputs": outputs}, "tool_outputs", 1000),
    ):
        said = refused(talk.http.post(path, json=body), "array_above_max_length", param or "additional_messages")
        assert said.endswith(f"maximum length {most}, but got an array with length {most + 1} instead.")
    assert len(talk.threads.messages.list(talk.thread_id, limit=100).data) == 2


@pytest.mark.parametrize("deep", [b"[" * 100_000, b'{"a":' * 100_000, b'{"a":[' * 300 + b"1" + b"]}" * 300])
def test_json_has_a_depth(begin: Any, deep: bytes) -> None:
    talk = begin()
    tool = b'{"model":"m","tools":[{"type":"function","function":{"name":"f","parameters":{"x":' + deep + b"}}}]}"
    for path, body in (("/v1/assistants", tool), ("/v1/threads", b'{"metadata":' + deep + b"}")):
        assert "not valid JSON: recursion limit exceeded" in refused(talk.http.post(path, content=body), None, None)


def test_what_is_deep_and_taken_comes_back(begin: Any) -> None:
    talk = begin()
    deep: Any = "x"
    for level in range(110):
        deep = {"properties": {"a": deep}} if level % 2 else [deep]
    tool = {"type": "function", "function": {"name": "f", "parameters": {"properties": {"x": deep}}}}
    made = talk.sent("POST", "/v1/assistants", json={"model": "m", "tools": [tool]})
    assert made["tools"][0]["function"]["parameters"] == tool["function"]["parameters"]
    run = talk.sent("POST", "/v1/threads/runs", json={"assistant_id": made["id"], "thread": {"messages": []}})
    assert json.dumps(deep) in json.dumps(run["tools"])


def test_each_thread_knows_how_many_messages_it_has(begin: Any, tmp_path: Path) -> None:
    """Whoever writes or deletes them: clients, runs, runs that break off, what is deleted while it is being written."""
    path = tmp_path / "store.db"
    talk = begin(
        ask(WEATHER, say=["Let me look."]),
        answer("Sunny."),
        [Text("Half a "), ModelError("reset", retry=True, retry_after_s=0)],
        answer("Whole."),
        [Text("Half a "), 30.0],
        answer("Hi"),
        store=f"sqlite:///{path}",
    )
    hi: Any = {"role": "user", "content": "hi"}
    run = talk.wait(talk.submit(talk.poll(additional_messages=[hi, hi]), BOTH[:1]))
    with talk.stream() as stream:
        stream.until_done()
    with talk.stream() as stream:
        for event in stream:
            if event.event == "thread.message.delta":
                talk.threads.messages.delete(event.data.id, thread_id=talk.thread_id)
                talk.runs.cancel(stream.current_run.id, thread_id=talk.thread_id)
    newest = talk.threads.messages.list(talk.thread_id, limit=1).data[0].id
    talk.threads.messages.delete(newest, thread_id=talk.thread_id)
    talk.threads.create(messages=[hi] * 7)
    talk.threads.create_and_run_poll(assistant_id=talk.assistant_id, thread={"messages": [hi]}, tools=[])
    assert run.status == "completed"
    with closing(sqlite3.connect(path)) as connection:
        rows = (
            "SELECT messages, (SELECT count(*) FROM message WHERE message.thread = thread.id) FROM thread ORDER BY seq"
        )
        assert connection.execute(rows).fetchall() == [(6, 6), (7, 7), (2, 2)]


@pytest.mark.slow
def test_a_thread_of_as_many_messages_as_it_may_have(begin: Any) -> None:
    talk = begin(answer("Hi"))
    hi: Any = {"role": "user", "content": "x"}
    thread = talk.threads.create(messages=[hi] * 10_000)
    run: Any = {"assistant_id": talk.assistant_id, "tools": []}
    for more in (*[10_000] * 8, 9_990):
        made = talk.runs.create(thread.id, **run, additional_messages=[hi] * more)
        assert talk.wait(made).status == "completed"
    talk.sent("POST", f"/v1/threads/{thread.id}/messages", json=hi)
    for path, body in (("messages", hi), ("runs", run)):
        response = talk.http.post(f"/v1/threads/{thread.id}/{path}", json=body)
        text = f"Can't add messages to {thread.id}: it has 100000 messages and would have 100001"
        assert refused(response, "array_above_max_length", None).startswith(text)


def test_metadata_has_a_most(begin: Any) -> None:
    talk = begin()
    for metadata, code in (
        ({str(number): "" for number in range(17)}, "object_above_max_properties"),
        ({str(number): "" for number in range(100_000)}, "object_above_max_properties"),
        ({"k" * 65: ""}, "string_above_max_length"),
        ({"k": "x" * 513}, "string_above_max_length"),
    ):
        response = talk.http.post("/v1/threads", json={"metadata": metadata})
        assert (response.status_code, response.json()["error"]["code"]) == (400, code)
        assert len(response.text) < 2000
