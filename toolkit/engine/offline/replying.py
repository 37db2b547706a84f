"""What to do next: call tools, or say something."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, cast

from toolkit.engine.jsontext import dump
from toolkit.engine.model import ModelError, ModelRequest
from toolkit.engine.offline.answering import Done, answer, introduction, is_question, question
from toolkit.engine.offline.conversation import Asked, members_of, read
from toolkit.engine.offline.filling import empty, fill_schema
from toolkit.engine.offline.matching import Wish, plan, wish_for
from toolkit.engine.offline.toolbox import Tool, Toolbox, toolbox

__all__ = ["Reply", "reply_to"]

_FOLLOWS_UP = re.compile(r"\s*(and|what about|how about|same for|also)\b", re.IGNORECASE)
_LEANING: Final = 5
"""How many requests in a row may lean on one."""
_CODE: Final = re.compile(r"```(?:python3?|py)[ \t]*\n(.*?)\n?[ \t]*```", re.DOTALL | re.IGNORECASE)
_ANSWERS: Final = frozenset(
    ["answer", "content", "message", "output", "reply", "response", "result", "summary", "text"]
)
"""Names of properties that hold what would have been said."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Calls as (name, JSON text of the arguments), or else a text."""

    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()


def reply_to(request: ModelRequest, today: Callable[[], date]) -> Reply:
    """Decide on a reply. No call is made twice for one request. Raises ModelError for an unknown choice."""
    asked = read(request.messages)
    choice = request.options.get("tool_choice", "auto")
    box = toolbox(request.tools) if request.tools and choice != "none" else None
    wishes = _wishes(request.messages, asked, box, choice, today) if box else []
    calls = _calls(wishes, asked.done)
    if calls:
        one_by_one = request.options.get("parallel_tool_calls") is False
        return Reply(calls=tuple(calls[:1] if one_by_one else calls))
    open_wishes = [wish for wish in wishes if wish.missing]
    said = [answer(asked.done)] if asked.done else []
    if open_wishes:
        said.append(question(open_wishes))
    text = "\n\n".join(said) or introduction(asked.text, box)
    return Reply(_formatted(text, request.options.get("response_format"), asked, today))


def _calls(wishes: Sequence[Wish], done: Sequence[Done]) -> list[tuple[str, str]]:
    """Give the calls that are complete and have not been made."""
    made = {(each.name, dump(each.arguments)) for each in done}
    calls = ((wish.tool.name, dump(arguments)) for wish in wishes if not wish.missing for arguments in wish.each)
    return [call for call in dict.fromkeys(calls) if call not in made]


def _wishes(messages: Sequence[str], asked: Asked, box: Toolbox, choice: Any, today: Callable[[], date]) -> list[Wish]:
    whole, (box, search, runs) = box, _parted(box)
    if isinstance(choice, Mapping):
        tool = _named(cast("Mapping[str, Any]", choice), whole)
        if tool is runs:
            return _runs(tool, asked) or [Wish(tool, ({"code": f"print({asked.text!r})"},))]
        return _searches(tool, asked) or [_forced(wish_for(tool, asked.text, asked.text, box, today), asked.text)]
    if runs and (code := _runs(runs, asked)):
        return code
    wishes = plan(asked.text, box, today)
    if asked.start and (not wishes or any(wish.missing for wish in wishes)):
        wishes = _carried_on(messages, asked, box, today) or wishes
    if search and not wishes:  # what fits nothing else is looked for in the files
        return _searches(search, asked)
    if choice == "required" and box.tools and not asked.done:
        wishes = wishes or [wish_for(box.tools[0], asked.text, asked.text, box, today)]
        return [_forced(wish, asked.text) for wish in wishes]
    return wishes


