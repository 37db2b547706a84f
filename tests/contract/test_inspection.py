"""The inspection of every answer, inspected: what is wrong is found."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from jsonschema import Draft202012Validator

from tests.contract.inspection import Inspector
from tests.contract.official import Check, definitions

THREAD: dict[str, Any] = {
    "id": "thread_1",
    "object": "thread",
    "created_at": 1,
    "metadata": {},
    "tool_resources": {},
}
HEADERS = {"x-request-id": "req_1", "openai-processing-ms": "1", "openai-version": "2020-10-01"}


def found(
    value: Any,
    status: int = 200,
    headers: dict[str, str] = HEADERS,
    path: str = "/v1/threads/thread_1",
    unknown_fields: str = "refuse",
    **sent: Any,
) -> str:
    inspector = Inspector(unknown_fields)
    request = httpx2.Request("POST" if sent else "GET", f"http://engine{path}", **sent)
    inspector.hook(httpx2.Response(status, json=value, headers=headers, request=request))
    assert inspector.answers == 1
    return "; ".join(inspector.problems)


def test_a_right_answer_has_no_problems() -> None:
    assert found(THREAD) == ""
    page = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    assert found(page, path="/v1/assistants") == ""
    error = {"message": "no", "type": "invalid_request_error", "param": None, "code": None}
    assert found({"error": error}, 404) == ""


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({**THREAD, "colour": "red"}, "'colour' was unexpected"),
        ({**THREAD, "created_at": "1"}, "'1' is not of type 'integer'"),
        ({name: THREAD[name] for name in THREAD if name != "metadata"}, "'metadata' is a required property"),
    ],
)
def test_a_wrong_answer_is_found(value: Any, problem: str) -> None:
    assert problem in found(value)


def test_wrong_errors_lists_and_headers_are_found() -> None:
    assert "'error' is a required property" in found({"detail": "no"}, 422)
    assert "'has_more' is a required property" in found({"object": "list", "data": []}, path="/v1/assistants")
    assert found(THREAD, headers={}).count("no ") == 3


def test_the_sdk_types_are_asked_too() -> None:
    assert "created_at" in found({**THREAD, "created_at": 1.0}), "an integer for the schema, but not for a strict type"


@pytest.mark.parametrize(
    ("path", "sent", "problem"),
    [
        ("/v1/threads/thread_1", {"json": {"colour": "red"}}, "'colour' was unexpected"),
        ("/openai/v1/threads", {"json": {"metadata": {"key": 1}}}, "metadata: {'key': 1} is not valid"),
        ("/threads", {"json": {"metadata": {"key": 1}}}, "metadata: {'key': 1} is not valid"),
        ("/v1/files", {"data": {"purpose": "fun"}, "files": {"file": b"x"}}, "purpose: 'fun' is not one of"),
        ("/v1/files", {"data": {"purpose": "vision"}, "files": {"data": b"x"}}, "'file' is a required property"),
        (
            "/v1/files",
            {"data": {"expires_after[seconds]": "1"}, "files": {"file": b"x"}},
            "expires_after: {'seconds': 1} is not valid",
        ),
        ("/v1/assistants?limit=many", {}, "?limit: 'many' is not of type 'integer'"),
        ("/v1/assistants?colour=red", {}, "'colour' was unexpected"),
    ],
)
def test_a_wrong_request_that_was_carried_out_is_found(path: str, sent: Any, problem: str) -> None:
    told = found(THREAD, path=path, **sent)
    assert "was carried out with" in told
    assert problem in told
    assert "was carried out" not in found({"error": {}}, 400, path=path, **sent), "it was refused, as it should be"


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/v1/threads/thread_1", {"json": {"metadata": {"key": "value"}, "tool_resources": None}}),
        ("/v1/threads", {"json": {"messages": [{"role": "user", "content": "x", "metadata": None}]}}),
    ],
)
def test_a_right_request_has_no_problems(path: str, sent: Any) -> None:
    assert found(THREAD, path=path, **sent) == ""
    assert found(THREAD, path=path, unknown_fields="warn", json={"colour": "red"}) == ""


def test_an_answer_to_what_is_no_operation_is_found() -> None:
    assert "no such operation" in found(THREAD, path="/v1/nothing")


def test_events_are_two_lines_of_known_content() -> None:
    inspector = Inspector()
    inspector.see_event(f"event: thread.created\ndata: {json.dumps(THREAD)}")
    inspector.see_event("event: done\ndata: [DONE]")
    assert inspector.problems == []
    inspector.see_event("event: thread.painted\ndata: {}")
    assert len(inspector.problems) > 0
    with pytest.raises(ValueError):
        inspector.see_event(": ping")


def test_the_fast_reader_of_schemas_says_what_the_other_does() -> None:
    odd: list[Any] = [None, True, 0, -1, 1.0, 1.5, 10**400, "", "x", "\ud83d", [], [{}], {}, {"object": "thread"}]
    values = [THREAD, *odd, *({**THREAD, name: value} for name in [*THREAD, "colour"] for value in odd)]
    for name in ("ThreadObject", "ErrorResponse", "ListThreadsResponse", "VectorStoreObject"):
        schema = {"$ref": f"#/$defs/{name}", "$defs": definitions("answers")}
        check, other = Check(schema), Draft202012Validator(schema)
        assert [value for value in values if (not check.errors(value)) != other.is_valid(value)] == [], name
        assert bool(check.errors(THREAD)) is (name != "ThreadObject")
