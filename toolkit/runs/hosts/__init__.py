"""Which API a run lives on: a host answers pure questions, and never calls a client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, Self

from toolkit.runs.effects import Call, FinishedCall, Json, Reply, Request, Turn

__all__ = ["Carried", "Host", "OnActive", "OnExpiry"]

OnActive = Literal["fail", "wait", "queue", "replace"]
"""What to do when another run is active in the thread: fail; wait until it is over; the same, in the order in which
this process asked; cancel it."""
OnExpiry = Literal["raise", "new_run"]
"""What to do when a run expired before it had the outputs of its calls: raise; hand them to a new run."""

Carried = Literal["run", "last run", "message", "error"]
"""What an event of a stream is for the loop; behind a `last run` the stream has nothing more to say."""


class Host(Protocol):
    """Say which request comes next, and how an answer reads."""

    @property
    def picked_up(self) -> bool:
        """Whether the run is somebody else's, joined on the way: it is not cancelled when we leave."""
        ...

    @property
    def on_active(self) -> OnActive:
        """What to do when another run is active in the thread."""
        ...

    @property
    def thread_id(self) -> str | None:
        """The thread the run is to be in, None for one that it makes."""
        ...

    @property
    def can_find(self) -> bool:
        """Whether `look` shows a run whose creation was not answered."""
        ...

    def start(self) -> Request:
        """Create the run."""
        ...

    def look(self) -> Request:
        """Look for a run whose creation was not answered; where that cannot be, any harmless read."""
        ...

    def found(self, reply: Reply) -> Json | None:
        """Read the answer to `look`: the run that `start` made, if it did."""
        ...

    def is_kept_out(self, reply: Reply) -> bool:
        """Whether the creation was refused because another run is active in the thread."""
        ...

    def newest(self, reply: Reply) -> Json | None:
        """Read the answer to `look`: the thread's newest run, whoever made it."""
        ...

    def read(self, run: Json | None) -> Request:
        """Read the run again; None means the run that is picked up."""
        ...

    def submit(self, run: Json, finished: Sequence[FinishedCall], turn: int) -> Request:
        """Hand in the outputs of a turn."""
        ...

    def cancel(self, run: Json) -> Request:
        """End the run at the server."""
        ...

    def messages(self, run: Json, after: str | None) -> Request:
        """List the run's messages, oldest first, from behind the message `after`."""
        ...

    def listed(self, reply: Reply) -> tuple[Sequence[Json], str | None]:
        """Read the answer to `messages`: the assistant's, and where to go on when there are more."""
        ...

    def runs(self, run: Json) -> Request:
        """List the newest runs of the run's thread."""
        ...

    def heir(self, run: Json, reply: Reply) -> Json | None:
        """Read the answer to `runs`: the one that `successor` made for this run, if it was made."""
        ...

    def steps(self, run: Json) -> Request:
        """List the last steps of a run."""
        ...

    def unanswered(self, reply: Reply) -> Sequence[Call]:
        """Read the answer to `steps`: the calls that have no output."""
        ...

    def successor(self, run: Json, finished: Sequence[FinishedCall]) -> Self:
        """Hand the outputs that an expired run could not take to a new run in its thread."""
        ...

    def run_in(self, body: Json | None) -> Json | None:
        """The run that an answer is, if it is one."""
        ...

    def turn(self, run: Json) -> Turn:
        """Read a run."""
        ...

    def functions(self, run: Json) -> Sequence[str]:
        """Name the functions that a run may ask for."""
        ...

    def carries(self, event: str) -> Carried | None:
        """What the loop needs of a stream's event with this name."""
        ...
