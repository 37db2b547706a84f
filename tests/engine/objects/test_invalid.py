from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.engine.objects.assistants import CreateAssistant, ModifyAssistant
from toolkit.engine.objects.fields import Request
from toolkit.engine.objects.invalid import only_unknown_fields, refusal, unknown_fields
from toolkit.engine.objects.messages import CreateMessage
from toolkit.engine.objects.paging import PageQuery
from toolkit.engine.objects.settings import CreateRun
from toolkit.engine.objects.store_files import CreateStoreFile
from toolkit.engine.objects.threads import CreateThread
from toolkit.engine.objects.uploads import CreateUpload
from toolkit.engine.search.searching import Search
from toolkit.errors import Refused


def error_of(model: type[Any], body: Any) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        model.model_validate_json(body if isinstance(body, bytes) else json.dumps(body))
    return caught.value


def refused(model: type[Any], body: Any) -> Refused:
    return refusal(error_of(model, body))


def function(**members: Any) -> dict[str, Any]:
    return {"model": "m", "tools": [{"type": "function", "function": members}]}


CASES = [
    (CreateAssistant, {}, "Missing required parameter: 'model'.", "model", "missing_required_parameter"),
    (CreateAssistant, {"model": "m", "x": 1}, "Unknown parameter: 'x'.", "x", "unknown_parameter"),
    (
        CreateAssistant,
        {"model": "m", "name": "n" * 257},
        "Invalid 'name': string too long. Expected a string with maximum length 256, but got a string with length 257 "
        "instead.",
        "name",
        "string_above_max_length",
    ),
    (
        CreateAssistant,
        {"model": ""},
        "Invalid 'model': empty string. Expected a string with minimum length 1, but got an empty string instead.",
        "model",
        "empty_string",
    ),
    (
        CreateAssistant,
        {"model": 5},
        "Invalid type for 'model': expected a string, but got an integer instead.",
        "model",
        "invalid_type",
    ),
    (
        ModifyAssistant,
        {"model": None},
        "Invalid type for 'model': expected a string, but got null instead.",
        "model",
        "invalid_type",
    ),
    (
        ModifyAssistant,
        {"tools": None},
        "Invalid type for 'tools': expected an array, but got null instead.",
        "tools",
        "invalid_type",
    ),
    (
        CreateAssistant,
        {"model": "m", "temperature": 2.5},
        "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.5 instead.",
        "temperature",
        "decimal_above_max_value",
    ),
    (
        CreateRun,
        {"assistant_id": "a", "max_prompt_tokens": 255},
        "Invalid 'max_prompt_tokens': integer below minimum value. Expected a value >= 256, but got 255 instead.",
        "max_prompt_tokens",
        "integer_below_min_value",
    ),
    (
        CreateAssistant,
        {"model": "m", "tools": [{"type": "file_search"}] * 129},
        "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length 129 "
        "instead.",
        "tools",
        "array_above_max_length",
    ),
    (
        CreateAssistant,
        {"model": "m", "tools": [{"type": "browser"}]},
        "Invalid value: 'browser'. Supported values are: 'function', 'code_interpreter', and 'file_search'.",
        "tools[0].type",
        "invalid_value",
    ),
    (
        CreateAssistant,
        {"model": "m", "tools": [{}]},
        "Missing required parameter: 'tools[0].type'.",
        "tools[0].type",
        "missing_required_parameter",
    ),
    (
        CreateAssistant,
        {"model": "m", "tools": [{"type": 3}]},
        "Invalid type for 'tools[0].type': expected a string, but got an integer instead.",
        "tools[0].type",
        "invalid_type",
    ),
    (
        CreateAssistant,
        {"model": "m", "tools": ["function"]},
        "Invalid type for 'tools[0]': expected an object, but got a string instead.",
        "tools[0]",
        "invalid_type",
    ),
    (
        CreateAssistant,
        {"model": "m", "tools": [{"type": "function"}]},
        "Missing required parameter: 'tools[0].function'.",
        "tools[0].function",
        "missing_required_parameter",
    ),
    (
        CreateAssistant,
        function(name="a b"),
        "Invalid 'tools[0].function.name': string does not match pattern. Expected a string that matches the pattern "
        "'^[A-Za-z0-9_-]+$'.",
        "tools[0].function.name",
        "invalid_value",
    ),
    (
        CreateAssistant,
        function(name="f", strict="yes"),
        "Invalid type for 'tools[0].function.strict': expected a boolean, but got a string instead.",
        "tools[0].function.strict",
        "invalid_type",
    ),
    (
        CreateAssistant,
        {"model": "m", "metadata": {"k": {"nested": 1}}},
        "Invalid type for 'metadata.k': expected a string, but got an object instead.",
        "metadata.k",
        "invalid_type",
    ),
    (
        CreateThread,
        {"metadata": {"k" * 65: "v"}},
        f"Invalid property name in 'metadata': '{'k' * 65}' is too long. Expected a string with maximum length 64, but "
        "got a string with length 65 instead.",
        f"metadata.{'k' * 65}",
        "string_above_max_length",
    ),
    (
        CreateThread,
        {"metadata": {"k": "v" * 513}},
        "Invalid 'metadata.k': string too long. Expected a string with maximum length 512, but got a string with "
        "length 513 instead.",
        "metadata.k",
        "string_above_max_length",
    ),
    (
        CreateThread,
        {"metadata": {str(n): "" for n in range(17)}},
        "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object "
        "with 17 properties instead.",
        "metadata",
        "object_above_max_properties",
    ),
    (
        CreateThread,
        {"metadata": "text"},
        "Invalid type for 'metadata': expected an object, but got a string instead.",
        "metadata",
        "invalid_type",
    ),
    (
        CreateMessage,
        {"role": "system", "content": "x"},
        "Invalid value: 'system'. Supported values are: 'user' and 'assistant'.",
        "role",
        "invalid_value",
    ),
    (CreateMessage, {"role": "user", "content": ""}, "Message content must be non-empty.", "content", None),
    (
        CreateMessage,
        {"role": "user", "content": []},
        "Invalid 'content': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        "content",
        "empty_array",
    ),
    (
        CreateThread,
        {"messages": [{"role": "user", "content": [{"type": "text", "text": {"value": "x"}}]}]},
        "Invalid type for 'messages[0].content[0].text': expected a string, but got an object instead.",
        "messages[0].content[0].text",
        "invalid_type",
    ),
    (
        CreateMessage,
        {"role": "user", "content": "x", "attachments": [{"file_id": "file-a", "tools": ["file_search"]}]},
        "Invalid type for 'attachments[0].tools[0]': expected an object, but got a string instead.",
        "attachments[0].tools[0]",
        "invalid_type",
    ),
    (
        CreateRun,
        {"assistant_id": "a", "tool_choice": "never"},
        "Invalid value: 'never'. Supported values are: 'none', 'auto', and 'required'.",
        "tool_choice",
        "invalid_value",
    ),
    (
        CreateRun,
        {"assistant_id": "a", "tool_choice": {"type": "browser"}},
        "Invalid value: 'browser'. Supported values are: 'function', 'code_interpreter', and 'file_search'.",
        "tool_choice.type",
        "invalid_value",
    ),
    (
        CreateRun,
        {"assistant_id": "a", "tool_choice": 5},
        "Invalid type for 'tool_choice': expected a string or an object, but got an integer instead.",
        "tool_choice",
        "invalid_type",
    ),
    *(
        (
            CreateMessage,
            {"role": "user", "content": content},
            f"Invalid type for 'content': expected a string or an array, but got {got} instead.",
            "content",
            "invalid_type",
        )
        for content, got in [
            (None, "null"),
            (5, "an integer"),
            ({}, "an object"),
            ({"type": "text", "text": "x"}, "an object"),
        ]
    ),
    (
        Search,
        {"query": 5},
        "Invalid type for 'query': expected a string or an array, but got an integer instead.",
        "query",
        "invalid_type",
    ),
    (CreateThread, [], "Invalid request body: expected an object, but got an array instead.", None, "invalid_type"),
    (
        CreateUpload,
        {"filename": "f", "purpose": "vision", "bytes": 8589934593, "mime_type": "m"},
        "Invalid 'bytes': integer above maximum value. Expected a value <= 8589934592, but got 8589934593 instead.",
        "bytes",
        "integer_above_max_value",
    ),
    (
        CreateStoreFile,
        {"file_id": "f", "attributes": {"k": []}},
        "Invalid type for 'attributes.k': expected a string, a number or a boolean, but got an array instead.",
        "attributes.k",
        "invalid_type",
    ),
    (
        Search,
        {"query": "q", "filters": {"type": "and", "filters": [{"type": "eq", "key": "k", "value": [0]}]}},
        "Invalid type for 'filters.filters[0].value': expected a string, a number or a boolean, but got an array "
        "instead.",
        "filters.filters[0].value",
        "invalid_type",
    ),
    (
        Search,
        {"query": "q", "filters": {"type": "in", "key": "k", "value": ["a", True]}},
        "Invalid type for 'filters.value[1]': expected a string or a number, but got a boolean instead.",
        "filters.value[1]",
        "invalid_type",
    ),
    (
        Search,
        b'{"query": "q", "filters": {"type": "in", "key": "k", "value": [1e999]}}',
        "Invalid type for 'filters.value[0]': expected a finite number, but got a decimal number instead.",
        "filters.value[0]",
        "invalid_type",
    ),
]


