"""Your Python functions as assistant tools, and one loop that runs them over the Assistants API.

The public names, nothing else. They are imported when they are first used (PEP 562), so that defining a tool does not
import openai.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.assistants.plan import Plan
    from toolkit.errors import (
        CallsUnknown,
        DefinitionError,
        Drifted,
        EngineError,
        LimitReached,
        OutputInvalid,
        RegistrationError,
        Retry,
        RunCancelled,
        RunError,
        RunExpired,
        RunFailed,
        RunKept,
        RunLost,
        ServerUnavailable,
        ThreadBusy,
        ToolError,
        ToolkitError,
        ToolsMissing,
    )
    from toolkit.runs.decisions import Approve, Deny
    from toolkit.runs.events import CallFinished, CallStarted, Event, RunEnded, ServerEvent, TextDelta
    from toolkit.runs.hosts.chat import Chat
    from toolkit.runs.hosts.responses import Responses
    from toolkit.runs.hosts.sessions import Sessions
    from toolkit.runs.journal import Journal
    from toolkit.runs.limits import Limits
    from toolkit.runs.pending import Pending
    from toolkit.runs.result import Result
    from toolkit.runs.resuming import resume, resume_stream
    from toolkit.runs.streams import AsyncStream, Stream
    from toolkit.runs.verbs import run, stream
    from toolkit.tools.attachments import File, Image
    from toolkit.tools.calls import Call, FinishedCall
    from toolkit.tools.context import RunContext
    from toolkit.tools.output import Output
    from toolkit.tools.tool import Tool, tool
    from toolkit.tools.toolset import Toolset

__all__ = [
    "Approve",
    "AsyncStream",
    "Call",
    "CallFinished",
    "CallStarted",
    "CallsUnknown",
    "Chat",
    "DefinitionError",
    "Deny",
    "Drifted",
    "EngineError",
    "Event",
    "File",
    "FinishedCall",
    "Image",
    "Journal",
    "LimitReached",
    "Limits",
    "Output",
    "OutputInvalid",
    "Pending",
    "Plan",
    "RegistrationError",
    "Responses",
    "Result",
    "Retry",
    "RunCancelled",
    "RunContext",
    "RunEnded",
    "RunError",
    "RunExpired",
    "RunFailed",
    "RunKept",
    "RunLost",
    "ServerEvent",
    "ServerUnavailable",
    "Sessions",
    "Stream",
    "TextDelta",
    "ThreadBusy",
    "Tool",
    "ToolError",
    "ToolkitError",
    "ToolsMissing",
    "Toolset",
    "resume",
    "resume_stream",
    "run",
    "stream",
    "tool",
]

__version__ = "0.1.0"

_HOME = {
    "toolkit.assistants.plan": ("Plan",),
    "toolkit.runs.decisions": ("Approve", "Deny"),
    "toolkit.runs.events": ("CallFinished", "CallStarted", "Event", "RunEnded", "ServerEvent", "TextDelta"),
    "toolkit.runs.hosts.chat": ("Chat",),
    "toolkit.runs.hosts.responses": ("Responses",),
    "toolkit.runs.hosts.sessions": ("Sessions",),
    "toolkit.runs.journal": ("Journal",),
    "toolkit.runs.limits": ("Limits",),
    "toolkit.runs.pending": ("Pending",),
    "toolkit.runs.result": ("Result",),
    "toolkit.runs.resuming": ("resume", "resume_stream"),
    "toolkit.runs.streams": ("AsyncStream", "Stream"),
    "toolkit.runs.verbs": ("run", "stream"),
    "toolkit.tools.attachments": ("File", "Image"),
    "toolkit.tools.calls": ("Call", "FinishedCall"),
    "toolkit.tools.context": ("RunContext",),
    "toolkit.tools.output": ("Output",),
    "toolkit.tools.tool": ("Tool", "tool"),
    "toolkit.tools.toolset": ("Toolset",),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for, and keep it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_MODULE.get(name, "toolkit.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
