"""Assistants, by the official client."""

from __future__ import annotations

from typing import Any

import pytest
from openai import BadRequestError, NotFoundError

from tests.engine.scripted import answer

WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        "strict": True,
    },
}
SCHEMA_FORMAT: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {"name": "answer", "description": "An answer.", "schema": {"type": "object"}, "strict": True},
}
EVERYTHING: dict[str, Any] = {
    "model": "gpt-4-1106-preview",
    "name": "Weather",
    "description": "Tells the weather.",
    "instructions": "Be brief.",
    "tools": [WEATHER, {"type": "code_interpreter"}, {"type": "file_search"}],
    "tool_resources": {"code_interpreter": {"file_ids": []}, "file_search": {"vector_store_ids": []}},
    "metadata": {"key": "value", "empty": ""},
    "temperature": 0.5,
    "top_p": 0.25,
    "response_format": SCHEMA_FORMAT,
    "reasoning_effort": "low",
}


def test_an_assistant_keeps_every_parameter(start: Any) -> None:
    talk = start()
    made = talk.beta.assistants.create(**EVERYTHING)
    assert {name: made.to_dict()[name] for name in EVERYTHING} == EVERYTHING
    assert talk.beta.assistants.retrieve(made.id).to_dict() == made.to_dict()
    assert made.id.startswith("asst_")
    assert made._request_id.startswith("req_")


def test_an_assistant_with_nothing_but_a_model_has_the_defaults(start: Any) -> None:
    made = start().beta.assistants.create(model="deepseek/deepseek-coder").to_dict()
    del made["id"], made["created_at"]
    assert made == {
        "object": "assistant",
        "model": "deepseek/deepseek-coder",
        "name": None,
        "description": None,
        "instructions": None,
        "tools": [],
        "tool_resources": {},
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "response_format": "auto",
    }


def test_an_update_changes_what_it_names_and_replaces_metadata_whole(start: Any) -> None:
    talk = start()
    made = talk.beta.assistants.create(model="one", metadata={"a": "1", "b": "2"}, name="Old")
    changed = talk.beta.assistants.update(made.id, **{**EVERYTHING, "metadata": {"c": "3"}})
    assert changed.to_dict() == {**made.to_dict(), **EVERYTHING, "metadata": {"c": "3"}}
    again = talk.beta.assistants.update(made.id, name="New")
    assert again.to_dict() == {**changed.to_dict(), "name": "New"}
    assert talk.beta.assistants.retrieve(made.id).to_dict() == again.to_dict()


def test_null_clears_on_update(start: Any) -> None:
    talk = start()
    made = talk.beta.assistants.create(**EVERYTHING)
    nulls = dict.fromkeys(("name", "description", "instructions", "temperature", "top_p", "response_format"))
    cleared = talk.beta.assistants.update(made.id, **nulls, metadata=None).to_dict()
    assert [cleared[name] for name in nulls] == [None, None, None, 1.0, 1.0, "auto"]
    assert cleared["metadata"] == {}
    with pytest.raises(BadRequestError) as refused:
        talk.beta.assistants.update(made.id, model=None)
    assert (refused.value.param, refused.value.code) == ("model", "invalid_type")


def test_what_the_engine_returns_is_taken_back_as_it_is(start: Any) -> None:
    talk = start()
    made = talk.beta.assistants.create(**EVERYTHING)
    parts = {name: made.to_dict()[name] for name in EVERYTHING}
    assert talk.beta.assistants.update(made.id, **parts).to_dict() == made.to_dict()
    again = talk.beta.assistants.create(**parts)
    assert {name: again.to_dict()[name] for name in EVERYTHING} == EVERYTHING


def test_assistants_are_listed_newest_first(start: Any) -> None:
    talk = start()
    names = [f"number {number}" for number in range(3)]
    for name in names:
        talk.beta.assistants.create(model="m", name=name)
    assert [one.name for one in talk.beta.assistants.list()] == names[::-1]
    assert [one.name for one in talk.beta.assistants.list(order="asc", limit=2)] == names


def test_a_deleted_assistant_is_gone(start: Any) -> None:
    talk = start()
    made = talk.beta.assistants.create(model="m")
    gone = talk.beta.assistants.delete(made.id)
    assert gone.to_dict() == {"id": made.id, "object": "assistant.deleted", "deleted": True}
    for call in (talk.beta.assistants.retrieve, talk.beta.assistants.delete, talk.beta.assistants.update):
        with pytest.raises(NotFoundError, match=f"No assistant found with id '{made.id}'."):
            call(made.id)


@pytest.mark.parametrize(
    "form",
    ["auto", {"type": "text"}, {"type": "json_object"}, {"type": "json_schema", "json_schema": {"name": "n"}}],
)
def test_every_response_format_is_kept(begin: Any, form: Any) -> None:
    made = begin().beta.assistants.create(model="m", response_format=form)
    assert made.to_dict()["response_format"] == form


@pytest.mark.parametrize("effort", ["none", "minimal", "low", "medium", "high", "xhigh", "max"])
def test_every_reasoning_effort_is_kept(begin: Any, effort: Any) -> None:
    assert begin().beta.assistants.create(model="m", reasoning_effort=effort).reasoning_effort == effort


def test_a_function_without_strict_is_returned_as_not_strict(begin: Any) -> None:
    made = begin().beta.assistants.create(model="m", tools=[{"type": "function", "function": {"name": "f"}}])
    assert made.tools[0].function.to_dict() == {"name": "f", "strict": False}


def test_an_assistant_takes_128_tools_and_so_does_its_run(begin: Any) -> None:
    talk = begin(answer("Hi"))
    tools = [{"type": "function", "function": {"name": f"f_{number}"}} for number in range(129)]
    made = talk.beta.assistants.create(model="m", tools=tools[:128])
    assert len(made.tools) == 128
    run = talk.runs.create_and_poll(thread_id=talk.thread_id, assistant_id=made.id)
    assert (len(run.tools), run.status) == (128, "completed")
    with pytest.raises(BadRequestError, match="maximum length 128, but got an array with length 129"):
        talk.beta.assistants.create(model="m", tools=tools)
