"""What goes to the model: the thread, as chat messages that were stored as JSON texts, and the run's settings.

The newest messages go first into the room there is; a message that calls tools and the tools' outputs are never sent
apart. Where a thread is longer than the room, the middle is left out: the message it began with stays, since it often
says what all is about. Reading stops where the room ends, so a run costs what is sent, not what the thread holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from toolkit.engine.code import tool as code
from toolkit.engine.jsontext import dump
from toolkit.engine.model import ModelRequest
from toolkit.engine.objects.runs import Run
from toolkit.engine.search import tool as search
from toolkit.engine.store import Row, Tx

__all__ = ["Budget", "Context", "budget_of", "fixed_size", "own_names", "read", "request_of"]

_OWN: Final = ("file_search", "code_interpreter")
_FREE_PART: Final = 8
"""Of the model's window this part is left free for the answer, unless `max_completion_tokens` asks for more."""
_FIRST_PART: Final = 4
"""The thread's first message stays when it takes up no more than this part of the room."""
_FIRST_PAGE, _PAGE = 20, 200
"""Rows read at a time: few at first, since the room may be small."""
_NO_SEQ: Final = 2**62


@dataclass(frozen=True, slots=True)
class Budget:
    """How much of a thread may be sent."""

    size: int | None = None
    """Bytes of chat messages, None for no bound."""
    messages: int | None = None
    """Messages of before this run (truncation_strategy last_messages), None for no bound."""


@dataclass(frozen=True, slots=True)
class Context:
    """What of the thread is sent, oldest first."""

    messages: Sequence[str]
    size: int
    had_calls: bool
    """Whether the run has called tools already."""


