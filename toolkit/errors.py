"""Every exception of the package.

ToolkitError
├── DefinitionError      a function, toolset or limit that cannot be used as it stands; raised where it is defined
├── ArgumentsInvalid     a model's arguments that do not fit the tool; the text is for the model
├── CallSignal           raised *inside* a tool, on purpose, to speak to the model
│   ├── ToolError        "this went wrong, and here is what the model may know about it"
│   └── Retry            "call me again, with this corrected"
├── RunError             a run that did not end well; always carries `.run` and `.result`
│   ├── RunFailed        the run ended `failed`; `.code` and the text of `last_error`
│   ├── RunCancelled     somebody cancelled it
│   ├── RunExpired       nobody answered in time
│   ├── LimitReached     one of our own limits (turns, seconds, calls) ended it; the remote run was cancelled
│   ├── ToolsMissing     the assistant has functions that the toolset lacks; the remote run was cancelled
│   ├── OutputInvalid    the final answer is not of the `output_type`, also when it was asked for again
│   ├── ThreadBusy       another run keeps ours out of its thread; `.run` is that one
│   └── RunKept          we have left a run that may go on; it was not cancelled, and can be resumed
│       ├── RunLost             the server stopped answering and it is not known whether the run goes on
│       ├── CallsUnknown        calls had begun before a crash, and nobody knows how far they got
│       ├── ApprovalMismatch    what was approved is not what the run asks for; nothing was called
│       └── JournalError        the journal could not be read or written; what it could not hear of was not called
├── ServerUnavailable    a server that tools come from (MCP, OpenAPI) cannot be reached, started or understood
├── RegistrationError    a toolset that cannot go on an assistant as things stand; nothing was sent
│   └── Drifted          the assistant is not as the toolset has it; `.plan` says in what
├── EngineError          the engine cannot start or go on: store, port, settings; the text names the remedy
│   ├── StoreUnavailable the database did not take a transaction (full, locked, damaged); nothing of it was written
│   └── SandboxUnavailable   there is no wall that code could run behind
└── Refused              a request the Assistants API refuses; becomes the API's error JSON and status

Three audiences: the *model* reads short texts (ToolError, Retry), the *app* gets RunError with the run attached, the
*HTTP client* gets Refused as JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openai.types.beta.threads import Run

    from toolkit.assistants.plan import Plan
    from toolkit.runs.pending import Pending
    from toolkit.runs.result import Result
    from toolkit.tools.calls import FinishedCall

__all__ = [
    "ApprovalMismatch",
    "ArgumentsInvalid",
    "CallSignal",
    "CallsUnknown",
    "DefinitionError",
    "Drifted",
    "EngineError",
    "JournalError",
    "LimitReached",
    "OutputInvalid",
    "Refused",
    "RegistrationError",
    "Retry",
    "RunCancelled",
    "RunError",
    "RunExpired",
    "RunFailed",
    "RunKept",
    "RunLost",
    "SandboxUnavailable",
    "ServerUnavailable",
    "StoreUnavailable",
    "ThreadBusy",
    "ToolError",
    "ToolkitError",
    "ToolsMissing",
]


class ToolkitError(Exception):
    """Any error of this package."""


class DefinitionError(ToolkitError, TypeError):
    """A function, toolset or limit cannot be used as it stands; the text says what to write instead."""


class ArgumentsInvalid(ToolkitError):
    """Arguments that a model wrote do not fit the tool; the text is for the model, a line for each problem."""


class CallSignal(ToolkitError):
    """Raised inside a tool to tell the model something on purpose. Use `ToolError` or `Retry`."""


class ToolError(CallSignal):
    """Tell the model that the call failed, in exactly these words; other exceptions' texts are hidden from it."""


class Retry(CallSignal):
    """Ask the model to call the tool again; the text says what to correct. Bounded by `Limits.retries` a tool."""


class RunError(ToolkitError):
    """A run did not end well. `.run` is the run as last seen (None when there was none yet), `.result` what it left."""

    def __init__(self, message: str, *, result: Result | None = None) -> None:
        super().__init__(message)
        self.result = result

    @property
    def run(self) -> Run | None:
        """The run as last seen, or None when the server never told us of one."""
        return self.result.run if self.result is not None else None


