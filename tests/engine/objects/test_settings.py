"""What may be asked of a run, and what it goes by."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from tests.contract.official import assert_official
from toolkit.engine.jsontext import id_of
from toolkit.engine.objects import assistants, runs, threads
from toolkit.engine.objects.invalid import refusal
from toolkit.engine.objects.runs import Run
from toolkit.engine.objects.settings import CreateRun, CreateThreadAndRun
from toolkit.engine.store import Tx
from toolkit.errors import Refused

Do = Callable[[Callable[[Tx], Any]], Any]
NOW = 1_800_000_000
FUNCTION = {"type": "function", "function": {"name": "f", "strict": False}}


def made(do: Do, assistant: dict[str, Any] | None = None, **asked: Any) -> dict[str, Any]:
    """A run of a new assistant on a new thread, as it goes over the wire."""
    value: dict[str, Any] = json.loads(_created(do, assistant or {}, asked).wire)
    assert_official("RunObject", value)
    return value


def _created(do: Do, assistant: dict[str, Any], asked: dict[str, Any]) -> Run:
    def work(tx: Tx) -> Run:
        request = assistants.CreateAssistant.model_validate({"model": "m", **assistant})
        assistant_id = id_of(assistants.create(tx, "p", request, NOW))
        thread_id = id_of(threads.create(tx, "p", threads.CreateThread(), NOW))
        run = CreateRun.model_validate({"assistant_id": assistant_id, **asked})
        return runs.create(tx, "p", thread_id, run, NOW, expires_s=600, owner="me")

    created: Run = do(work)
    return created


def test_a_run_has_the_defaults_of_the_api(do: Do) -> None:
    run = made(do)
    assert {name: run[name] for name in ("instructions", "tools", "temperature", "top_p", "response_format")} == {
        "instructions": "",
        "tools": [],
        "temperature": 1.0,
        "top_p": 1.0,
        "response_format": "auto",
    }
    assert (run["tool_choice"], run["parallel_tool_calls"]) == ("auto", True)
    assert run["truncation_strategy"] == {"type": "auto", "last_messages": None}
    assert (run["max_prompt_tokens"], run["max_completion_tokens"], run["metadata"]) == (None, None, {})


def test_a_run_takes_its_assistants_settings_as_they_are_now(do: Do) -> None:
    settings = {
        "instructions": "Be brief.",
        "tools": [FUNCTION],
        "temperature": 0.2,
        "top_p": 0.5,
        "response_format": {"type": "json_object"},
        "reasoning_effort": "low",
    }
    run = made(do, settings)
    assert {name: run[name] for name in settings} == settings


def test_what_a_run_asks_for_wins(do: Do) -> None:
    asked = {
        "model": "other",
        "instructions": "Be long.",
        "tools": [FUNCTION],
        "temperature": 0.0,
        "top_p": 0.0,
        "response_format": {"type": "text"},
        "reasoning_effort": "high",
        "max_prompt_tokens": 256,
        "max_completion_tokens": 300,
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "parallel_tool_calls": False,
        "metadata": {"k": "v"},
    }
    run = made(do, {"instructions": "Be brief.", "temperature": 2, "reasoning_effort": "low"}, **asked)
    assert {name: run[name] for name in asked} == asked


@pytest.mark.parametrize(
    ("own", "asked", "effective"),
    [
        ("A", {}, "A"),
        ("A", {"instructions": ""}, ""),
        ("A", {"instructions": None}, "A"),
        ("A", {"additional_instructions": "B"}, "A\n\nB"),
        ("A", {"additional_instructions": ""}, "A"),
        (None, {"additional_instructions": "B"}, "B"),
        ("A", {"instructions": "C", "additional_instructions": "B"}, "C\n\nB"),
    ],
)
def test_instructions(do: Do, own: str | None, asked: dict[str, Any], effective: str) -> None:
    assert made(do, {"instructions": own}, **asked)["instructions"] == effective


def test_an_empty_list_of_tools_means_none_and_null_the_assistants(do: Do) -> None:
    assert made(do, {"tools": [FUNCTION]}, tools=[])["tools"] == []
    assert made(do, {"tools": [FUNCTION]}, tools=None)["tools"] == [FUNCTION]


@pytest.mark.parametrize("resources", [None, {}, {"code_interpreter": {}}, {"file_search": None}])
def test_empty_tool_resources_are_let_pass(do: Do, resources: Any) -> None:
    assert made(do, tool_resources=resources)["tool_resources"] == {}


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"tool_resources": {"code_interpreter": {"file_ids": ["file-x"]}}}, "tool_resources"),
        ({"tools": [{"type": "code_interpreter"}]}, "tools"),
        ({"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "g"}}}, "tool_choice"),
        ({"tools": [], "tool_choice": "required"}, "tool_choice"),
    ],
)
def test_what_no_run_can_honour_is_refused(do: Do, asked: dict[str, Any], param: str) -> None:
    with pytest.raises(Refused) as refused:
        made(do, **asked)
    assert (refused.value.status, refused.value.param) == (400, param)


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({}, "missing_required_parameter", "assistant_id"),
        ({"assistant_id": None}, "invalid_type", "assistant_id"),
        ({"assistant_id": "a", "max_prompt_tokens": 255}, "integer_below_min_value", "max_prompt_tokens"),
        ({"assistant_id": "a", "temperature": 2.1}, "decimal_above_max_value", "temperature"),
        ({"assistant_id": "a", "tool_choice": "always"}, "invalid_value", "tool_choice"),
        ({"assistant_id": "a", "truncation_strategy": {"type": "last_messages", "last_messages": 0}}, None, None),
        (
            {"assistant_id": "a", "truncation_strategy": {"type": "last_messages"}},
            "missing_required_parameter",
            "truncation_strategy.last_messages",
        ),
        (
            {"assistant_id": "a", "truncation_strategy": {"type": "auto", "last_messages": 5}},
            "invalid_value",
            "truncation_strategy.last_messages",
        ),
        ({"assistant_id": "a", "service_tier": "auto"}, "unknown_parameter", "service_tier"),
        ({"assistant_id": "a", "stream": "yes"}, "invalid_type", "stream"),
        ({"assistant_id": "a", "metadata": {"k": {"nested": 1}}}, "invalid_type", "metadata.k"),
        ({"assistant_id": "a", "additional_messages": [{"role": "system", "content": "x"}]}, "invalid_value", None),
    ],
)
def test_bad_requests_name_the_field(body: dict[str, Any], code: str | None, param: str | None) -> None:
    with pytest.raises(ValidationError) as error:
        CreateRun.model_validate_json(json.dumps(body))
    refused = refusal(error.value)
    assert refused.status == 400
    if code is not None:
        assert refused.code == code
    if param is not None:
        assert refused.param == param


def test_a_thread_and_run_takes_no_additions() -> None:
    with pytest.raises(ValidationError):
        CreateThreadAndRun.model_validate({"assistant_id": "a", "additional_instructions": "x"})
