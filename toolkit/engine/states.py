"""What may happen to runs, steps, messages, uploads and files in vector stores: tables of state x event -> state.

An illegal move is a missing key. For the run and the upload it becomes one clear 400 (`Refused`), worded as the API
words it; for the others it would be a fault of ours, since only our own moves touch them.

The rules are the run lifecycle of the Assistants guide. `cancelling` is in the table for its shape: our cancel is one
transaction, so nobody waits there. (Listeners are told of it in passing.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from toolkit.errors import Refused

__all__ = [
    "ACTIVE",
    "ENDED",
    "MESSAGE_MOVES",
    "MOVING",
    "RUN_MOVES",
    "STEP_MOVES",
    "STORE_FILE_MOVES",
    "UPLOAD_MOVES",
    "MessageEvent",
    "RunEvent",
    "StepEvent",
    "StoreFileEvent",
    "UploadEvent",
    "message_after",
    "run_after",
    "step_after",
    "store_file_after",
    "upload_after",
]

RunEvent = Literal[
    "claim", "call_tools", "use_tools", "require_action", "submit", "complete", "run_out", "fail", "cancel", "expire"
]
StepEvent = Literal["complete", "fail", "cancel", "expire"]
MessageEvent = Literal["complete", "break_off"]
StoreFileEvent = Literal["complete", "fail", "cancel"]
UploadEvent = Literal["add_part", "complete", "cancel", "expire"]

ACTIVE: Final = frozenset({"queued", "in_progress", "requires_action", "cancelling"})
"""States in which the run holds its thread's lock."""

MOVING: Final = frozenset({"queued", "in_progress", "cancelling"})
"""States that the run leaves by itself, so that it is worth waiting for."""

ENDED: Final = frozenset({"completed", "incomplete", "failed", "cancelled", "expired"})
"""States that nothing leaves."""

RUN_MOVES: Final[Mapping[str, Mapping[str, str]]] = {
    "queued": {"claim": "in_progress", "cancel": "cancelled", "expire": "expired", "fail": "failed"},
    "in_progress": {
        "claim": "in_progress",  # another worker takes over a run whose worker died
        "call_tools": "in_progress",  # those that the engine runs itself
        "use_tools": "in_progress",  # and goes on with what they gave
        "require_action": "requires_action",
        "complete": "completed",
        "run_out": "incomplete",
        "fail": "failed",
        "cancel": "cancelled",
        "expire": "expired",
    },
    "requires_action": {"submit": "queued", "cancel": "cancelled", "expire": "expired"},
    "cancelling": {
        "cancel": "cancelled",
        "complete": "completed",
        "run_out": "incomplete",
        "fail": "failed",
        "expire": "expired",
    },
    "completed": {},
    "incomplete": {},
    "failed": {},
    "cancelled": {},
    "expired": {},
}

STEP_MOVES: Final[Mapping[str, Mapping[str, str]]] = {
    "in_progress": {"complete": "completed", "fail": "failed", "cancel": "cancelled", "expire": "expired"},
    "completed": {},
    "failed": {},
    "cancelled": {},
    "expired": {},
}

MESSAGE_MOVES: Final[Mapping[str, Mapping[str, str]]] = {
    "in_progress": {"complete": "completed", "break_off": "incomplete"},
    "completed": {},
    "incomplete": {},
}

STORE_FILE_MOVES: Final[Mapping[str, Mapping[str, str]]] = {
    "in_progress": {"complete": "completed", "fail": "failed", "cancel": "cancelled"},
    "completed": {},
    "failed": {},
    "cancelled": {},
}

UPLOAD_MOVES: Final[Mapping[str, Mapping[str, str]]] = {
    "pending": {"add_part": "pending", "complete": "completed", "cancel": "cancelled", "expire": "expired"},
    "completed": {},
    "cancelled": {},
    "expired": {},
}


def run_after(status: str, event: RunEvent) -> str:
    """Give the state of a run in `status` after `event`. Raises Refused with the API's text when it may not happen."""
    after = RUN_MOVES[status].get(event)
    if after is None:
        raise Refused(_refusal(status, event))
    return after


def step_after(status: str, event: StepEvent) -> str:
    """Give the state of a step after `event`. Raises KeyError: nobody outside can ask for it."""
    return STEP_MOVES[status][event]


def message_after(status: str, event: MessageEvent) -> str:
    """Give the state of a message after `event`. Raises KeyError: nobody outside can ask for it."""
    return MESSAGE_MOVES[status][event]


def store_file_after(status: str, event: StoreFileEvent) -> str:
    """Give the state of a file in a vector store after `event`. Raises KeyError: nobody outside can ask for it."""
    return STORE_FILE_MOVES[status][event]


def upload_after(upload_id: str, status: str, event: UploadEvent) -> str:
    """Give the state of an upload in `status` after `event`. Raises Refused when it may not happen."""
    after = UPLOAD_MOVES[status].get(event)
    if after is None:
        done = {"add_part": "be added to", "complete": "be completed", "cancel": "be cancelled", "expire": "expire"}
        raise Refused(f"Upload '{upload_id}' has status '{status}': it cannot {done[event]} any more.")
    return after


def _refusal(status: str, event: RunEvent) -> str:
    if event == "submit":
        return f'Runs in status "{status}" do not accept tool outputs.'
    if event == "cancel":
        return f"Cannot cancel run with status '{status}'."
    return f"A run with status '{status}' cannot {event.replace('_', ' ')}."