class RunFailed(RunError):
    """The run ended `failed`; the text and `.code` are its `last_error`."""

    def __init__(self, message: str, *, code: str, result: Result | None = None) -> None:
        super().__init__(message, result=result)
        self.code = code


class RunCancelled(RunError):
    """The run was cancelled by somebody else."""


class RunExpired(RunError):
    """The run expired before it was done (the API gives a run about ten minutes).

    `.late` are the calls that were made for it and whose outputs it could not take any more.
    """

    def __init__(self, message: str, *, late: tuple[FinishedCall, ...] = (), result: Result | None = None) -> None:
        super().__init__(message, result=result)
        self.late = late


class LimitReached(RunError):
    """A limit of ours ended the run, and the remote run was cancelled. `.limit` is its name in `Limits`."""

    def __init__(self, message: str, *, limit: str, result: Result | None = None) -> None:
        super().__init__(message, result=result)
        self.limit = limit


class OutputInvalid(RunError):
    """The final answer is not what `output_type` asks for, though it was asked for again (`Limits.retries`).

    The text says what is wrong; `.result.text` is the answer. A refusal, or an answer that was cut off, is not asked
    for again.
    """


class ThreadBusy(RunError):
    """Another run is active in the thread, and keeps ours out; `.run` is that one, and the text says how to free it."""


class RunKept(RunError):
    """We have left a run as it is: it was not cancelled, and goes on, or can be resumed.

    `.pending` is what `resume` takes; None when the server never told us of a run.
    """

    def __init__(self, message: str, *, pending: Pending | None = None, result: Result | None = None) -> None:
        super().__init__(message, result=result)
        self.pending = pending


class RunLost(RunKept):
    """The server stopped answering; whether the run goes on there is not known. Go on with `resume`."""


class CallsUnknown(RunKept):
    """Calls had begun when the program stopped, and how far they got is not known; none was made again.

    `.pending` lists them. `resume` it with a decision for each: `True` makes the call again, `Deny("...")` tells the
    model what has become of it. Or let `on_unknown="tell"` say to the model that nobody knows.
    """


class ApprovalMismatch(RunKept):
    """What was approved is not what the run asks for, or cannot be called: nothing was called."""


class JournalError(RunKept):
    """The journal could not be read or written, or another process makes the same call: it was not made here."""


class ToolsMissing(RunError):
    """The assistant has functions that the toolset lacks, `.names`; a run that we had begun was cancelled."""

    def __init__(self, message: str, *, names: Sequence[str], result: Result | None = None) -> None:
        super().__init__(message, result=result)
        self.names = tuple(names)


class ServerUnavailable(ToolkitError):
    """A server that tools come from cannot be reached, started or understood; the text says what to do."""


class RegistrationError(ToolkitError):
    """A toolset cannot go on an assistant as things stand; the text says why and what to do. Nothing was sent."""


class Drifted(RegistrationError):
    """The assistant is not as the toolset has it. `.plan` says in what, and so does the text."""

    def __init__(self, message: str, *, plan: Plan) -> None:
        super().__init__(f"{message}\n{plan}")
        self.plan = plan


class EngineError(ToolkitError):
    """The engine cannot start or go on; the text says why and names the remedy."""


class StoreUnavailable(EngineError):
    """The database did not take a transaction: nothing of it was written, and the same may work later.

    The text says why (disk full, locked by another program, not readable) and what to do; it holds no content.
    """


class SandboxUnavailable(EngineError):
    """There is no wall here that a model's code could run behind; the text says what to install or to allow."""


class Refused(ToolkitError):
    """A request that the Assistants API refuses.

    `status` is the HTTP status; `message`, `type`, `param` and `code` are the fields of the API's error object
    (`{"error": {...}}`, the Error schema of the API reference).
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",  # noqa: A002 - the name the API gives it
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.type = type
        self.param = param
        self.code = code
