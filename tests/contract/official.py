"""The official schema, as a check for what clients send and the engine answers: nothing missing, nothing wrong.

Of answers nothing may be besides, either. What is otherwise here on purpose is a table by the name of the difference,
under which docs/compatibility.md tells users of it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Literal

import jsonschema_rs
from jsonschema import Draft202012Validator, ValidationError

BESIDES = {
    "Details of usage": {
        "RunCompletionUsage": ("prompt_token_details", "completion_tokens_details"),
        "RunStepCompletionUsage": ("prompt_token_details", "completion_tokens_details"),
    },
    "`tool_resources` of runs": {"RunObject": ("tool_resources",)},
    "`reasoning_effort` given back": {"AssistantObject": ("reasoning_effort",), "RunObject": ("reasoning_effort",)},
    "`description` of vector stores": {"VectorStoreObject": ("description",)},
    "`embedding` of vector stores": {"VectorStoreObject": ("embedding",)},
    "`chunks` of vector stores": {"VectorStoreObject": ("chunks",)},
    "`quote` in citations": {"MessageContentTextAnnotationsFileCitationObject": ("file_citation.quote",)},
}
"""What answers have besides the schema's members; a dot leads into a member that is an object."""

TAKEN = {"`tool_resources` of runs": {"CreateRunRequest": ("tool_resources",)}}
"""Members that requests may have besides the schema's."""

MORE_ITEMS = {
    "Tools of a run": dict.fromkeys(("RunObject", "CreateRunRequest", "CreateThreadAndRunRequest"), ("tools", 128))
}
"""Lists that may be longer than the schema says."""

MORE_VALUES = {
    "Files for evals": {"OpenAIFile": ("purpose", "evals")},
    "Uploads": {"CreateUploadRequest": ("purpose", "user_data", "evals")},
}
"""Values that members may have besides the schema's."""

NEEDED = {
    "Attachments and outputs": {
        "CreateMessageRequest": ("attachments", "file_id"),
        "SubmitToolOutputsRunRequest": ("tool_outputs", "tool_call_id"),
    }
}
"""Members of the items of a list that a request must have, though by the schema it may not."""

ANY_VALUE = {"Outputs that are no strings": {"SubmitToolOutputsRunRequest": ("tool_outputs", "output")}}
"""Members of the items of a list that may have any value in a request."""

NULLABLE = {"Ids of an empty page": ("first_id", "last_id")}
"""Members of lists that may be null though the schema says string."""

NULL_IS_NONE = "Null on creation"
"""The difference by which members of requests that may be left out may also be null."""

MORE_QUERY = {"Parameters of queries": ("api-version", "include", "unknown")}
"""What queries may have besides the schema's parameters."""

MORE_LISTS = {"A list of threads": ("/threads", "ListThreadsResponse", "ThreadObject")}
"""Lists besides the schema's: path, name of the answer, what is in it."""

REFUSED = {"Deleting a model": ("deleteModel",)}
"""Operations that are always refused."""


def _object(**members: Any) -> dict[str, Any]:
    """Give the schema of an object that has these members and no others."""
    return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}


def _one_of(*values: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(values)}


_ORDERED = _one_of("eq", "ne", "gt", "gte", "lt", "lte")
_LISTED = {"type": "array", "items": {"type": ["string", "number"]}}
MEANT: Mapping[str, Any] = {
    "AssistantsNamedToolChoice": {
        "oneOf": [
            _object(type=_one_of("function"), function=_object(name={"type": "string"})),
            _object(type=_one_of("code_interpreter", "file_search")),
        ]
    },
    "ComparisonFilter": {
        "oneOf": [
            _object(type=_ORDERED, key={"type": "string"}, value={"type": ["string", "number", "boolean"]}),
            _object(type=_one_of("in", "nin"), key={"type": "string"}, value=_LISTED),
        ]
    },
    "TruncationObject": {
        "oneOf": [
            {**_object(type=_one_of("auto"), last_messages={"type": "null"}), "required": ["type"]},
            _object(type=_one_of("last_messages"), last_messages={"type": "integer", "minimum": 1}),
        ]
    },
}
"""Shapes in requests as the schema's texts have them: which members stand together, which values a filter takes."""

Side = Literal["answers", "requests"]


