"""Hold what models are told of tools against a file: a change of a name, a text or a type is seen in review."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from toolkit.tools.toolset import Toolset

__all__ = ["assert_schema"]

updates = False
"""Whether snapshots are written instead of compared; `pytest --toolkit-update` says so."""


def assert_schema(tools: Toolset, path: str | PathLike[str], *, update: bool | None = None) -> None:
    """Raise AssertionError, with a diff for each tool, unless the file at `path` has the definitions of `tools`.

    update: write the file instead. Without a word here, `pytest --toolkit-update` decides, or the environment variable
    TOOLKIT_TESTING_UPDATE.
    """
    file = Path(path)
    now = {definition["function"]["name"]: definition for definition in tools.definitions}
    if updates if update is None else update:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_text([*now.values()]) + "\n", encoding="utf-8")
        return
    how = f"If that is meant, write {file} anew: pytest --toolkit-update"
    try:
        before = {one["function"]["name"]: one for one in json.loads(file.read_text(encoding="utf-8"))}
    except FileNotFoundError:
        raise AssertionError(f"There is no {file} yet. Write it: pytest --toolkit-update") from None
    except (ValueError, TypeError, KeyError):
        raise AssertionError(f"{file} holds no definitions of tools. Write it anew: pytest --toolkit-update") from None
    changes = _changes(before, now)
    if changes:
        raise AssertionError("\n".join([f"Models would be told otherwise than {file} has it.", *changes, how]))


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    lines = [f"{name} is gone." for name in before if name not in now]
    for name, definition in now.items():
        if name not in before:
            lines.append(f"{name} is new: {definition['function'].get('description', '')}")
        elif _text(before[name]) != _text(definition):
            old, new = _text(before[name]).splitlines(), _text(definition).splitlines()
            lines += [f"{name} has changed:", *difflib.unified_diff(old, new, "before", "now", n=2, lineterm="")]
    if not lines and list(before) != list(now):
        lines.append(f"The order has changed: {', '.join(before)} -> {', '.join(now)}")
    return lines


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
