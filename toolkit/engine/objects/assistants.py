"""Assistants: what may be asked, what an assistant looks like, how it is created, read, listed, changed and deleted."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, Final

from pydantic import Field

from toolkit.engine.jsontext import dump
from toolkit.engine.objects.fields import (
    Description,
    Instructions,
    Metadata,
    ModelName,
    Name,
    ReasoningEffort,
    Request,
    ResponseFormat,
    Temperature,
    Tool,
    Tools,
    TopP,
)
from toolkit.engine.objects.ids import new_id
from toolkit.engine.objects.paging import PageQuery, bury, page
from toolkit.engine.objects.resources import NewToolResources, ToolResources, let_go, stored
from toolkit.engine.store import Row, Tx
from toolkit.errors import Refused

__all__ = ["CreateAssistant", "ModifyAssistant", "create", "delete", "get", "list_", "modify"]


class _Settings(Request):
    name: Name | None = None
    description: Description | None = None
    instructions: Instructions | None = None
    metadata: Metadata | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: ReasoningEffort | None = None


class CreateAssistant(_Settings):
    """The body of `POST /assistants`; null means not given."""

    model: ModelName
    tools: Tools | None = None
    tool_resources: NewToolResources | None = None


class ModifyAssistant(_Settings):
    """The body of `POST /assistants/{assistant_id}`; null clears, and model and tools cannot be null."""

    model: ModelName = ""
    tools: Tools = Field(default_factory=list[Tool])
    tool_resources: ToolResources | None = None


_DEFAULTS: Final[Mapping[str, Any]] = {
    "tools": [],
    "metadata": {},
    "temperature": 1.0,
    "top_p": 1.0,
    "response_format": "auto",
}


def create(tx: Tx, project: str, request: CreateAssistant, now: int) -> str:
    """Create an assistant. Raises Refused."""
    assistant = {"id": new_id("asst"), "object": "assistant", "created_at": now}
    assistant = _settled(tx, project, assistant, request, CreateAssistant.model_fields, now)
    body = dump(assistant)
    tx.run("assistant.insert", id=assistant["id"], project=project, created_at=now, body=body)
    return body


def get(tx: Tx, project: str, assistant_id: str) -> str:
    """Read an assistant. Raises Refused (404)."""
    body: str = _row(tx, project, assistant_id)["body"]
    return body


def modify(tx: Tx, project: str, assistant_id: str, request: ModifyAssistant, now: int) -> str:
    """Change what was given; runs under way keep what they began with. Raises Refused."""
    assistant = json.loads(get(tx, project, assistant_id))
    body = dump(_settled(tx, project, assistant, request, request.model_fields_set, now))
    tx.run("assistant.save", id=assistant_id, project=project, body=body)
    return body


def list_(tx: Tx, project: str, query: PageQuery) -> str:
    """Read a page of a project's assistants, newest first unless asked otherwise. Raises Refused."""
    return page(tx, "assistant.page", query, project=project)


def delete(tx: Tx, project: str, assistant_id: str) -> str:
    """Delete an assistant; its runs go on, on what they began with. Raises Refused (404)."""
    row = _row(tx, project, assistant_id)
    tx.run("assistant.delete", id=assistant_id, project=project)
    let_go(tx, assistant_id)
    bury(tx, project, row)
    return dump({"id": assistant_id, "object": "assistant.deleted", "deleted": True})


def _row(tx: Tx, project: str, assistant_id: str) -> Row:
    row = tx.one("assistant.get", id=assistant_id, project=project)
    if row is None:
        raise Refused(f"No assistant found with id '{assistant_id}'.", status=404)
    return row


def _settled(
    tx: Tx,
    project: str,
    assistant: Mapping[str, Any],
    request: CreateAssistant | ModifyAssistant,
    given: Collection[str],
    now: int,
) -> dict[str, Any]:
    """Give the assistant with the `given` fields of the request: null is the default, or nothing."""
    settled = dict(assistant)
    for field in given:
        value = getattr(request, field)
        settled[field] = _DEFAULTS.get(field) if value is None else value
    if "tool_resources" in given:
        had = assistant.get("tool_resources", {})
        settled["tool_resources"] = stored(tx, project, assistant["id"], request.tool_resources, now, had=had)
    if any(tool["type"] == "code_interpreter" for tool in settled["tools"]):
        settled["tool_resources"].setdefault("code_interpreter", {"file_ids": []})
    if settled.get("reasoning_effort") is None:
        settled.pop("reasoning_effort", None)
    return settled
