"""What the loop knows of a run so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from toolkit.errors import LimitReached, RunCancelled, RunError, RunExpired, RunFailed, RunLost, ToolsMissing
from toolkit.runs.effects import FinishedCall, Json, Reply, TimeUp, Turn
from toolkit.runs.limits import Limits
from toolkit.runs.result import Result

__all__ = ["Progress"]

_NO_RUN = "The server's answer carried no run: is this an Assistants API?"


@dataclass(slots=True)
class Progress:
    """The loop's notes; every end, good or bad, is made from them."""

    run: Json | None = None
    calls: list[FinishedCall] = field(default_factory=list[FinishedCall])
    messages: list[Json] = field(default_factory=list[Json])
    turns: int = 0
    has_gaps: bool = False
    """Part of the run was not seen on a stream, so its messages must be listed."""
    keeps_keys: bool = False
    """The server answers a repeated Idempotency-Key as it did before."""

    def note(self, reply: Reply, run: Json | None) -> None:
        """Learn from any reply; `run` is the run it carries."""
        if run is not None:
            self.run = run
        self.messages += reply.messages
        self.calls += reply.finished
        self.keeps_keys = self.keeps_keys or reply.headers.get("x-idempotency-key") == "kept"

    @property
    def known(self) -> Json:
        """The run, once there is one."""
        if self.run is None:
            raise RunLost(_NO_RUN)
        return self.run

    def result(self) -> Result | None:
        """What there is; None while no run is known."""
        if self.run is None:
            return None
        return Result(tuple(self.calls), self.turns, self.run, tuple(self.messages))

    def allow(self, limits: Limits, turn: Turn) -> None:
        """Count a turn of calls before they are made, or raise `LimitReached`."""
        name = limits.reached(self.turns + 1, len(self.calls) + len(turn.calls))
        if name is not None:
            most = getattr(limits, name)
            raise LimitReached(f"The run asked for more {name} than Limits({name}={most}) allows.", limit=name)
        self.turns += 1

    def trouble(self, reply: Reply) -> Exception:
        """Say that a request failed for good: without a run that is the client's own exception."""
        if self.run is None:
            return reply.error or RunLost(_NO_RUN)
        name = f"run {self.run['id']} in {self.run['thread_id']}"
        if reply.refused:
            error = RunError(f"The server refused to go on with {name}: {reply.error}", result=self.result())
        else:
            text = f"The server stopped answering; {name} may go on there. Pick it up with run_id= and thread_id=."
            error = RunLost(text, result=self.result())
        error.__cause__ = reply.error
        return error

    def reason(self, reason: BaseException, limits: Limits) -> BaseException:
        """Say why we end the run: the app's own reason as it is; a limit with what there is of the run."""
        if isinstance(reason, TimeUp):
            reason = LimitReached(f"The run was not done within Limits(seconds={limits.seconds}).", limit="seconds")
        if isinstance(reason, LimitReached | ToolsMissing):
            reason.result = self.result()
        return reason

    def end(self, turn: Turn) -> Result:
        """Return what `completed` and `incomplete` leave; raise the other ends."""
        result = self.result()
        if turn.status == "failed":
            text = f"The run failed ({turn.code}): {turn.reason}"
            raise RunFailed(text, code=turn.code, result=result)
        if turn.status == "cancelled":
            raise RunCancelled("The run was cancelled by somebody else.", result=result)
        if turn.status == "expired":
            raise RunExpired("The run expired before it was done.", result=result)
        if result is None:
            raise RunLost(_NO_RUN)
        return result
