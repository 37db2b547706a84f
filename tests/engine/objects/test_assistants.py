from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.official import assert_official
from toolkit.engine.objects import assistants
from toolkit.engine.objects.assistants import CreateAssistant, ModifyAssistant
from toolkit.errors import Refused

Do = Callable[[Callable[..., Any]], Any]

NOW = 1_800_000_000
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "strict": True}}


def create(do: Do, **body: Any) -> dict[str, Any]:
    request = CreateAssistant.model_validate_json(json.dumps({"model": "gpt-4o", **body}))
    assistant: dict[str, Any] = json.loads(do(lambda tx: assistants.create(tx, "p", request, NOW)))
    return assistant


def modify(do: Do, assistant_id: str, **body: Any) -> dict[str, Any]:
    request = ModifyAssistant.model_validate_json(json.dumps(body))
    assistant: dict[str, Any] = json.loads(do(lambda tx: assistants.modify(tx, "p", assistant_id, request, NOW)))
    return assistant


def get(do: Do, assistant_id: str, project: str = "p") -> dict[str, Any]:
    assistant: dict[str, Any] = json.loads(do(lambda tx: assistants.get(tx, project, assistant_id)))
    return assistant


def test_the_least_one_has_the_defaults_of_the_api(do: Do) -> None:
    assistant = create(do)
    assert assistant == {
        "id": assistant["id"],
        "object": "assistant",
        "created_at": NOW,
        "model": "gpt-4o",
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
    assert_official("AssistantObject", assistant)
    assert get(do, assistant["id"]) == assistant


def test_every_field_comes_back_as_it_was_sent(do: Do) -> None:
    sent = {
        "model": "deepseek/deepseek-coder",
        "name": "n" * 256,
        "description": "",
        "instructions": "I" * 256_000,
        "tools": [FUNCTION, {"type": "file_search"}],
        "tool_resources": {"code_interpreter": {"file_ids": []}},
        "metadata": {"a": "ä\u2028\x00"},
        "temperature": 0.25,
        "top_p": 0.5,
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"x": None}}},
        "reasoning_effort": "low",
    }
    assistant = create(do, **sent)
    assert {name: assistant[name] for name in sent} == sent


def test_nulls_at_creation_mean_not_given(do: Do) -> None:
    nulls = dict.fromkeys(
        ["tool_resources", "reasoning_effort", "top_p", "temperature", "metadata", "description", "tools", "name"]
    )
    plain = create(do)
    assert {**create(do, **nulls), "id": plain["id"]} == plain


def test_code_interpreter_brings_an_empty_list_of_files(do: Do) -> None:
    assistant = create(do, tools=[{"type": "code_interpreter"}])
    assert assistant["tool_resources"] == {"code_interpreter": {"file_ids": []}}
    plain = create(do)
    assert modify(do, plain["id"], tools=[{"type": "code_interpreter"}])["tool_resources"] == {
        "code_interpreter": {"file_ids": []}
    }


def test_only_what_was_given_changes(do: Do) -> None:
    before = create(do, name="a", instructions="b", tools=[FUNCTION], metadata={"k": "v"}, reasoning_effort="high")
    after = modify(do, before["id"], name="c", metadata={"new": "map"})
    assert after == {**before, "name": "c", "metadata": {"new": "map"}}
    assert get(do, before["id"]) == after
    assert modify(do, before["id"]) == after


def test_null_clears(do: Do) -> None:
    given = {
        "name": "a",
        "description": "d",
        "instructions": "b",
        "metadata": {"k": "v"},
        "temperature": 0.1,
        "top_p": 0.1,
        "response_format": {"type": "text"},
        "reasoning_effort": "high",
        "tool_resources": {"file_search": {}},
    }
    assistant = create(do, **given)
    assert modify(do, assistant["id"], **dict.fromkeys(given)) == {**create(do), "id": assistant["id"]}


def test_what_is_returned_is_taken_back(do: Do) -> None:
    assistant = create(do, tools=[FUNCTION, {"type": "file_search"}, {"type": "code_interpreter"}])
    again = {name: assistant[name] for name in assistant if name not in ("id", "object", "created_at")}
    assert modify(do, assistant["id"], **again) == assistant


def test_a_deleted_one_is_gone(do: Do) -> None:
    assistant_id = create(do)["id"]
    answer = json.loads(do(lambda tx: assistants.delete(tx, "p", assistant_id)))
    assert answer == {"id": assistant_id, "object": "assistant.deleted", "deleted": True}
    assert_official("DeleteAssistantResponse", answer)
    for use in (lambda: get(do, assistant_id), lambda: modify(do, assistant_id, name="x")):
        with pytest.raises(Refused) as caught:
            use()
        assert (caught.value.status, caught.value.message) == (404, f"No assistant found with id '{assistant_id}'.")


def test_another_project_does_not_see_it(do: Do) -> None:
    assistant_id = create(do)["id"]
    for work in (assistants.get, assistants.delete):
        with pytest.raises(Refused, match="No assistant found"):
            do(lambda tx, work=work: work(tx, "other", assistant_id))
    assert get(do, assistant_id)