@pytest.mark.parametrize(("model", "body", "message", "param", "code"), CASES)
def test_each_mistake_is_told_in_the_words_of_the_api(
    model: type[Any], body: Any, message: str, param: str | None, code: str | None
) -> None:
    error = refused(model, body)
    assert (error.message, error.param, error.code) == (message, param, code)
    assert (error.status, error.type) == (400, "invalid_request_error")


@pytest.mark.parametrize("body", [b"{", b"", b"not json", b'{"model": "\\ud800"}', b"[" * 5000, b'{"model": "\xff"}'])
def test_a_body_that_is_no_json_is_said_to_be_none(body: bytes) -> None:
    error = refused(CreateAssistant, body)
    assert error.message.startswith("We could not parse the JSON body of your request.")
    assert (error.param, error.code) == (None, None)


@pytest.mark.parametrize("value", ["0", "101", "many", ""])
def test_a_limit_out_of_range_is_named(value: str) -> None:
    with pytest.raises(ValidationError) as caught:
        PageQuery.model_validate({"limit": value})
    assert refusal(caught.value).param == "limit"


def test_unknown_fields_are_told_apart_from_real_mistakes() -> None:
    error = error_of(CreateThread, {"x": 1, "messages": [{"role": "user", "content": "hi", "y": 2}]})
    assert sorted(unknown_fields(error)) == ["messages[0].y", "x"]
    assert only_unknown_fields(error)
    assert not only_unknown_fields(error_of(CreateThread, {"x": 1, "metadata": 2}))


def test_a_mistake_of_a_kind_nobody_thought_of_is_still_told() -> None:
    class Odd(Request):
        pair: tuple[int, int]

    error = refused(Odd, {"pair": "no"})
    assert error.message.startswith("Invalid value for 'pair'")
    assert (error.param, error.code) == ("pair", "invalid_value")


def test_a_flood_of_mistakes_is_counted_and_not_listed() -> None:
    error = error_of(CreateThread, {"messages": [{"role": "x"}] * 10_000, **{f"x{n}": 1 for n in range(5)}})
    assert refusal(error).message == "Invalid request body: 20005 things are wrong with it."
    assert not only_unknown_fields(error)
