"""What the API says to a request it refuses: exact texts, `param`, `code` and status, in its one shape."""

from __future__ import annotations

from typing import Any

import pytest
from openai import BadRequestError, NotFoundError

from tests.contract.official import properties
from tests.contract.talk import BOTH, FLIGHTS, WEATHER
from tests.engine.scripted import answer, ask

LONG = "x" * 257
ASSISTANTS = "/v1/assistants"
THREADS = "/v1/threads"


def refused(talk: Any, method: str, path: str, **sent: Any) -> tuple[int, str, Any, Any]:
    """Send a request that is refused; gives its status and the error's message, param and code."""
    answer = talk.http.request(method, path, **sent)
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    return answer.status_code, error["message"], error["param"], error["code"]


CREATE_ASSISTANT = [
    ({}, "Missing required parameter: 'model'.", "model", "missing_required_parameter"),
    ({"model": "m", "x": 1}, "Unknown parameter: 'x'.", "x", "unknown_parameter"),
    (
        {"model": 5},
        "Invalid type for 'model': expected a string, but got an integer instead.",
        "model",
        "invalid_type",
    ),
    (
        {"model": "m", "name": LONG},
        "Invalid 'name': string too long. Expected a string with maximum length 256, but got a string with length 257 "
        "instead.",
        "name",
        "string_above_max_length",
    ),
    (
        {"model": "m", "description": "x" * 513},
        "Invalid 'description': string too long. Expected a string with maximum length 512, but got a string with "
        "length 513 instead.",
        "description",
        "string_above_max_length",
    ),
    (
        {"model": "m", "instructions": "x" * 256_001},
        "Invalid 'instructions': string too long. Expected a string with maximum length 256000, but got a string with "
        "length 256001 instead.",
        "instructions",
        "string_above_max_length",
    ),
    (
        {"model": "m", "metadata": {"k" * 65: "v"}},
        f"Invalid property name in 'metadata': '{'k' * 65}' is too long. Expected a string with maximum length 64, but "
        "got a string with length 65 instead.",
        f"metadata.{'k' * 65}",
        "string_above_max_length",
    ),
    (
        {"model": "m", "metadata": {"k": "v" * 513}},
        "Invalid 'metadata.k': string too long. Expected a string with maximum length 512, but got a string with "
        "length 513 instead.",
        "metadata.k",
        "string_above_max_length",
    ),
    (
        {"model": "m", "metadata": {str(number): "v" for number in range(17)}},
        "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object "
        "with 17 properties instead.",
        "metadata",
        "object_above_max_properties",
    ),
    (
        {"model": "m", "temperature": 2.5},
        "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.5 instead.",
        "temperature",
        "decimal_above_max_value",
    ),
    (
        {"model": "m", "top_p": -1},
        "Invalid 'top_p': decimal below minimum value. Expected a value >= 0, but got -1 instead.",
        "top_p",
        "decimal_below_min_value",
    ),
    (
        {"model": "m", "response_format": {"type": "xml"}},
        "Invalid value: 'xml'. Supported values are: 'text', 'json_object', and 'json_schema'.",
        "response_format.type",
        "invalid_value",
    ),
    (
        {"model": "m", "reasoning_effort": "huge"},
        "Invalid value: 'huge'. Supported values are: 'none', 'minimal', 'low', 'medium', 'high', 'xhigh', and 'max'.",
        "reasoning_effort",
        "invalid_value",
    ),
    (
        {"model": "m", "tools": [{"type": "browser"}]},
        "Invalid value: 'browser'. Supported values are: 'function', 'code_interpreter', and 'file_search'.",
        "tools[0].type",
        "invalid_value",
    ),
    (
        {"model": "m", "tools": [{"type": "function", "function": {"name": "a b"}}]},
        "Invalid 'tools[0].function.name': string does not match pattern. Expected a string that matches the pattern "
        "'^[A-Za-z0-9_-]+$'.",
        "tools[0].function.name",
        "invalid_value",
    ),
    (
        {"model": "m", "tools": [{"type": "function", "function": {"name": "f" * 65}}]},
        "Invalid 'tools[0].function.name': string too long. Expected a string with maximum length 64, but got a string "
        "with length 65 instead.",
        "tools[0].function.name",
        "string_above_max_length",
    ),
    (
        {"model": "m", "tools": {}},
        "Invalid type for 'tools': expected an array, but got an object instead.",
        "tools",
        "invalid_type",
    ),
]


