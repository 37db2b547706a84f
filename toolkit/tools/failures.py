"""What the model and the log are told of a call that did not work.

The model gets one or two short sentences it can act on. What an exception says is for the app: it may hold paths,
secrets or other people's data, so its text is hidden unless the tool chose it (ToolError, Retry) or it is about the
arguments the model itself wrote. The log gets ids and the traceback, never the arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from toolkit.errors import ArgumentsInvalid, CallSignal, JournalError, Retry
from toolkit.tools.output import MAX_OUTPUT_BYTES, NoJsonForm, Output, output_of

if TYPE_CHECKING:
    from logging import Logger

__all__ = ["failure", "late", "log_failure", "log_late", "passes_through", "unknown_tool"]

SHOWN_NAME = 64
"""Characters shown of a name that the model made up: no tool's name is longer."""


def passes_through(error: BaseException) -> bool:
    """Say whether an exception ends the program, or the turn, and is not ours to turn into an answer."""
    return isinstance(error, KeyboardInterrupt | SystemExit | JournalError)


def failure(tool: str, error: BaseException, *, tries_left: int = 0, max_bytes: int = MAX_OUTPUT_BYTES) -> Output:
    """Say what the model may know of an exception; `tries_left` is the tool's budget of Retry before this call."""
    if isinstance(error, Retry):
        ask = "Call it again." if tries_left > 0 else f"There are no more tries for {tool}: go on without it."
        text = f"{error}\n{ask}".lstrip()
    elif isinstance(error, CallSignal | ArgumentsInvalid):
        text = str(error) or f"The tool {tool} failed."
    elif isinstance(error, NoJsonForm):
        text = f"The tool {tool} ran, but what it returned cannot be shown as text."
    else:
        text = f"The tool {tool} failed."
    return Output(output_of(text, max_bytes).content, ok=False)


def late(tool: str, seconds: float) -> Output:
    """Tell the model that a tool was given up on, and what it cannot know."""
    text = f"The tool {tool} gave no result within {seconds:g} s. It may still have taken effect, or take effect later."
    return Output(text, ok=False)


def unknown_tool(name: str, known: Iterable[str]) -> Output:
    """Tell the model which tools there are when it asks for another one."""
    shown = name if len(name) <= SHOWN_NAME else name[:SHOWN_NAME] + "..."
    text = f"There is no tool {shown!r}. The tools are: {', '.join(known) or 'none'}."
    return Output(output_of(text).content, ok=False)


def log_failure(tool: str, error: BaseException, *, call_id: str = "", run_id: str = "", thread_id: str = "") -> None:
    """Log what a tool raised: a warning with its traceback, or a line of information when it spoke on purpose."""
    log = _log()
    where = (tool, call_id or "-", run_id or "-", thread_id or "-")
    if isinstance(error, CallSignal | ArgumentsInvalid):  # no traceback: it would quote the arguments
        log.info("tool %s: call %s of run %s, thread %s answered with %s", *where, type(error).__name__)
    else:
        log.warning("tool %s: call %s of run %s, thread %s failed", *where, exc_info=error)


def log_late(tool: str, seconds: float, *, call_id: str, run_id: str, thread_id: str) -> None:
    """Log that a tool ended after the model had been told that it was given up on: its result goes nowhere."""
    _log().warning(
        "tool %s: call %s of run %s, thread %s ended after %.1f s, too late: its result is dropped",
        *(tool, call_id, run_id or "-", thread_id or "-", seconds),
    )


def _log() -> Logger:
    import logging  # here, since defining a tool is to stay cheap and most programs never get to this line

    return logging.getLogger("toolkit.tools")
