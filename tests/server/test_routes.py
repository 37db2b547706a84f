"""Every operation, by the bytes that go over the wire; what runs do is in tests/engine."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from tests.contract.official import assert_official
from tests.engine.scripted import answer, ask
from tests.server.conftest import Serve
from toolkit.engine.model import ModelCall
from toolkit.server.routes import ROUTES

CALL = ModelCall("call_a", "f", "{}")
TOOL = {"type": "function", "function": {"name": "f"}}
HI = {"role": "user", "content": "hi"}
INCLUDE = "step_details.tool_calls[*].file_search.results[*].content"


def ok(response: httpx2.Response, schema: str | None = None) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    if schema is not None:
        assert_official(schema, body)
    return body


def refused(response: httpx2.Response, status: int = 400) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert_official("ErrorResponse", response.json())
    body: dict[str, Any] = response.json()["error"]
    return body


def started(http: httpx2.Client, **body: Any) -> tuple[str, dict[str, Any]]:
    """A new run of a new assistant with a tool: the path of its runs, and the run."""
    assistant_id = ok(http.post("/v1/assistants", json={"model": "m", "tools": [TOOL]}))["id"]
    thread_id = ok(http.post("/v1/threads", json={"messages": [HI]}))["id"]
    runs = f"/v1/threads/{thread_id}/runs"
    return runs, ok(http.post(runs, json={"assistant_id": assistant_id, **body}), "RunObject")


def waited(http: httpx2.Client, runs: str, run: dict[str, Any]) -> dict[str, Any]:
    while run["status"] in ("queued", "in_progress"):
        run = ok(http.get(f"{runs}/{run['id']}", headers={"x-stainless-poll-helper": "true"}), "RunObject")
    return run


def test_no_operation_stands_twice() -> None:
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


def test_assistants(http: httpx2.Client) -> None:
    made = ok(http.post("/v1/assistants", json={"model": "m", "tools": [TOOL]}), "AssistantObject")
    path = f"/v1/assistants/{made['id']}"
    assert ok(http.get(path)) == made
    assert ok(http.post(path, json={"name": "n"})) == {**made, "name": "n"}
    listed = ok(http.get("/v1/assistants?limit=20&order=desc"), "ListAssistantsResponse")
    assert [one["id"] for one in listed["data"]] == [made["id"]]
    ok(http.delete(path), "DeleteAssistantResponse")
    assert refused(http.get(path), 404)["message"] == f"No assistant found with id '{made['id']}'."


def test_threads(http: httpx2.Client) -> None:
    made = ok(http.post("/v1/threads", json={}), "ThreadObject")
    path = f"/v1/threads/{made['id']}"
    assert ok(http.get(path)) == made
    assert ok(http.post(path, json={"metadata": {"k": "v"}})) == {**made, "metadata": {"k": "v"}}
    assert [one["id"] for one in ok(http.get("/v1/threads"))["data"]] == [made["id"]]
    ok(http.delete(path), "DeleteThreadResponse")
    assert refused(http.get(path), 404)["message"] == f"No thread found with id '{made['id']}'."


def test_messages(http: httpx2.Client) -> None:
    messages = f"/v1/threads/{ok(http.post('/v1/threads'))['id']}/messages"
    made = ok(http.post(messages, json=HI), "MessageObject")
    path = f"{messages}/{made['id']}"
    assert ok(http.get(path)) == made
    assert ok(http.post(path, json={"metadata": {"k": "v"}})) == {**made, "metadata": {"k": "v"}}
    assert refused(http.post(path, json={"content": "other"}))["message"] == "Unknown parameter: 'content'."
    listed = ok(http.get(messages), "ListMessagesResponse")
    assert [one["id"] for one in listed["data"]] == [made["id"]]
    assert ok(http.get(f"{messages}?run_id=run_a"), "ListMessagesResponse")["data"] == []
    ok(http.delete(path), "DeleteMessageResponse")
    assert refused(http.get(path), 404)["message"] == f"No message found with id '{made['id']}'."


def test_a_run_is_read_listed_changed_and_ends(http: httpx2.Client) -> None:
    runs, run = started(http)
    ended = waited(http, runs, run)
    assert ended["status"] == "completed"
    assert [one["id"] for one in ok(http.get(runs), "ListRunsResponse")["data"]] == [run["id"]]
    changed = ok(http.post(f"{runs}/{run['id']}", json={"metadata": {"k": "v"}}), "RunObject")
    assert changed == {**ended, "metadata": {"k": "v"}}
    steps = ok(http.get(f"{runs}/{run['id']}/steps?include[]={INCLUDE}"), "ListRunStepsResponse")["data"]
    assert [step["type"] for step in steps] == ["message_creation"]
    assert ok(http.get(f"{runs}/{run['id']}/steps/{steps[0]['id']}"), "RunStepObject") == steps[0]
    assert "already" not in refused(http.post(f"{runs}/{run['id']}/cancel"))["message"]


def test_outputs_are_handed_in(serve: Serve) -> None:
    http = serve(ask(CALL), answer("done"))
    runs, run = started(http)
    path = f"{runs}/{run['id']}"
    assert waited(http, runs, run)["status"] == "requires_action"
    said = refused(http.post(f"{path}/submit_tool_outputs", json={"tool_outputs": []}))["message"]
    assert said == "Expected tool outputs for call_ids ['call_a'], got []"
    outputs = {"tool_outputs": [{"tool_call_id": "call_a", "output": "x"}], "stream": False}
    moved = ok(http.post(f"{path}/submit_tool_outputs", json=outputs), "RunObject")
    assert moved["status"] == "queued"
    assert waited(http, runs, moved)["status"] == "completed"


def test_a_waiting_run_is_cancelled_without_a_body(serve: Serve) -> None:
    http = serve(ask(CALL))
    runs, run = started(http)
    waited(http, runs, run)
    cancelled = http.post(f"{runs}/{run['id']}/cancel", headers={"content-type": "application/json"})
    assert ok(cancelled, "RunObject")["status"] == "cancelled"


def test_pollers_are_told_when_to_ask_again(serve: Serve) -> None:
    http = serve([5.0, *answer("slow")], ask(CALL))
    runs, run = started(http)
    response = http.get(f"{runs}/{run['id']}")
    assert 20 <= int(response.headers["openai-poll-after-ms"]) <= 250
    ended = http.post(f"{runs}/{run['id']}/cancel")
    assert ended.json()["status"] == "cancelled"
    assert "openai-poll-after-ms" not in http.get(f"{runs}/{run['id']}").headers


def test_streams_of_all_three_kinds(serve: Serve) -> None:
    http = serve(ask(CALL), answer("done"))

    def events(path: str, body: dict[str, Any]) -> list[tuple[str, Any]]:
        response = http.post(path, json={**body, "stream": True})
        assert response.headers["content-type"].startswith("text/event-stream")
        frames = response.text.removesuffix("\n\n").split("\n\n")
        assert frames.pop() == "event: done\ndata: [DONE]"
        split = [frame.removeprefix("event: ").split("\ndata: ") for frame in frames]
        return [(name, json.loads(data)) for name, data in split]

    assistant_id = ok(http.post("/v1/assistants", json={"model": "m", "tools": [TOOL]}))["id"]
    first = events("/v1/threads/runs", {"assistant_id": assistant_id, "thread": {"messages": [HI]}})
    assert first[0][0] == "thread.created"
    assert first[-1][0] == "thread.run.requires_action"
    runs = f"/v1/threads/{first[0][1]['id']}/runs"
    outputs = {"tool_outputs": [{"tool_call_id": "call_a", "output": "x"}]}
    second = events(f"{runs}/{first[-1][1]['id']}/submit_tool_outputs", outputs)
    assert (second[0][0], second[-1][0]) == ("thread.run.step.completed", "thread.run.completed")
    third = events(runs, {"assistant_id": assistant_id})
    assert (third[0][0], third[-1][0]) == ("thread.run.created", "thread.run.completed")


def test_a_stream_that_cannot_begin_is_an_ordinary_error(http: httpx2.Client) -> None:
    response = http.post("/v1/threads/thread_no/runs", json={"assistant_id": "asst_no", "stream": True})
    assert refused(response, 404)["message"] == "No thread found with id 'thread_no'."


def test_what_may_be_included_is_checked(http: httpx2.Client) -> None:
    runs, run = started(http)
    for path in (f"{runs}/{run['id']}/steps", f"{runs}/{run['id']}/steps/step_a"):
        assert refused(http.get(path, params={"include[]": "logs"}))["code"] == "invalid_value"
    assert refused(http.post(f"{runs}?include[]=logs", json={"assistant_id": "a"}))["code"] == "invalid_value"


def test_models(http: httpx2.Client, serve: Serve) -> None:
    listed = ok(http.get("/v1/models"), "ListModelsResponse")
    assert [model["id"] for model in listed["data"]] == ["scripted", "offline"]
    assert ok(http.get("/v1/models/offline"), "Model")["id"] == "offline"
    assert refused(http.get("/v1/models/none"), 404)["code"] == "model_not_found"
    refused(http.delete("/v1/models/offline"), 400)
    slashed = serve(models={"deepseek/deepseek-coder": "offline"})
    for path in ("/v1/models/deepseek/deepseek-coder", "/v1/models/deepseek%2Fdeepseek-coder"):
        assert ok(slashed.get(path), "Model")["id"] == "deepseek/deepseek-coder"


@pytest.mark.parametrize("headers", [{}, {"openai-beta": "assistants=v2"}])
def test_a_part_of_version_1_is_refused_in_a_request_of_version_2(http: httpx2.Client, headers: Any) -> None:
    for path, body in (
        ("assistants/asst_a/files", {"file_id": "file-a"}),
        ("threads/t/messages/m/files", None),
        ("assistants", {"model": "m", "file_ids": ["file-a"]}),
        ("assistants", {"model": "m", "tools": [{"type": "retrieval"}]}),
    ):
        error = refused(http.request("POST" if body else "GET", f"/v1/{path}", json=body, headers=headers))
        assert (error["code"], error["type"]) == ("invalid_beta", "invalid_request_error")
        assert error["message"].startswith("The v1 Assistants API has been deprecated.")
        assert "the header 'OpenAI-Beta: assistants=v1'" in error["message"]


def test_unknown_fields_may_be_let_pass(serve: Serve) -> None:
    body = {"model": "m", "service_tier": "auto"}
    assert refused(serve().post("/v1/assistants", json=body))["param"] == "service_tier"
    ok(serve(unknown_fields="warn").post("/v1/assistants", json=body))


def test_the_same_key_does_the_work_once(http: httpx2.Client) -> None:
    def post(path: str, body: Any, key: str = "k") -> httpx2.Response:
        return http.post(path, json=body, headers={"idempotency-key": key})

    first = ok(post("/v1/threads", {"metadata": {"k": "v"}}))
    assert ok(post("/v1/threads", {"metadata": {"k": "v"}})) == first
    assert refused(post("/v1/threads", {"metadata": {"k": "w"}}))["code"] == "idempotency_key_reused"
    assert refused(post("/v1/assistants", {"model": "m"}))["code"] == "idempotency_key_reused"
    messages = f"/v1/threads/{first['id']}/messages"
    assert ok(post(messages, HI, "m")) == ok(post(messages, HI, "m"))
    assert len(ok(http.get(messages))["data"]) == 1
    assert ok(post("/v1/threads", {"metadata": {"k": "v"}}, "other"))["id"] != first["id"]
    assert len(ok(http.get("/v1/threads"))["data"]) == 2


def test_a_request_that_was_refused_may_be_sent_again_with_its_key(http: httpx2.Client) -> None:
    headers = {"idempotency-key": "k"}
    assert refused(http.post("/v1/threads", json={"metadata": 5}, headers=headers))
    assert ok(http.post("/v1/threads", json={}, headers=headers))