def budget_of(run: Run, settings: Mapping[str, Any], window_tokens: int | None, bytes_per_token: float) -> Budget:
    """Settle what may be sent: the least of the model's window and of what is left of `max_prompt_tokens`.

    The window has to hold the answer too, so some of it is left free. The instructions and tools are taken off.
    """
    bounds: list[int] = []
    if window_tokens is not None:
        answer = settings["max_completion_tokens"] or 0
        bounds.append(window_tokens - min(max(answer, window_tokens // _FREE_PART), window_tokens // 2))
    if settings["max_prompt_tokens"] is not None:
        bounds.append(settings["max_prompt_tokens"] - run.used.prompt)
    strategy = settings["truncation_strategy"]
    messages = strategy["last_messages"] if strategy["type"] == "last_messages" else None
    if not bounds:
        return Budget(None, messages)
    return Budget(max(0, int(min(bounds) * bytes_per_token) - fixed_size(settings)), messages)


def fixed_size(settings: Mapping[str, Any]) -> int:
    """Count the bytes of what goes along with every request: the instructions and tools."""
    return len(settings["instructions"].encode()) + len(dump(settings["tools"]).encode())


def read(tx: Tx, run: Run, budget: Budget) -> Context:
    """Read as much of the thread as the budget allows, newest first; what this run was asked and did always goes."""
    chosen: list[list[Row]] = []
    size = earlier = needed = 0
    for group in _groups(tx, run.thread):
        group_size = _size(group)
        mine = group[0]["run"] == run.id
        if mine or earlier == 0:
            needed = len(chosen) + 1
        elif budget.messages is not None and earlier >= budget.messages:
            break
        elif budget.size is not None and size + group_size > budget.size:
            size += _keep_first(tx, run, chosen, needed, budget.size, size)
            break
        chosen.append(group)
        size += group_size
        earlier += not mine and group[0]["turn"] is None
    had_calls = tx.one("step.had_calls", run=run.id) is not None
    return Context([row["chat"] for group in reversed(chosen) for row in reversed(group)], size, had_calls)


def _keep_first(tx: Tx, run: Run, chosen: list[list[Row]], needed: int, room: int, size: int) -> int:
    """Put the thread's first message before what was chosen, which makes way for it; by how much the size changed."""
    first = tx.one("item.first", thread=run.thread)
    if first is None or first["turn"] is not None or first["size"] > room // _FIRST_PART:
        return 0
    before = size
    while size + first["size"] > room and len(chosen) > needed:
        size -= _size(chosen.pop())
    if size + first["size"] > room:
        return size - before
    chosen.append([first])
    size += first["size"]
    return size - before


def _size(group: Sequence[Row]) -> int:
    return sum(row["size"] for row in group)


def _groups(tx: Tx, thread_id: str) -> Iterator[list[Row]]:
    """Walk a thread's items from the newest, those of one turn together, each group newest first."""
    group: list[Row] = []
    before, limit = _NO_SEQ, _FIRST_PAGE
    while rows := tx.all("item.newest", thread=thread_id, before=before, limit=limit):
        for row in rows:
            if group and (row["turn"] is None or row["turn"] != group[-1]["turn"]):
                yield group
                group = []
            group.append(row)
        if len(rows) < limit:
            break
        before, limit = rows[-1]["seq"], _PAGE
    if group:
        yield group


def own_name(kind: str, settings: Mapping[str, Any]) -> str:
    """Give the name under which a model is offered a tool of the engine's own, which no function of the run has."""
    taken = {tool["function"]["name"] for tool in settings["tools"] if tool["type"] == "function"}
    names = (kind, *(f"{kind}_{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def own_names(settings: Mapping[str, Any]) -> Mapping[str, str]:
    """Give the tools of the engine's own that a run has: the name under which the model has it -> its kind."""
    return {own_name(kind, settings): kind for kind in _OWN if any(tool["type"] == kind for tool in settings["tools"])}


def _offered(tool: Mapping[str, Any], settings: Mapping[str, Any], files: Sequence[str]) -> Mapping[str, Any]:
    match tool["type"]:
        case "file_search":
            return search.definition(own_name("file_search", settings))
        case "code_interpreter":
            return code.definition(own_name("code_interpreter", settings), files)
        case _:
            return tool


def request_of(
    run: Run,
    settings: Mapping[str, Any],
    model_name: str,
    context: Context,
    timeout_s: float,
    taken: frozenset[str] = frozenset(),
    files: Sequence[str] = (),
) -> ModelRequest:
    """Make the request to the model out of the run's settings and the thread; `taken` are the ids of earlier calls.

    `files` are the names of the files that code finds.
    """
    messages = list(context.messages)
    if settings["instructions"]:
        messages.insert(0, dump({"role": "system", "content": settings["instructions"]}))
    tools = [_offered(tool, settings, files) for tool in settings["tools"]]
    return ModelRequest(
        model=model_name,
        messages=messages,
        tools=dump(tools) if tools else None,
        options=_options(run, settings, has_tools=bool(tools), had_calls=context.had_calls),
        timeout_s=timeout_s,
        taken=taken,
    )


def _options(run: Run, settings: Mapping[str, Any], *, has_tools: bool, had_calls: bool) -> dict[str, Any]:
    """Give only what differs from the defaults: many servers refuse parameters they do not know.

    A forced tool choice holds for the run's first turn; later on it would call tools for ever.
    """
    options: dict[str, Any] = {}
    for name in ("temperature", "top_p"):
        if settings[name] != 1.0:
            options[name] = settings[name]
    if settings["response_format"] not in ("auto", {"type": "text"}):
        options["response_format"] = settings["response_format"]
    if "reasoning_effort" in settings:
        options["reasoning_effort"] = settings["reasoning_effort"]
    if settings["max_completion_tokens"] is not None:
        options["max_completion_tokens"] = settings["max_completion_tokens"] - run.used.completion
    if has_tools:
        choice: Any = settings["tool_choice"]
        kind: str = "function" if isinstance(choice, str) else choice["type"]
        if kind != "function":
            choice = {"type": "function", "function": {"name": own_name(kind, settings)}}
        if choice == "none" or (choice != "auto" and not had_calls):
            options["tool_choice"] = choice
        if not settings["parallel_tool_calls"]:
            options["parallel_tool_calls"] = False
    return options
