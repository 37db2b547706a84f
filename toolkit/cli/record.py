"""A run as it is kept, written for people: an entry of a list, or a page of its own.

Such text is pasted into tickets, so it holds ids, names, states and times; what users and models said only on request.
"""

from __future__ import annotations

import json
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from toolkit.cli.screen import CONTROLS

__all__ = ["HEAD", "Record", "entry", "facts", "page", "since"]

WIDTH = 80
HEAD = f"{'RUN':<28}  {'STATUS':<15}  {'AGE':>4}  {'PROJECT':<12}  MODEL"

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """A run as a store or a server tells it."""

    run: Object
    """The API's own object."""
    project: str | None = None
    """None where a server tells: a key sees one project."""
    steps: Sequence[Object] = ()
    messages: Sequence[Object] = ()
    attempt: int | None = None
    worker: str | None = None
    """Whoever executes it, as far as the store knows."""
    unattended: bool = False
    """Whether it should be going on, and nobody executes it; the last three are known to the store alone."""


def since(seconds: float) -> str:
    """Write a length of time in four columns: 59s, 12m, 23h, 365d."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(0, int(seconds))}s"


def entry(record: Record, now: float) -> str:
    """Write two lines of 80 columns. Ids are whole, for the next command."""
    run = record.run
    age = since(now - run["created_at"])
    first = f"{run['id']:<28}  {run['status']:<15}  {age:>4}  {_fitted(record.project or '-', 12):<12}  "
    second = f"  {run['thread_id']}  "
    return f"{first}{_rest(run['model'], first)}\n{second}{_rest(_why(record), second)}".rstrip()


def facts(record: Record) -> dict[str, Any]:
    """Give what `entry` writes, for programs."""
    run = record.run
    error = run["last_error"]
    return {
        "id": run["id"],
        "status": run["status"],
        "project": record.project,
        "created_at": run["created_at"],
        "thread_id": run["thread_id"],
        "assistant_id": run["assistant_id"],
        "model": run["model"],
        "waits_for": [{"id": call["id"], "name": call["function"]["name"]} for call in _waiting(run)],
        "last_error": error["code"] if error else None,
    }


def page(record: Record, now: float, *, content: bool) -> Iterator[str]:
    """Write all that is known of a run, a fact a line; what was said only with `content`."""
    run = record.run
    rows: list[tuple[str, Any]] = [
        ("run", run["id"]),
        ("status", run["status"]),
        ("project", record.project),
        ("thread", run["thread_id"]),
        ("assistant", run["assistant_id"]),
        ("model", run["model"]),
        *((label, _at(run.get(key), now)) for label, key in _TIMES),
        ("attempts", record.attempt),
        ("worker", _worker(record)),
        ("usage", _usage(run.get("usage"))),
        ("error", _error(run["last_error"])),
        ("cut by", _cut(run)),
        ("waits for", ", ".join(f"{call['function']['name']} ({call['id']})" for call in _waiting(run))),
        ("tools", ", ".join(map(_tool, run["tools"]))),
    ]
    if content:
        metadata = json.dumps(run["metadata"], ensure_ascii=False) if run["metadata"] else None
        rows += [("metadata", metadata), ("told first", run["instructions"])]
    for label, value in rows:
        if value:
            yield from _wrapped(_plain(value), f"{label:<10} ")
    said = {message["id"]: _text(message) for message in record.messages} if content else {}
    for step in record.steps:
        yield ""
        yield from _step(step, said, content)


_TIMES = (
    ("created", "created_at"),
    ("started", "started_at"),
    ("completed", "completed_at"),
    ("failed", "failed_at"),
    ("cancelled", "cancelled_at"),
    ("expires", "expires_at"),
)


def _step(step: Object, said: Mapping[str, str], content: bool) -> Iterator[str]:
    ended = next((step[key] for key in ("completed_at", "failed_at", "cancelled_at", "expired_at") if step[key]), None)
    took = f", {ended - step['created_at']} s" if ended else ""
    used = f", {tokens}" if (tokens := _usage(step["usage"])) else ""
    yield f"{step['id']} {step['type']}: {step['status']}{took}{used}"
    if step["last_error"]:
        yield f"  error {_plain(_error(step['last_error']))}"
    details = step["step_details"]
    if step["type"] == "message_creation":
        message = details["message_creation"]["message_id"]
        yield f"  {message}"
        if message in said:
            yield from _indented(said[message])
    for call in details.get("tool_calls", ()):
        function = call.get("function", {})
        answered = "answered" if function.get("output") is not None else "not answered"
        yield f"  {call['id']} {_plain(function.get('name', call['type']))}: {answered}"
        if content:
            yield from _indented(f"asked {function.get('arguments')}")
            if function.get("output") is not None:
                yield from _indented(f"told {function['output']}")


def _why(record: Record) -> str:
    """Say in a few words why a run waits, or did not end well."""
    run = record.run
    if calls := _waiting(run):
        return f"waits for {', '.join(call['function']['name'] for call in calls)}"
    if record.unattended:
        return "waits for a server"
    if run["last_error"]:
        return str(run["last_error"]["code"])
    return _cut(run) or ""


def _worker(record: Record) -> str | None:
    if _waiting(record.run):
        return "none: it waits for its application, which has to hand in the outputs"
    if record.unattended:
        return "none: start a server, or end the run with toolkit runs unlock"
    return record.worker


def _waiting(run: Object) -> list[Object]:
    action = run["required_action"]
    return list(action["submit_tool_outputs"]["tool_calls"]) if action else []


def _cut(run: Object) -> str | None:
    details = run["incomplete_details"]
    return str(details["reason"]) if details else None


def _at(moment: float | None, now: float) -> str | None:
    if moment is None:
        return None
    away = f"{since(now - moment)} ago" if moment <= now else f"in {since(moment - now)}"
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(moment))} UTC, {away}"


def _usage(usage: Object | None) -> str | None:
    if not usage:
        return None
    return f"{usage['prompt_tokens']:,} + {usage['completion_tokens']:,} tokens"


def _error(error: Object | None) -> str | None:
    return f"{error['code']}: {error['message']}" if error else None


def _tool(tool: Object) -> str:
    return str(tool.get("function", {}).get("name", tool["type"]))


def _text(message: Object) -> str:
    parts = cast("Sequence[Object]", message["content"])
    return "\n".join(part["text"]["value"] for part in parts if part["type"] == "text")


def _indented(text: str) -> Iterator[str]:
    for line in text.translate(CONTROLS).splitlines():
        yield f"    {line}"


def _plain(text: object) -> str:
    """Make one line that does not steer the terminal."""
    return " ".join(str(text).translate(CONTROLS).split())


def _wrapped(text: str, label: str) -> Iterator[str]:
    yield from textwrap.wrap(
        text,
        WIDTH,
        initial_indent=label,
        subsequent_indent=" " * len(label),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _rest(text: str, before: str) -> str:
    return _fitted(_plain(text), max(8, WIDTH - len(before)))


def _fitted(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."