class Check:
    """A schema, asked by a fast reader whether a value fits, and only when it does not by one that says why."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._fast = jsonschema_rs.Draft202012Validator(dict(schema))
        self._talkative = Draft202012Validator(schema)

    def errors(self, value: Any) -> Sequence[ValidationError]:
        """List how a value breaks the schema."""
        with suppress(ValueError):  # half a character, which the fast one cannot take
            if self._fast.is_valid(value):
                return ()
        return list(self._talkative.iter_errors(value))


def problems(name: str, value: Any) -> list[str]:
    """List how an answer breaks the official schema `name`, in words."""
    return broken("answers", {"$ref": f"#/$defs/{name}"}, value)


def broken(side: Side, schema: Mapping[str, Any], value: Any) -> list[str]:
    """List how an answer or request breaks a schema that may name official ones, in words."""
    return [
        f"{'/'.join(map(str, error.absolute_path)) or '(top)'}: {error.message[:200]}"
        for error in _check(side, json.dumps(schema)).errors(value)
    ]


def event_problems(event: str, data: Any) -> list[str]:
    """List how a stream event breaks the official schema of its name (a hundred times faster than asking for any)."""
    check = events().get(event)
    if check is None:
        return [f"there is no event {event!r}"]
    return [error.message[:200] for error in check.errors({"event": event, "data": data})]


def assert_official(name: str, value: Any) -> None:
    assert problems(name, value) == []


def properties(name: str) -> set[str]:
    """Give the names of an object's members in the official schema."""
    return set(kept()["$defs"][name]["properties"])


@cache
def kept() -> dict[str, Any]:
    """Read what derive.py wrote."""
    schema: dict[str, Any] = json.loads(Path(__file__).with_name("assistants-v2.schema.json").read_text())
    return schema


@cache
def definitions(side: Side) -> dict[str, Any]:
    """Give the official schemas with our differences."""
    definitions: dict[str, Any] = copy.deepcopy(kept()["$defs"])
    for longer in MORE_ITEMS.values():
        for name, (member, most) in longer.items():
            for schema in _choices(definitions[name]["properties"][member]):
                schema["maxItems"] = most
    for more in MORE_VALUES.values():
        for name, (member, *values) in more.items():
            definitions[name]["properties"][member]["enum"] += values
    if side == "requests":
        _take_more(definitions)
    else:
        _give_more(definitions)
    return definitions


def _take_more(definitions: dict[str, Any]) -> None:
    definitions |= copy.deepcopy(dict(MEANT))
    for taken in TAKEN.values():
        for name, members in taken.items():
            definitions[name]["properties"].update(dict.fromkeys(members, True))
    for needed in NEEDED.values():
        for name, (member, inner) in needed.items():
            for schema in _choices(definitions[name]["properties"][member]):
                if "items" in schema:
                    schema["items"]["required"] = [inner]
    for any_value in ANY_VALUE.values():
        for name, (member, inner) in any_value.items():
            definitions[name]["properties"][member]["items"]["properties"][inner] = True
    _let_be_null(definitions)


def _give_more(definitions: dict[str, Any]) -> None:
    for _, answer, item in MORE_LISTS.values():
        definitions[answer] = copy.deepcopy(definitions["ListRunsResponse"])
        definitions[answer]["properties"]["data"]["items"] = {"$ref": f"#/$defs/{item}"}
    for name, definition in definitions.items():
        if name.startswith("List"):
            for members in NULLABLE.values():
                for member in set(members) & set(definition["properties"]):
                    definition["properties"][member] = {"type": ["string", "null"]}
        if not name.endswith("Request"):
            _close(definition)
    for by_object in BESIDES.values():
        for name, members in by_object.items():
            for alternative in _choices(definitions[name]):
                if "properties" in alternative:
                    for member in members:
                        _open(alternative, *member.split("."))


def _open(schema: dict[str, Any], member: str, *below: str) -> None:
    if below:
        _open(schema["properties"][member], *below)
    else:
        schema["properties"][member] = True


def _choices(schema: Any) -> list[Any]:
    choices: list[Any] = schema.get("anyOf", [schema])
    return choices


def _let_be_null(schema: Any) -> None:
    """Let members that may be left out be null, too."""
    if isinstance(schema, dict):
        for below in schema.values():
            _let_be_null(below)
        if isinstance(members := schema.get("properties"), dict):
            for name in members.keys() - set(schema.get("required", ())):
                members[name] = {"anyOf": [members[name], {"type": "null"}]}
    elif isinstance(schema, list):
        for below in schema:
            _let_be_null(below)


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


@cache
def _check(side: Side, schema: str) -> Check:
    return Check({**json.loads(schema), "$defs": definitions(side)})


@cache
def events() -> dict[str, Check]:
    """Give a check for each event of a stream, by its name."""
    found: dict[str, Check] = {}
    for group in kept()["$defs"]["AssistantStreamEvent"]["oneOf"]:
        kind = definitions("answers")[group["$ref"].rpartition("/")[2]]
        for event in kind.get("oneOf", [kind]):
            for name in event["properties"]["event"]["enum"]:
                found[name] = Check({**event, "$defs": definitions("answers")})
    return found
