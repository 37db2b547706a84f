"""How large, deep and long requests may be, and that those beyond are refused as the API refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.official import assert_official


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