@pytest.mark.parametrize(("body", "message", "param", "code"), CREATE_ASSISTANT)
def test_a_bad_assistant(begin: Any, body: Any, message: str, param: str, code: str) -> None:
    assert refused(begin(), "POST", ASSISTANTS, json=body) == (400, message, param, code)


def test_bad_messages_and_threads(begin: Any) -> None:
    talk = begin()
    path = f"{THREADS}/{talk.thread_id}/messages"
    for body, message, param, code in [
        ({"content": "x"}, "Missing required parameter: 'role'.", "role", "missing_required_parameter"),
        (
            {"role": "tool", "content": "x"},
            "Invalid value: 'tool'. Supported values are: 'user' and 'assistant'.",
            "role",
            "invalid_value",
        ),
        ({"role": "user", "content": ""}, "Message content must be non-empty.", "content", None),
        (
            {"role": "user", "content": [{"type": "audio"}]},
            "Invalid value: 'audio'. Supported values are: 'text', 'image_url', and 'image_file'.",
            "content[0].type",
            "invalid_value",
        ),
        (
            {"role": "user", "content": "x" * 256_001},
            "Invalid 'content': string too long. Expected a string with maximum length 256000, but got a string with "
            "length 256001 instead.",
            "content",
            "string_above_max_length",
        ),
    ]:
        assert refused(talk, "POST", path, json=body) == (400, message, param, code)
    status, message, param, code = refused(talk, "POST", THREADS, json={"messages": [{"role": "user"}]})
    assert (status, message, param) == (
        400,
        "Missing required parameter: 'messages[0].content'.",
        "messages[0].content",
    )
    assert talk.texts() == ["hello"]


def test_bad_runs(begin: Any) -> None:
    talk = begin()
    path = f"{THREADS}/{talk.thread_id}/runs"
    right = {"assistant_id": talk.assistant_id}
    for body, message, param, code in [
        ({}, "Missing required parameter: 'assistant_id'.", "assistant_id", "missing_required_parameter"),
        (
            {**right, "max_prompt_tokens": 255},
            "Invalid 'max_prompt_tokens': integer below minimum value. Expected a value >= 256, but got 255 instead.",
            "max_prompt_tokens",
            "integer_below_min_value",
        ),
        (
            {**right, "truncation_strategy": {"type": "last_messages", "last_messages": 0}},
            "Invalid 'truncation_strategy.last_messages': integer below minimum value. Expected a value >= 1, but got "
            "0 instead.",
            "truncation_strategy.last_messages",
            "integer_below_min_value",
        ),
        (
            {**right, "tool_choice": "always"},
            "Invalid value: 'always'. Supported values are: 'none', 'auto', and 'required'.",
            "tool_choice",
            "invalid_value",
        ),
        (
            {**right, "stream": "yes"},
            "Invalid type for 'stream': expected a boolean, but got a string instead.",
            "stream",
            "invalid_type",
        ),
        (
            {**right, "service_tier": "flex"},
            "Unknown parameter: 'service_tier'.",
            "service_tier",
            "unknown_parameter",
        ),
    ]:
        assert refused(talk, "POST", path, json=body) == (400, message, param, code)
    assert list(talk.runs.list(talk.thread_id)) == []


