"""The official schema, as a check for what the engine answers: nothing missing, nothing wrong, and nothing besides."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

BESIDES = {
    "Details of usage": {
        "RunCompletionUsage": ("prompt_token_details", "completion_tokens_details"),
        "RunStepCompletionUsage": ("prompt_token_details", "completion_tokens_details"),
    },
    "`tool_resources` of runs": {"RunObject": ("tool_resources",)},
    "`reasoning_effort` given back": {"AssistantObject": ("reasoning_effort",), "RunObject": ("reasoning_effort",)},
}
"""What answers have besides the schema's members, by difference; docs/compatibility.md tells users of the same ones."""

TAKEN = {"`tool_resources` of runs": {"CreateRunRequest": ("tool_resources",)}}
"""Members that requests may have besides the schema's, by difference."""

MORE_ITEMS = {"Tools of a run": {"RunObject": ("tools", 128)}}
"""Lists that may be longer than the schema says, by difference."""

MORE_VALUES = {"Files for evals": {"OpenAIFile": ("purpose", "evals")}}
"""Values that members may have besides the schema's, by difference."""

NULLABLE = {"Ids of an empty page": ("first_id", "last_id")}
"""Members of lists that may be null though the schema says string, by difference."""


def problems(name: str, value: Any) -> list[str]:
    """List how a value breaks the official schema `name`, in words."""
    return [
        f"{'/'.join(map(str, error.absolute_path)) or '(top)'}: {error.message[:200]}"
        for error in _validator(name).iter_errors(value)
    ]


def event_problems(event: str, data: Any) -> list[str]:
    """List how a stream event breaks the official schema of its name (a hundred times faster than asking for any)."""
    validator = _events().get(event)
    if validator is None:
        return [f"there is no event {event!r}"]
    return [error.message[:200] for error in validator.iter_errors({"event": event, "data": data})]


def assert_official(name: str, value: Any) -> None:
    assert problems(name, value) == []


def properties(name: str) -> set[str]:
    """Give the names of an object's members in the official schema."""
    return set(_schema()[name]["properties"])


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(Path(__file__).with_name("assistants-v2.schema.json").read_text())
    definitions: dict[str, Any] = copy.deepcopy(schema["$defs"])
    for name, definition in definitions.items():
        if name.startswith("List"):
            for members in NULLABLE.values():
                for member in set(members) & set(definition["properties"]):
                    definition["properties"][member] = {"type": ["string", "null"]}
        if not name.endswith("Request"):
            _close(definition)
    for longer in MORE_ITEMS.values():
        for name, (member, most) in longer.items():
            definitions[name]["properties"][member]["maxItems"] = most
    for more in MORE_VALUES.values():
        for name, (member, value) in more.items():
            definitions[name]["properties"][member]["enum"].append(value)
    for by_object in BESIDES.values():
        for name, members in by_object.items():
            _open(definitions[name], members)
    return definitions


def _close(schema: Any) -> None:
    """Let objects have the members that are named, and no others: the schema leaves them open."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            schema.setdefault("additionalProperties", False)
        for below in schema.values():
            _close(below)
    elif isinstance(schema, list):
        for below in schema:
            _close(below)


def _open(definition: Any, members: tuple[str, ...]) -> None:
    for alternative in definition.get("anyOf", [definition]):
        if "properties" in alternative:
            alternative["properties"].update(dict.fromkeys(members, True))


@cache
def _validator(name: str) -> Draft202012Validator:
    return _validator_of({"$ref": f"#/$defs/{name}"})


def _validator_of(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "$defs": _schema()})


@cache
def _events() -> dict[str, Draft202012Validator]:
    found: dict[str, Draft202012Validator] = {}
    for group in _schema()["AssistantStreamEvent"]["oneOf"]:
        kind = _schema()[group["$ref"].rpartition("/")[2]]
        for event in kind.get("oneOf", [kind]):
            for name in event["properties"]["event"]["enum"]:
                found[name] = _validator_of(event)
    return found
