"""What a run leaves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Generic

from typing_extensions import TypeVar

from toolkit.runs.effects import FinishedCall, Json
from toolkit.runs.pending import Pending

if TYPE_CHECKING:
    from openai.types.beta.threads import Message, Run, RunStatus
    from openai.types.beta.threads.run import Usage

__all__ = ["Result", "refusal_of", "text_of"]

T = TypeVar("T", default=None)


@dataclass(frozen=True)
class Result(Generic[T]):
    """The end of a run, or of an exception's run as far as it went.

    The client's own models (`run`, `messages`, `usage`) are built when they are first asked for: a program that reads
    `text` alone does not pay for them.
    """

    calls: tuple[FinishedCall, ...]
    """Every function call of the run with its output, in order, over all turns."""
    turns: int
    """How many times the model asked for tools."""
    run_json: Json
    """The run as the server sent it last; where the API has none, a run of the same form that we have made of it."""
    messages_json: tuple[Json, ...]
    """The assistant's messages of this run as the server sent them, oldest first."""
    pending: Pending | None = None
    """The run and the calls that wait for somebody's approval; None when nothing does. `resume` goes on from here."""
    output: T = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    """The final answer as the `output_type` asked for, checked; None without one, and while the run is pending."""
    file_ids: tuple[str, ...] = ()
    """The files that were uploaded for outputs of calls; they stay at the server until somebody deletes them."""
    usage_before: Json | None = None
    """Tokens of the runs that this one goes on from: one that has expired, or whose answer did not fit; or None."""

    def __repr__(self) -> str:
        said = f"{self.run_json.get('status')} {self.text!r:.80}"
        return f"<Result {said}, calls: {[one.call.name for one in self.calls]}>"

    @property
    def run_id(self) -> str:
        """Id of the run."""
        return str(self.run_json["id"])

    @property
    def thread_id(self) -> str:
        """Id of the thread, also when the run made it."""
        return str(self.run_json["thread_id"])

    @property
    def status(self) -> RunStatus:
        """Status of the run that returned: `completed`, `incomplete`, or with `.pending` as the server has it."""
        status: RunStatus = self.run_json["status"]
        return status

    @cached_property
    def text(self) -> str:
        """Text of the last assistant message; empty when there is none."""
        return text_of(self.messages_json[-1]) if self.messages_json else ""

    @cached_property
    def run(self) -> Run:
        """The run as the client's own model."""
        from openai.types.beta.threads import Run

        return Run.model_construct(**self.run_json)

    @cached_property
    def messages(self) -> tuple[Message, ...]:
        """The assistant's messages of this run as the client's own models, oldest first."""
        from openai.types.beta.threads import Message

        return tuple(Message.model_construct(**message) for message in self.messages_json)

    @property
    def answer_json(self) -> Json:
        """What the server sent last: the run itself, a chat completion, a response, or an agent's session."""
        answer: Json = self.run_json.get("answer") or self.run_json
        return answer

    @property
    def history(self) -> tuple[Json, ...]:
        """The whole conversation, to go on with: `Chat(messages=[*result.history, {"role": "user", ...}])`.

        Of chat completions, and, as items, of responses with `store=False`; empty where the server keeps it.
        """
        kept: list[Json] = self.run_json.get("messages") or []
        return tuple(kept)

    @property
    def usage_json(self) -> Json | None:
        """Tokens of all turns together; None where the server does not say."""
        used: Json | None = self.run_json.get("usage")
        if not (used and self.usage_before):
            return used or self.usage_before
        return {name: count + (used.get(name) or 0) for name, count in self.usage_before.items()}

    @property
    def usage(self) -> Usage | None:
        """Tokens of all turns together, as the client's own model; None where the server does not say."""
        from openai.types.beta.threads.run import Usage

        used = self.usage_json
        return Usage.model_construct(**used) if used else None


def refusal_of(message: Json) -> str:
    """Join the parts of a message in which the model says that it will not answer."""
    return "".join(part["refusal"] for part in message["content"] if part["type"] == "refusal")


def text_of(message: Json) -> str:
    """Join the text parts of a message."""
    return "".join(part["text"]["value"] for part in message["content"] if part["type"] == "text")
