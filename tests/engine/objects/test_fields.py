from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.engine.objects.fields import (
    Metadata,
    Request,
    ResponseFormat,
    Temperature,
    ToolChoice,
    Tools,
    TruncationStrategy,
)


class Body(Request):
    tools: Tools | None = None
    tool_choice: ToolChoice | None = None
    response_format: ResponseFormat | None = None
    truncation_strategy: TruncationStrategy | None = None
    temperature: Temperature | None = None
    metadata: Metadata | None = None


def checked(**body: Any) -> dict[str, Any]:
    return Body.model_validate_json(json.dumps(body)).model_dump(exclude_none=True)


SCHEMA = {"type": "object", "properties": {"a": {"default": None, "enum": ["x", None]}}, "oneOf": []}


@pytest.mark.parametrize(
    "body",
    [
        {"tools": [{"type": "function", "function": {"name": "Plugin-get_weather", "strict": True}}]},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA, "strict": False}}]},
        {"tools": [{"type": "file_search"}, {"type": "code_interpreter"}]},
        {"tools": [{"type": "file_search", "file_search": {"ranking_options": {"score_threshold": 0.5}}}]},
        {"tools": []},
        {"tool_choice": "required"},
        {"tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"tool_choice": {"type": "file_search"}},
        {"response_format": "auto"},
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}},
        {"truncation_strategy": {"type": "last_messages", "last_messages": 1}},
        {"temperature": 0.0},
        {"temperature": 2.0},
        {"metadata": {"k" * 64: "v" * 512, "": ""}},
        {"metadata": {str(number): "" for number in range(16)}},
    ],
)
def test_what_is_right_is_kept_as_it_was_sent(body: dict[str, Any]) -> None:
    assert checked(**body) == body


def test_a_function_says_whether_it_is_strict_and_nulls_are_not_kept() -> None:
    sent = {"type": "function", "function": {"name": "f", "description": None, "parameters": None, "strict": None}}
    assert checked(tools=[sent]) == {"tools": [{"type": "function", "function": {"name": "f", "strict": False}}]}
    assert checked(tools=[{"type": "file_search", "file_search": None}]) == {"tools": [{"type": "file_search"}]}
    ranking = {"ranker": None, "score_threshold": 0.5}
    sent = {"type": "file_search", "file_search": {"max_num_results": None, "ranking_options": ranking}}
    kept = {"type": "file_search", "file_search": {"ranking_options": {"score_threshold": 0.5}}}
    assert checked(tools=[sent]) == {"tools": [kept]}
    named = {"name": "n", "description": None, "schema": None, "strict": None}
    form = checked(response_format={"type": "json_schema", "json_schema": named})
    assert form == {"response_format": {"type": "json_schema", "json_schema": {"name": "n"}}}


@pytest.mark.parametrize(
    "body",
    [
        {"tools": [{"type": "browser"}]},
        {"tools": [{"type": "function", "function": {"name": "two words"}}]},
        {"tools": [{"type": "function", "function": {"name": "f" * 65}}]},
        {"tools": [{"type": "function", "function": {"name": "f\n"}}]},
        {"tools": [{"type": "function", "function": {"name": "f", "parameter": {}}}]},
        {"tools": [{"type": "file_search"}] * 129},
        {"tool_choice": "never"},
        {"tool_choice": {"type": "function"}},
        {"response_format": "json"},
        {"truncation_strategy": {"type": "last_messages", "last_messages": 0}},
        {"temperature": 2.1},
        {"temperature": "1"},
        {"metadata": {"k": 1}},
        {"metadata": {str(number): "" for number in range(17)}},
        {"other": 1},
    ],
)
def test_what_is_wrong_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        checked(**body)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_no_json_are_refused(number: str) -> None:
    function = f'{{"name":"f","parameters":{{"x":{number}}}}}'
    for body in (f'{{"temperature":{number}}}', f'{{"tools":[{{"type":"function","function":{function}}}]}}'):
        with pytest.raises(ValidationError):
            Body.model_validate_json(body)
