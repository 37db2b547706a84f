"""The official schema, as a check for what the engine answers."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

DIFFERENCES = {
    "null page ids": "first_id and last_id of an empty page are null: the hosted service and the SDK do so",
    "usage details": "usage has details of its tokens, as recorded from the hosted service",
    "run tool_resources": "runs carry an empty tool_resources, as recorded from the hosted service",
    "reasoning_effort": "assistants and runs give back the reasoning_effort they were given",
}
"""Where answers differ from the schema on purpose. docs/compatibility.md says the same to users."""


def problems(name: str, value: Any) -> list[str]:
    """List how a value breaks the official schema `name`, in words."""
    return [
        f"{'/'.join(map(str, error.absolute_path)) or '(top)'}: {error.message[:200]}"
        for error in _validator(name).iter_errors(value)
    ]


def assert_official(name: str, value: Any) -> None:
    assert problems(name, value) == []


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(Path(__file__).with_name("assistants-v2.schema.json").read_text())
    relaxed = copy.deepcopy(schema)
    for name, definition in relaxed["$defs"].items():
        if name.startswith("List"):
            for member in ("first_id", "last_id"):
                if member in definition.get("properties", {}):
                    definition["properties"][member] = {"type": ["string", "null"]}
    return relaxed


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": _schema()["$defs"]})