def test_runs_that_the_engine_cannot_do_are_refused_when_they_are_made(begin: Any) -> None:
    talk = begin()
    path = f"{THREADS}/{talk.thread_id}/runs"
    right = {"assistant_id": talk.assistant_id}
    for more, param in [
        ({"tool_choice": {"type": "function", "function": {"name": "nobody"}}}, "tool_choice"),
        ({"tool_choice": {"type": "file_search"}}, "tool_choice"),
        ({"tool_resources": {"file_search": {"vector_store_ids": ["vs_1"]}}}, "tool_resources"),
    ]:
        status, _, told, _ = refused(talk, "POST", path, json={**right, **more})
        assert (status, told) == (400, param)


def test_state_is_refused_with_the_known_texts(start: Any) -> None:
    talk = start(ask(WEATHER, FLIGHTS), answer("Hi"))
    run, thread = talk.poll(), talk.thread_id
    with pytest.raises(BadRequestError) as error:
        talk.threads.messages.create(thread, role="user", content="x")
    assert error.value.body["message"] == f"Can't add messages to {thread} while a run {run.id} is active."
    with pytest.raises(BadRequestError) as error:
        talk.create()
    assert error.value.body["message"] == f"Thread {thread} already has an active run {run.id}."
    with pytest.raises(BadRequestError) as error:
        talk.submit(run, BOTH[:1])
    assert error.value.body["message"] == "Expected tool outputs for call_ids ['call_a', 'call_b'], got ['call_a']"
    assert talk.wait(talk.submit(run)).status == "completed"
    with pytest.raises(BadRequestError) as error:
        talk.submit(run)
    assert error.value.body["message"] == 'Runs in status "completed" do not accept tool outputs.'
    with pytest.raises(BadRequestError) as error:
        talk.runs.cancel(run.id, thread_id=thread)
    assert error.value.body["message"] == "Cannot cancel run with status 'completed'."


def test_what_nobody_has_is_404_with_its_id(start: Any) -> None:
    talk = start()
    thread = talk.thread_id
    for call, text in [
        (lambda: talk.beta.assistants.retrieve("asst_x"), "No assistant found with id 'asst_x'."),
        (lambda: talk.beta.assistants.update("asst_x", name="n"), "No assistant found with id 'asst_x'."),
        (lambda: talk.threads.retrieve("thread_x"), "No thread found with id 'thread_x'."),
        (lambda: talk.threads.update("thread_x", metadata={}), "No thread found with id 'thread_x'."),
        (lambda: talk.threads.messages.create("thread_x", role="user", content="x"), "No thread found with id"),
        (lambda: talk.threads.messages.retrieve("msg_x", thread_id=thread), "No message found with id 'msg_x'."),
        (lambda: talk.runs.create("thread_x", assistant_id=talk.assistant_id), "No thread found with id 'thread_x'."),
        (lambda: talk.runs.create(thread, assistant_id="asst_x"), "No assistant found with id 'asst_x'."),
        (lambda: talk.runs.retrieve("run_x", thread_id=thread), "No run found with id 'run_x'."),
        (lambda: talk.runs.cancel("run_x", thread_id=thread), "No run found with id 'run_x'."),
        (lambda: talk.runs.update("run_x", thread_id=thread, metadata={}), "No run found with id 'run_x'."),
        (lambda: talk.runs.steps.list("run_x", thread_id=thread), "No run found with id 'run_x'."),
    ]:
        with pytest.raises(NotFoundError, match=text) as error:
            call()
        assert error.value.request_id.startswith("req_")


def test_ids_of_any_form_are_looked_up_and_nothing_else(begin: Any) -> None:
    talk = begin()
    for strange in ("asst_", "x", "thread_x", "asst_" + "x" * 5000, "%00", "%F0%9F%92%A5", "a%20b", "asst_%27%3B--"):
        status, _, _, _ = refused(talk, "GET", f"{ASSISTANTS}/{strange}")
        assert status == 404


