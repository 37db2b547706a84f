"""A plan as text: a diff that people read, in at most 80 columns.

Assistant "Weather" (asst_abc) would change:
  ~ model: "gpt-4o" -> "gpt-4.1"
  + get_rain_probability: Get the probability of rain for a specific location.
  ~ get_current_temperature
      ~ description: "Temperature." -> "Get the current temperature."
  - convert
Functions: 1 to add, 1 to change, 1 to remove. Tools of others stay: file_search.
"""

from __future__ import annotations

import difflib
import json
import textwrap
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from toolkit.assistants.plan import Change, Plan
    from toolkit.assistants.standing import Kind

__all__ = ["text"]

WIDTH = 80
MARKS: Mapping[Kind, str] = {"add": "+", "change": "~", "remove": "-", "adopt": "=", "leave": "=", "conflict": "!"}
CONTROLS = {code: "\ufffd" for code in [*range(32), *range(127, 160)] if chr(code) != "\n"}
"""What servers say must not steer the terminal."""


def text(plan: Plan) -> str:
    """Write a plan."""
    lines = [_head(plan)]
    for change in plan.fields:
        lines += _difference(change.what, change.before, change.after, "  ", MARKS[change.kind])
    for change in plan.functions:
        lines += _function(change)
    if plan.changes:
        lines += _wrapped(_sum(plan), "")
    if plan.conflicts:
        lines += _wrapped("What others did stays, and nothing is sent, unless overwrite is said.", "")
    return "\n".join(lines).translate(CONTROLS)


def _head(plan: Plan) -> str:
    shown = [json.dumps(plan.name, ensure_ascii=False)] if plan.name else []
    shown += [f"({plan.assistant_id})" if shown else plan.assistant_id] if plan.assistant_id else []
    state = "would change:" if plan.changes else "is as it should be."
    line = f"Assistant {' '.join(shown)} {'would be made:' if plan.seen is None else state}"
    return "\n".join(_wrapped(line, ""))


def _sum(plan: Plan) -> str:
    counts = {kind: sum(change.kind == kind for change in plan.functions) for kind in MARKS}
    said = f"Functions: {counts['add']} to add, {counts['change']} to change, {counts['remove']} to remove"
    said += f", {counts['adopt']} there already" if counts["adopt"] else ""
    said += f", {counts['conflict']} in conflict" if counts["conflict"] else ""
    return f"{said}. Tools of others stay: {', '.join(plan.kept)}." if plan.kept else f"{said}."


def _function(change: Change) -> Iterator[str]:
    before, after = cast("Mapping[str, Any]", change.before or {}), cast("Mapping[str, Any]", change.after or {})
    said = change.why
    if change.kind == "add" and not said:
        said = str(after.get("description") or "").partition("\n")[0]
    if change.kind == "adopt":
        said = "there already, and ours from now on"
    if change.kind == "leave":
        said = "ours no more, and stays for another owner"
    yield from _wrapped(f"{MARKS[change.kind]} {change.what}{f': {said}' if said else ''}", "  ")
    if change.kind in ("change", "conflict") and change.before is not None and change.after is not None:
        for path, old, new in _leaves(before, after, ""):
            yield from _difference(path, old, new, "      ")


def _leaves(before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any, Any]]:
    """Go down two objects to where they differ; None stands for what is not there, as the API has it."""
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _leaves(cast("Mapping[str, Any]", old), cast("Mapping[str, Any]", new), f"{path}{key}.")
        elif old != new:
            yield f"{path}{key}", old, new


def _difference(what: str, before: object, after: object, indent: str, mark: str = "") -> Iterator[str]:
    """Write one value that differs: on one line where it fits, else the old above the new."""
    mark = mark or ("+" if before is None else "-" if after is None else "~")
    values = " -> ".join(json.dumps(value, ensure_ascii=False) for value in (before, after) if value is not None)
    line = f"{indent}{mark} {what}: {values}"
    if len(line) <= WIDTH:
        yield line
        return
    yield from _wrapped(f"{mark} {what}", indent)
    lines = difflib.unified_diff(_lines(before), _lines(after), n=1, lineterm="")
    for line in islice(lines, 3, None):  # behind the names of two files, and the place of the first difference
        yield from _wrapped("..." if line.startswith("@@") else f"{line[:1]} {line[1:]}", f"{indent}    ")


def _lines(value: object) -> list[str]:
    if value is None:
        return []
    return value.splitlines() if isinstance(value, str) else [json.dumps(value, ensure_ascii=False)]


def _wrapped(line: str, indent: str) -> list[str]:
    later = indent + ("  " if line[1:2] == " " else "")
    return textwrap.wrap(line, WIDTH, initial_indent=indent, subsequent_indent=later, break_on_hyphens=False)
