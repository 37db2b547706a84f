"""What the loop knows of a run so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.errors import (
    ArgumentsInvalid,
    LimitReached,
    OutputInvalid,
    RunCancelled,
    RunError,
    RunExpired,
    RunFailed,
    RunKept,
    RunLost,
)
from toolkit.runs.effects import Call, Effect, FinishedCall, Json, Reply, Request, TimeUp, Turn
from toolkit.runs.form import Form
from toolkit.runs.gate import Gate
from toolkit.runs.hosts import Host
from toolkit.runs.hosts.ours import summed
from toolkit.runs.limits import Limits
from toolkit.runs.pending import Pending
from toolkit.runs.result import Result, refusal_of, text_of

__all__ = ["Progress"]

_NO_RUN = "The server's answer carried no run: is this the API that was asked for?"
_NO_READ = "The server has not said what became of the run, and it cannot be read there."


@dataclass(slots=True)
class Progress:
    """The loop's notes; every end, good or bad, is made from them."""

    host: Host
    """Where the run lives, and how it is to begin; another one once an expired run goes on in a new one."""
    limits: Limits
    gate: Gate
    run: Json | None = None
    run_before: Json | None = None
    """The expired run that is gone on with, while no new one is known."""
    pending: Pending | None = None
    """What somebody must decide on before the run can go on."""
    calls: list[FinishedCall] = field(default_factory=list[FinishedCall])
    uploads: dict[str, str] = field(default_factory=dict[str, str])
    """The files that were uploaded for the outputs of calls: Idempotency-Key -> id."""
    retried: list[FinishedCall] = field(default_factory=list[FinishedCall])
    """Those of the calls whose tools asked to be called again."""
    handed_in: int = 0
    """How many of the calls the server has the outputs of."""
    messages: list[Json] = field(default_factory=list[Json])
    turns: int = 0
    used: dict[str, Json] = field(default_factory=dict[str, Json])
    """Tokens of the runs that were gone on with, by their ids."""
    has_gaps: bool = False
    """Part of the run was not seen on a stream, so its messages must be listed."""
    keeps_keys: bool = False
    """The server answers a repeated Idempotency-Key as it did before."""
    is_unsure: bool = False
    """The run may have been made though nobody told us."""
    form: Form[Any] | None = None
    """What the final answer must be."""
    output: Any = None
    """The final answer, once it is that."""
    asked_again: int = 0
    """How often the final answer was not."""
    waits_for: str = ""
    """What keeps the run from beginning, in a sentence; empty when nothing does."""

    def note(self, effect: Effect, reply: Reply) -> None:
        """Learn from any reply."""
        if isinstance(effect, Request) and effect.is_ours:
            self.run = self.host.run_in(reply.body) or self.run
        self.messages += reply.messages
        self.calls += reply.finished
        self.retried += [one for one in reply.finished if one.error is not None and one.asked_again]
        self.keeps_keys = self.keeps_keys or reply.headers.get("x-idempotency-key") == "kept"

    @property
    def known(self) -> Json:
        """The run, once there is one."""
        if self.run is None:
            raise RunLost(_NO_RUN)
        return self.run

    def to_read(self) -> Request:
        """The request that reads the run again. Raises RunLost where there is none."""
        request = self.host.read(self.run)
        if request is None:
            raise RunLost(_NO_READ)
        return request

    def carried(self, reply: Reply) -> Json:
        """The run that an answer is."""
        run = self.host.run_in(reply.body)
        if run is None:
            raise RunLost(_NO_RUN, result=self.result())
        return run

    def result(self) -> Result[Any] | None:
        """What there is; None while no run is known."""
        run = self.run or self.run_before
        if run is None:
            return None
        return Result(
            tuple(self.calls),
            self.turns,
            run,
            tuple(self.messages),
            self.pending,
            self.output,
            tuple(self.uploads.values()),
            self._used_before(run),
        )

    def _used_before(self, run: Json) -> Json | None:
        """Add up the tokens of other runs than this one: where runs are ours, they go on under their own id."""
        before: Json | None = None
        for run_id, usage in self.used.items():
            before = before if run_id == run["id"] else summed(before, usage)
        return before

    def left_as_it_is(self) -> Pending | None:
        """The run to go on with at another time; None while no run is known."""
        run = self.run or self.run_before
        return None if run is None else self.pending_of(run)

    def pending_of(self, run: Json, calls: Sequence[Call] = (), begun: Mapping[str, int] | None = None) -> Pending:
        """A run to go on with, and the calls to decide on."""
        state = self.host.state(run)
        return Pending(run["id"], run["thread_id"], tuple(calls), run.get("expires_at"), begun or {}, state)

    def allow(self, turn: Turn) -> None:
        """Count a turn of calls before they are made, or raise `LimitReached`."""
        name = self.limits.reached(self.turns + 1, len(self.calls) + len(turn.calls))
        if name is not None:
            most = getattr(self.limits, name)
            raise LimitReached(f"The run asked for more {name} than Limits({name}={most}) allows.", limit=name)
        self.turns += 1

    def hand_in(self, turn: Turn) -> Turn:
        """Note how the run is after it was given outputs; one that had expired has not taken them."""
        if turn.status not in ("late", "expired"):
            self.handed_in = len(self.calls)
        return turn

    def go_on(self, host: Host) -> None:
        """Go on in a new run: the calls are the same run's for whoever asked, the messages are not."""
        if (usage := self.known.get("usage")) is not None:
            self.used[self.known["id"]] = usage
        self.host, self.run_before, self.run = host, self.run, None
        self.handed_in, self.messages, self.has_gaps = len(self.calls), [], False

    def complaint(self, turn: Turn) -> str | None:
        """Look at the final answer: None when nothing is wrong with it, else what to say to the model.

        Raises OutputInvalid when it is not worth asking again, or too often.
        """
        if self.form is None or turn.status not in ("completed", "incomplete"):
            return None
        said = self.messages[-1] if self.messages else {"content": ()}
        if refusal_of(said):
            raise OutputInvalid(f"The model refuses to answer: {refusal_of(said)}")
        if turn.status == "incomplete":
            raise OutputInvalid("The answer was cut off before it was whole; result.run_json says why.")
        try:
            self.output = self.form.read(text_of(said))
        except ArgumentsInvalid as error:
            self.asked_again += 1
            if self.asked_again > self.limits.retries:
                times = "once" if self.asked_again == 1 else f"{self.asked_again} times"
                tries = f"asked for {times}, as Limits(retries={self.limits.retries}) allows"
                raise OutputInvalid(f"The answer is not a {self.form.name}, {tries}:\n{error}") from None
            return f"Your answer does not fit the JSON schema. Answer again, with the JSON alone. Problems:\n{error}"
        return None

    def trouble(self, reply: Reply) -> BaseException:
        """Say that a request failed for good: without a run that is the client's own exception."""
        if self.result() is None:
            return reply.error or RunLost(_NO_RUN)
        error = self._trouble(reply)
        error.__cause__ = reply.error
        return self.reason(error)

    def _trouble(self, reply: Reply) -> RunError:
        if self.run is None:
            return RunKept(f"The run had expired, and a new one was not made: {reply.error or _NO_RUN}")
        name = f"run {self.run['id']}" + (f" in {self.run['thread_id']}" if self.run["thread_id"] else "")
        if reply.refused:
            return RunError(f"The server refused to go on with {name}: {reply.error}")
        return RunLost(f"The server stopped answering; {name} may go on there. Resume it: error.pending.")

    def reason(self, reason: BaseException) -> BaseException:
        """Say why we end the run: the app's own reason as it is; ours with what there is of the run."""
        if isinstance(reason, TimeUp):
            was = "had not begun" if self.waits_for else "was not done"
            text = f"The run {was} within Limits(seconds={self.limits.seconds}). {self.waits_for}".rstrip()
            reason = LimitReached(text, limit="seconds")
        if isinstance(reason, RunError) and reason.result is None:
            reason.result = self.result()
        if isinstance(reason, RunKept) and reason.pending is None:
            reason.pending = self.left_as_it_is()
        return reason

    def end(self, turn: Turn) -> Result[Any]:
        """Return what `completed` and `incomplete` leave; raise the other ends."""
        result = self.result()
        if turn.status == "failed":
            text = f"The run failed ({turn.code}): {turn.reason}"
            raise RunFailed(text, code=turn.code, result=result)
        if turn.status == "cancelled":
            raise RunCancelled("The run was cancelled by somebody else.", result=result)
        if turn.status == "expired":
            raise self._expired(result)
        if result is None:
            raise RunLost(_NO_RUN)
        return result

    def _expired(self, result: Result[Any] | None) -> RunExpired:
        late, text = tuple(self.calls[self.handed_in :]), "The run expired before it was done."
        if late:
            names = ", ".join(one.call.name for one in late)
            text += f' What {names} gave came too late: on_expiry="new_run" would hand it to a new run.'
        elif self.gate.pending is not None and self.gate.pending.calls and not self.calls:
            text += ' Nothing was called: resume it with on_expiry="new_run" to go on in a new run.'
        return RunExpired(text, late=late, result=result)
