"""What API v1 asks for and sees, by the bytes that go over the wire."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from tests.contract.official import assert_official
from tests.engine.scripted import answer, ask
from tests.server.conftest import Serve
from toolkit.engine.model import ModelCall, Text
from toolkit.server import routes
from toolkit.server.v1.routes import ROUTES

V1 = {"openai-beta": "assistants=v1"}
CODE, FUNCTION = {"type": "code_interpreter"}, {"type": "function", "function": {"name": "f"}}
HI = {"role": "user", "content": "hi"}


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


def upload(http: httpx2.Client) -> str:
    made = http.post("/v1/files", data={"purpose": "assistants"}, files={"file": ("a.txt", b"a")})
    file_id: str = ok(made)["id"]
    return file_id


def test_every_operation_of_v2_is_one_of_v1_and_none_stands_twice() -> None:
    operations = [route.operation for route in ROUTES]
    assert len(set(operations)) == len(operations)
    assert {route.operation for route in routes.ROUTES} <= set(operations)


def test_an_assistant_in_both_forms(http: httpx2.Client) -> None:
    file_id = upload(http)
    body = {"model": "m", "tools": [CODE], "file_ids": [file_id]}
    made = ok(http.post("/v1/assistants", json=body, headers=V1))
    path = f"/v1/assistants/{made['id']}"
    assert (made["file_ids"], made["tools"], "tool_resources" in made) == ([file_id], [CODE], False)
    assert ok(http.get(path, headers=V1)) == made
    assert ok(http.get("/v1/assistants", headers=V1))["data"] == [made]
    seen = ok(http.get(path), "AssistantObject")
    assert (seen["tool_resources"], "file_ids" in seen) == ({"code_interpreter": {"file_ids": [file_id]}}, False)
    azure = ok(http.get(f"/openai/assistants/{made['id']}?api-version=2024-02-15-preview"))
    assert azure == made
    ok(http.delete(path, headers=V1), "DeleteAssistantResponse")


def test_an_assistant_is_given_other_files_and_tools(http: httpx2.Client) -> None:
    first, second = upload(http), upload(http)
    path = (
        f"/v1/assistants/{ok(http.post('/v1/assistants', json={'model': 'm', 'file_ids': [first]}, headers=V1))['id']}"
    )

    def changed(**body: Any) -> dict[str, Any]:
        return ok(http.post(path, json=body, headers=V1))

    assert changed(name="n")["file_ids"] == [first]
    assert changed(file_ids=[first, second], tools=[CODE])["file_ids"] == [first, second]
    assert ok(http.get(path))["tool_resources"] == {"code_interpreter": {"file_ids": [first, second]}}
    assert changed(tools=[FUNCTION], metadata={"k": "v"})["file_ids"] == [first, second]
    assert changed(tool_resources={"code_interpreter": {"file_ids": [first]}})["file_ids"] == [first]
    for none in ([], None):
        changed(file_ids=[second])
        assert changed(file_ids=none)["file_ids"] == []
    seen = ok(http.get(path), "AssistantObject")
    assert (seen["name"], seen["metadata"], "file_ids" in seen) == ("n", {"k": "v"}, False)
    assert refused(http.post(path, json={"file_ids": ["file-x"]}, headers=V1), 404)["message"] == (
        "No such File object: file-x"
    )
    assert refused(http.post(path, json={"file_ids": "file-x"}, headers=V1))["param"] == "file_ids"
    assert refused(http.post(path, json={"file_ids": ["f"] * 2, "tools": 5}, headers=V1))["param"] == "tools"
    both = {"file_ids": [first], "tool_resources": {"code_interpreter": {"file_ids": [first]}}}
    assert refused(http.post(path, json=both, headers=V1))["code"] == "invalid_beta"
    refused(http.post("/v1/assistants/asst_no", json={"file_ids": []}, headers=V1), 404)


def test_files_are_attached_listed_and_detached(http: httpx2.Client) -> None:
    made = ok(http.post("/v1/assistants", json={"model": "m", "tools": [CODE]}, headers=V1))
    files = f"/v1/assistants/{made['id']}/files"
    assert ok(http.get(files, headers=V1)) == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }
    attached = [ok(http.post(files, json={"file_id": upload(http)}, headers=V1)) for _ in range(3)]
    assert attached[0] == {
        "id": attached[0]["id"],
        "object": "assistant.file",
        "created_at": made["created_at"],
        "assistant_id": made["id"],
    }
    first, second, third = (file["id"] for file in attached)
    assert ok(http.post(files, json={"file_id": first}, headers=V1)) == attached[0], "once more is no harm"
    assert ok(http.get(files, headers=V1))["data"] == attached[::-1]
    page = ok(http.get(f"{files}?order=asc&limit=1&after={first}", headers=V1))
    assert (page["data"], page["has_more"], page["last_id"]) == ([attached[1]], True, second)
    assert ok(http.get(f"{files}/{second}", headers=V1)) == attached[1]
    gone = ok(http.delete(f"{files}/{second}", headers=V1))
    assert gone == {"id": second, "object": "assistant.file.deleted", "deleted": True}
    assert ok(http.get(f"/v1/assistants/{made['id']}", headers=V1))["file_ids"] == [first, third]
    for response in (http.get(f"{files}/{second}", headers=V1), http.delete(f"{files}/{second}", headers=V1)):
        assert refused(response, 404)["message"] == f"No file found with id '{second}'."
    ok(http.delete(f"/v1/files/{third}"))
    assert [file["id"] for file in ok(http.get(files, headers=V1))["data"]] == [first]
    assert refused(http.get(f"{files}?limit=0", headers=V1))["param"] == "limit"
    assert refused(http.get(f"{files}?after=file-x", headers=V1))["param"] == "after"
    assert refused(http.post(files, json={}, headers=V1))["param"] == "file_id"
    assert refused(http.post(files, json={"file_id": "file-x"}, headers=V1), 404)["message"].endswith("file-x")
    refused(http.get("/v1/assistants/asst_no/files", headers=V1), 404)


def test_a_file_is_attached_once_for_a_key(http: httpx2.Client) -> None:
    made = ok(http.post("/v1/assistants", json={"model": "m"}, headers=V1))
    files, body, headers = (
        f"/v1/assistants/{made['id']}/files",
        {"file_id": upload(http)},
        {**V1, "idempotency-key": "k"},
    )
    first = ok(http.post(files, json=body, headers=headers))
    ok(http.delete(f"{files}/{body['file_id']}", headers=V1))
    assert ok(http.post(files, json=body, headers=headers)) == first
    assert ok(http.get(files, headers=V1))["data"] == []


def events(response: httpx2.Response) -> list[tuple[str, Any]]:
    assert response.headers["content-type"].startswith("text/event-stream")
    frames = response.text.removesuffix("\n\n").split("\n\n")
    assert frames.pop() == "event: done\ndata: [DONE]"
    split = [frame.removeprefix("event: ").split("\ndata: ") for frame in frames]
    return [(name, json.loads(data)) for name, data in split]


def test_streams_are_those_of_v1_event_by_event(serve: Serve) -> None:
    http = serve(ask(ModelCall("call_a", "f", "{}")), answer("Grüße, ", "\N{SMILING FACE WITH OPEN MOUTH}"))
    assistant_id = ok(http.post("/v1/assistants", json={"model": "m", "tools": [FUNCTION]}))["id"]
    body = {"assistant_id": assistant_id, "thread": {"messages": [HI]}, "stream": True}
    first = events(http.post("/v1/threads/runs", json=body, headers=V1))
    assert [name for name, _ in first] == [
        "thread.created",
        "thread.run.created",
        "thread.run.queued",
        "thread.run.in_progress",
        "thread.run.step.created",
        "thread.run.step.in_progress",
        *["thread.run.step.delta"] * 3,
        "thread.run.requires_action",
    ]
    assert "tool_resources" not in first[0][1]
    run = first[-1][1]
    assert (run["file_ids"], "tool_resources" in run) == ([], False)
    path = f"/v1/threads/{run['thread_id']}/runs/{run['id']}/submit_tool_outputs"
    outputs = {"tool_outputs": [{"tool_call_id": "call_a", "output": "x"}], "stream": True}
    second = events(http.post(path, json=outputs, headers=V1))
    deltas = [data["delta"]["content"][0]["text"]["value"] for name, data in second if name == "thread.message.delta"]
    assert "".join(deltas) == "Grüße, \N{SMILING FACE WITH OPEN MOUTH}"
    message = next(data for name, data in second if name == "thread.message.completed")
    assert (message["file_ids"], "attachments" in message) == ([], False)
    assert message["content"][0]["text"]["value"] == "".join(deltas)
    listed = ok(http.get(f"/v1/threads/{run['thread_id']}/messages", headers=V1))["data"]
    assert listed[0] == message
    assert ok(http.get(f"/v1/threads/{run['thread_id']}/runs", headers=V1))["data"] == [second[-1][1]]


def test_half_a_letter_in_a_stream_passes_unharmed(serve: Serve) -> None:
    script = list(answer("\ud83d\ude00"))
    http = serve([Text("\ud83d"), Text("\ude00"), script[-1]])
    assistant_id = ok(http.post("/v1/assistants", json={"model": "m"}))["id"]
    body = {"assistant_id": assistant_id, "thread": {"messages": [HI]}, "stream": True}
    response = http.post("/v1/threads/runs", json=body, headers=V1)
    assert '"value": "\\ud83d"' in response.text.replace('":"', '": "')
    assert events(response)[-1][0] == "thread.run.completed"


def test_large_answers_are_translated_too(http: httpx2.Client) -> None:
    thread = ok(http.post("/v1/threads", json={"messages": [{**HI, "content": "x" * 200_000}] * 2}, headers=V1))
    listed = ok(http.get(f"/v1/threads/{thread['id']}/messages", headers=V1))["data"]
    assert [message["file_ids"] for message in listed] == [[], []]


def test_files_of_files_and_models_are_as_ever(http: httpx2.Client) -> None:
    file_id = upload(http)
    assert http.get(f"/v1/files/{file_id}/content", headers=V1).content == b"a"
    assert ok(http.get(f"/v1/files/{file_id}", headers=V1), "OpenAIFile")["status"] == "processed"
    assert ok(http.get("/v1/models", headers=V1), "ListModelsResponse")["data"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("threads", {"file_ids": []}),
        ("threads/thread_a/runs", {"assistant_id": "a", "file_ids": ["file-a"]}),
        ("threads/thread_a/messages/msg_a", {"file_ids": ["file-a"]}),
        ("threads/thread_a/messages/msg_a/files", {"file_id": "file-a"}),
    ],
)
def test_what_v1_did_not_have_is_told_in_the_reported_words(http: httpx2.Client, path: str, body: Any) -> None:
    error = refused(http.post(f"/v1/{path}", json=body, headers=V1))
    assert error["code"] == "invalid_beta"
    assert error["message"].startswith("The v1 Assistants API has been deprecated.")
