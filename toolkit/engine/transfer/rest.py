"""What was under way when it was exported, as it ends: nobody goes on with it where it comes to.

The application that a run waits for, and the worker that it had, are those of the store it came from. So it is
`expired`, with what is open of it, at the time when it was last seen.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

from toolkit.engine.objects.runs import Tokens, usage_object
from toolkit.engine.states import ACTIVE
from toolkit.engine.transfer.lines import MessageLine, ObjectLine, RunLine, StepLine
from toolkit.engine.transfer.shapes import Object

__all__ = ["EXPIRES_S", "at_rest"]

_L = TypeVar("_L", RunLine, StepLine, MessageLine)

EXPIRES_S: Final = 600
"""How long the API gives a run, for those of which nothing better is known."""


def at_rest(line: ObjectLine) -> ObjectLine:
    """Give a line as it is stored; the same one, when what it shows is over."""
    match line:
        case RunLine(object={"status": status}) if status in ACTIVE:
            return _changed(line, status="expired", required_action=None, usage=usage_object(Tokens(*line.used)))
        case StepLine(object={"status": "in_progress"}):
            used = usage_object(Tokens(*(line.used or ())))
            return _changed(line, status="expired", expired_at=_seen_at(line), usage=used)
        case MessageLine(object={"status": "in_progress"}):
            text: list[Object] = [{"type": "text", "text": {"value": line.draft, "annotations": []}}]
            return _changed(
                line,
                status="incomplete",
                incomplete_details={"reason": "run_expired"},
                incomplete_at=_seen_at(line),
                content=line.object["content"] or text,
            )
        case _:
            return line


def _changed(line: _L, **members: Any) -> _L:
    return line.model_copy(update={"object": {**line.object, **members}})


def _seen_at(line: StepLine | MessageLine) -> int:
    at: int = line.object["created_at"]
    return max(at, line.at) if line.at is not None else at + EXPIRES_S
