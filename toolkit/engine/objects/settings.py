"""What a run may be asked for, and what it goes by then: the settings of a run.

The fields are those of CreateRunRequest and CreateThreadAndRunRequest in the Assistants API reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from toolkit.engine.objects.fields import (
    Instructions,
    Metadata,
    ModelName,
    ReasoningEffort,
    Request,
    ResponseFormat,
    Temperature,
    ToolChoice,
    Tools,
    TopP,
    TruncationStrategy,
)
from toolkit.engine.objects.messages import Messages
from toolkit.engine.objects.resources import ToolResources
from toolkit.engine.objects.threads import CreateThread
from toolkit.errors import Refused

__all__ = ["CreateRun", "CreateThreadAndRun", "effective"]


class _Settings(Request):
    """What a run may override of its assistant."""

    assistant_id: str
    model: ModelName | None = None
    instructions: Instructions | None = None
    tools: Tools | None = None
    metadata: Metadata | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    max_prompt_tokens: Annotated[int, Field(ge=256)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=256)] | None = None
    truncation_strategy: TruncationStrategy | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    stream: bool | None = None


class CreateRun(_Settings):
    """The body of `POST /threads/{thread_id}/runs`."""

    additional_instructions: Instructions | None = None
    additional_messages: Messages | None = None
    reasoning_effort: ReasoningEffort | None = None
    tool_resources: dict[str, Any] | None = None


class CreateThreadAndRun(_Settings):
    """The body of `POST /threads/runs`."""

    thread: CreateThread | None = None
    tool_resources: ToolResources | None = None


def effective(request: CreateRun | CreateThreadAndRun, assistant: Mapping[str, Any]) -> dict[str, Any]:
    """Settle every setting of a run: what was asked, else the assistant's, else the API's default. Raises Refused."""
    given = request.model_dump(exclude_none=True, by_alias=True)
    tools: Sequence[Mapping[str, Any]] = given.get("tools", assistant["tools"])
    _refuse_unserved(request, tools, given)
    instructions = given.get("instructions", assistant.get("instructions") or "")
    if additional := given.get("additional_instructions"):
        instructions = f"{instructions}\n\n{additional}" if instructions else additional

    def either(name: str, default: Any) -> Any:
        value = given.get(name, assistant.get(name))
        return default if value is None else value

    settings = {
        "model": either("model", ""),
        "instructions": instructions,
        "tools": tools,
        "temperature": either("temperature", 1.0),
        "top_p": either("top_p", 1.0),
        "response_format": either("response_format", "auto"),
        "max_prompt_tokens": given.get("max_prompt_tokens"),
        "max_completion_tokens": given.get("max_completion_tokens"),
        "truncation_strategy": {"last_messages": None, **given.get("truncation_strategy", {"type": "auto"})},
        "tool_choice": given.get("tool_choice", "auto"),
        "parallel_tool_calls": given.get("parallel_tool_calls", True),
        "tool_resources": {},
    }
    if effort := given.get("reasoning_effort") or assistant.get("reasoning_effort"):
        settings["reasoning_effort"] = effort
    return settings


def _refuse_unserved(
    request: CreateRun | CreateThreadAndRun, tools: Sequence[Mapping[str, Any]], given: Mapping[str, Any]
) -> None:
    if isinstance(request, CreateRun) and any((request.tool_resources or {}).values()):
        raise Refused(
            "A run takes no 'tool_resources'. Set them on the assistant or the thread.",
            param="tool_resources",
            code="unsupported_parameter",
        )
    choice: str | Mapping[str, Any] | None = given.get("tool_choice")
    if choice == "required" and not tools:
        raise Refused("Tool choice 'required' needs a tool, and the run has none.", param="tool_choice")
    if isinstance(choice, Mapping):
        named: str = choice.get("function", {}).get("name") or choice["type"]
        if not any((tool.get("function", {}).get("name") or tool["type"]) == named for tool in tools):
            raise Refused(f"Tool choice '{named}' is not among the run's tools.", param="tool_choice")