def _parted(box: Toolbox) -> tuple[Toolbox, Tool | None, Tool | None]:
    """Part the application's tools from those of the engine's own: what searches files, and what runs code."""
    search = next((tool for tool in box.tools if _is_own(tool, "file_search", "queries")), None)
    runs = next((tool for tool in box.tools if _is_own(tool, "code_interpreter", "code")), None)
    if search is None and runs is None:
        return box, None, None
    others = tuple(tool for tool in box.tools if tool not in (search, runs))
    return Toolbox(others, frozenset[str]().union(*(tool.own for tool in others))), search, runs


def _is_own(tool: Tool, name: str, parameter: str) -> bool:
    return tool.name.startswith(name) and [each.name for each in tool.parameters] == [parameter]


def _runs(tool: Tool, asked: Asked) -> list[Wish]:
    """Run the Python that a request has in fences of Markdown: this model writes none of its own."""
    codes = _CODE.findall(asked.text)
    return [Wish(tool, tuple({"code": code} for code in codes))] if codes else []


def _searches(tool: Tool, asked: Asked) -> list[Wish]:
    """Look for the whole request, if a tool is the one that searches files."""
    return [Wish(tool, ({"queries": [asked.text]},))] if _is_own(tool, "file_search", "queries") else []


def _carried_on(messages: Sequence[str], asked: Asked, box: Toolbox, today: Callable[[], date]) -> list[Wish]:
    """Understand an answer to our question (`Seoul`), and a request that leans on the one before (`And in Paris?`)."""
    before = read(messages, asked.start)
    if is_question(before.said):
        wishes = plan(f"{before.text}, {asked.text}", box, today)
        return [wish for wish in wishes if f"`{wish.tool.name}`" in before.said]
    if not _FOLLOWS_UP.match(asked.text) or plan(asked.text, box, today):
        return []
    for _ in range(_LEANING):
        if not before.start or not _FOLLOWS_UP.match(before.text):
            break
        before = read(messages, before.start)
    return [wish_for(wish.tool, asked.text, before.text, box, today) for wish in plan(before.text, box, today)]


def _named(choice: Mapping[str, Any], box: Toolbox) -> Tool:
    """Find the tool that `tool_choice` names, in either wire form."""
    function: Mapping[str, Any] = choice.get("function") or choice
    for tool in box.tools:
        if tool.name == function.get("name"):
            return tool
    text = f"tool_choice names {function.get('name')!r}, which is none of the tools."
    raise ModelError(text, code="invalid_prompt")


def _forced(wish: Wish, text: str) -> Wish:
    """Make a wish complete: what is missing is empty, and the whole request stands where a text is due."""
    filling = {parameter.name: empty(parameter.schema, text) for parameter in wish.missing}
    names = [parameter.name for parameter in wish.tool.parameters]
    filled = ({**arguments, **filling} for arguments in wish.each)
    return Wish(wish.tool, tuple({name: each[name] for name in names if name in each} for each in filled))


def _formatted(text: str, response_format: Any, asked: Asked, today: Callable[[], date]) -> str:
    """Say a text as the JSON that was asked for, if any was."""
    wanted = cast("Mapping[str, Any]", response_format if isinstance(response_format, Mapping) else {})
    if wanted.get("type") == "json_object":
        return dump({"answer": text})
    if wanted.get("type") != "json_schema":
        return text
    asked_for: Mapping[str, Any] = wanted.get("json_schema") or {}
    schema: Mapping[str, Any] = asked_for.get("schema") or {}
    value = fill_schema(schema, asked.text, today)
    properties: Mapping[str, Mapping[str, Any]] = schema.get("properties") or {}
    for done in asked.done:
        value |= {name: said for name, said in members_of(done.output).items() if _fits(said, properties.get(name, {}))}
    for name in value:
        if name in _ANSWERS and properties[name].get("type") == "string" and "enum" not in properties[name]:
            value[name] = text
    return dump(value)


def _fits(value: object, schema: Mapping[str, Any]) -> bool:
    """Say whether a value has a schema's plain type, and is one of its values if it names any."""
    kinds = {"string": str, "boolean": bool, "integer": int, "number": int | float}
    kind = kinds.get(schema.get("type", ""))
    same = kind is not None and isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    return same and value in schema.get("enum", (value,))