@pytest.mark.parametrize(
    "body", [b"{", b'{"model": }', b"[]", b'"model"', b"null", b"\xff\xfe", b'{"model": NaN}', b'{"model":"\\ud800"}']
)
def test_bodies_that_are_no_json_objects(begin: Any, body: bytes) -> None:
    status, message, _, _ = refused(begin(), "POST", ASSISTANTS, content=body)
    assert status == 400
    assert "JSON" in message or "object" in message or "string" in message


def test_a_body_that_is_too_large(begin: Any) -> None:
    talk = begin()
    status, message, _, _ = refused(talk, "POST", ASSISTANTS, content=b" " * (32 * 2**20 + 1))
    assert (status, message) == (413, "The request body is too large: at most 32 MiB.")
    assert talk.http.get("/v1/models").status_code == 200


def test_paths_and_methods_that_are_not_there(begin: Any) -> None:
    talk = begin()
    for method, path in [
        ("GET", "/"),
        ("GET", "/v1"),
        ("POST", "/v1/chat/completions"),
        ("GET", "/v1/files/file-a/nothing"),
        ("POST", "/v1/uploads/upload_a/nothing"),
        ("GET", "/v1/vector_stores/vs_1"),
        ("GET", "/v2/assistants"),
        ("GET", "/v1/assistants/a/b/c"),
        ("GET", f"/v1/threads/{talk.thread_id}/nothing"),
    ]:
        assert refused(talk, method, path)[0] == 404, path
    for method, path in [("PUT", ASSISTANTS), ("PATCH", f"{ASSISTANTS}/asst_x"), ("DELETE", THREADS)]:
        status, message, _, _ = refused(talk, method, path)
        assert (status, method in message and path in message) == (405, True)


def test_a_list_refuses_bad_queries(begin: Any) -> None:
    talk = begin()
    for query, param, code in [
        ("limit=0", "limit", "integer_below_min_value"),
        ("limit=101", "limit", "integer_above_max_value"),
        ("limit=x", "limit", "invalid_type"),
        ("order=up", "order", "invalid_value"),
        ("after=asst_x", "after", "invalid_value"),
        ("before=asst_x", "before", "invalid_value"),
        ("run_id=run_x", "run_id", "unknown_parameter"),
        ("filter=completed", "filter", "unknown_parameter"),
        ("purpose=vision", "purpose", "unknown_parameter"),
    ]:
        status, _, *told = refused(talk, "GET", f"{ASSISTANTS}?{query}")
        assert (status, told) == (400, [param, code])


VALUES: list[Any] = [
    *(None, True, 0, -1, 1, 2**70, 1.5, "", "x", "auto", LONG, "\x00", "💥"),
    *([], {}, [None], [[]], [{}], {"type": "function"}, {"type": []}, {"type": "json_schema", "json_schema": None}),
    *([{"type": "text", "text": {"value": "x"}}], {"file_ids": []}, {"code_interpreter": {"file_ids": None}}),
    *({"file_search": {"vector_stores": [{}]}}, {"messages": [{}]}, {"last_messages": 1}, {"k": {"nested": [1]}}),
]


@pytest.mark.parametrize(
    ("path", "body", "request_"),
    [
        ("assistants", {"model": "m"}, "CreateAssistantRequest"),
        ("threads", {}, "CreateThreadRequest"),
        ("threads/{0}/messages", {"role": "user", "content": "x"}, "CreateMessageRequest"),
        ("threads/runs", {"assistant_id": "{1}"}, "CreateThreadAndRunRequest"),
    ],
)
def test_no_value_of_any_field_is_a_fault(begin: Any, path: str, body: Any, request_: str) -> None:
    talk = begin(answer("Hi"))
    ids = talk.thread_id, talk.assistant_id
    right = {name: value.format(*ids) for name, value in body.items()}
    for field in sorted(properties(request_)):
        for value in VALUES:
            told = talk.http.post(f"/v1/{path.format(*ids)}", json={**right, field: value})
            assert told.status_code in (200, 400, 404), (field, value, told.text)
