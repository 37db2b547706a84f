"""`code_interpreter` as a model has it: a function that takes Python code, and gives what it printed and showed.

The engine runs it, not the application. What code prints is data: it goes to the model as a tool's output.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

__all__ = ["FOLDER", "MISTAKE", "code_of", "definition", "told", "without_fence"]

FOLDER: Final = "/mnt/data/"
"""Where the session's files are, as code sees them."""
MISTAKE: Final = 'code: give Python code as a string, such as {"code": "print(1 + 1)"}.'

_SHOWN_FILES: Final = 40
_FENCE: Final = "```"
_LANGUAGES: Final = ("", "python", "py", "python3")
_NAMES: Final = ("code", "input", "python", "source")
"""Under which models send the code, the first one being the one they are asked for."""


def definition(name: str, files: Sequence[str] = ()) -> dict[str, Any]:
    """Give the function that a model is offered; `files` are the names of the user's files."""
    about = (
        "Run Python code in a session that keeps its variables, without a network. Print what you want to see; the "
        f"value of a last expression is shown too. Files are in {FOLDER.rstrip('/')}: each one that you write there is "
        "given to the user, when you link it as [name](sandbox:/mnt/data/name). Figures of matplotlib are shown to the "
        "user by themselves."
    )
    if files:
        more = f", and {len(files) - _SHOWN_FILES} more" if len(files) > _SHOWN_FILES else ""
        about += f" Files of the user there: {', '.join(map(repr, files[:_SHOWN_FILES]))}{more}."
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": about,
            "parameters": {
                "type": "object",
                "properties": {"code": {"type": "string", "description": "Python code to run."}},
                "required": ["code"],
                "additionalProperties": False,
            },
        },
    }


def code_of(arguments: str) -> str | None:
    """Read the code that a call is to run; None when there is none. Some models send it bare, or with its line ends."""
    try:
        given: Any = json.loads(arguments, strict=False)
    except (ValueError, RecursionError):
        return None if not arguments.strip() or arguments.lstrip().startswith("{") else arguments
    if isinstance(given, str):
        return given or None
    if not isinstance(given, dict):
        return None
    members: dict[str, Any] = given  # pyright: ignore[reportUnknownVariableType] - any JSON
    codes: list[Any] = [members.get(name) for name in _NAMES]
    return next((code for code in codes if isinstance(code, str) and code.strip()), None)


def without_fence(code: str) -> str:
    """Take the fence of Markdown off, when all of the code is in one."""
    first, _, rest = code.strip().partition("\n")
    language = first.removeprefix(_FENCE).strip().lower()
    if not (first.startswith(_FENCE) and language in _LANGUAGES and rest.endswith(_FENCE)):
        return code
    return rest.removesuffix(_FENCE).rstrip(" \t").removesuffix("\n")


def told(logs: str, notes: Sequence[str], most: int) -> str:
    """Say to the model what a call gave, in so many characters: what was printed, then the notes, in half of them."""
    notes = _within(notes, most // 2)
    logs, most = logs.rstrip("\n"), most - sum(map(len, notes))
    if len(logs) > most:
        head, tail = most * 2 // 3, most // 3
        cut = len(logs) - head - tail
        logs = f"{logs[:head]}\n[... {cut:,} characters are left out here ...]\n{logs[len(logs) - tail :]}"
    said = [*([logs] if logs else []), *notes]
    return "\n".join(said) or "The code ran, and printed nothing."


def _within(notes: Sequence[str], most: int) -> Sequence[str]:
    """Take the first notes, as long as there is room, and say how many more there are."""
    taken = 0
    for note in notes:
        most -= len(note)
        if most < 0:
            break
        taken += 1
    left = len(notes) - taken
    return [*notes[:taken], f"[There is more of this: {left}]"] if left else notes
