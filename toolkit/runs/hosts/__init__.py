"""Which API a run lives on: a host answers pure questions, and never calls a client.

assistants.py  runs in threads, at the server      chat.py       chat completions: the run is ours alone
reading.py     how streams carry such runs         sessions.py   turns of hosted agents' sessions
responses.py   responses and conversations         resumed.py    the host of a run that was left

Every host tells of its runs in the words of the Assistants API: a run is a JSON object with `id`, `object`, `thread_id`
(empty where there are no threads), `status`, `usage` and `last_error`; a message is one of a thread. So whatever stands
behind, the loop, the journal and the `Result` are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from toolkit.runs.effects import Call, FinishedCall, Json, Reply, Request, Turn
from toolkit.runs.events import ServerEvent
from toolkit.tools.attachments import Attachment

__all__ = ["Expiry", "Files", "Host", "OnActive", "OnExpiry", "Reading", "Threads"]

OnActive = Literal["fail", "wait", "queue", "replace"]
"""What to do when another run is active in the thread: fail; wait until it is over; the same, in the order in which
this process asked; cancel it."""
OnExpiry = Literal["raise", "new_run"]
"""What to do when a run expired before it had the outputs of its calls: raise; hand them to a new run."""


class Reading(Protocol):
    """Reads one answer, be it a stream of events or JSON."""

    @property
    def is_complete(self) -> bool:
        """Whether the stream has nothing more to say of the run, though it may be open still."""
        ...

    @property
    def messages(self) -> Sequence[Json]:
        """The assistant's messages that the answer has finished."""
        ...

    @property
    def said(self) -> Json | None:
        """What the server said in an event that tells of an error."""
        ...

    def hear(self, event: ServerEvent) -> None:
        """Take an event of a stream; one in broken JSON counts as lost."""
        ...

    def run(self) -> Json | None:
        """The run as the events have told of it last; None while they told of none, or not of all of it."""
        ...

    def whole(self, body: Json) -> Json:
        """Take an answer that is no stream, and give it, or the run it means."""
        ...


class Host(Protocol):
    """Say which request comes next, and how an answer reads."""

    @property
    def run(self) -> Json | None:
        """The run as it is before anything is asked, where we keep it ourselves; None where the server does."""
        ...

    @property
    def picked_up(self) -> bool:
        """Whether the run is somebody else's, joined on the way: it is not cancelled when we leave."""
        ...

    @property
    def may_repeat(self) -> bool:
        """Whether a first request that was not answered may be sent again: it has left nothing, or is known again."""
        ...

    @property
    def threads(self) -> Threads | None:
        """What is to be asked where runs live in threads; None where they do not."""
        ...

    @property
    def expiry(self) -> Expiry | None:
        """What is to be asked when a run has expired; None where runs do not."""
        ...

    @property
    def files(self) -> Files | None:
        """What is asked of a host whose functions answer with text alone; None where nothing is to be uploaded."""
        ...

    def start(self) -> Request:
        """Create the run."""
        ...

    def read(self, run: Json | None) -> Request | None:
        """Read the run again; None means the run that is picked up. None is given where there is nothing to read."""
        ...

    def submit(self, run: Json, finished: Sequence[FinishedCall], turn: int) -> Request:
        """Hand in the outputs of a turn."""
        ...

    def cancel(self, run: Json) -> Request | None:
        """End the run at the server; None where there is none."""
        ...

    def messages(self, run: Json, after: str | None) -> Request | None:
        """List the run's messages, oldest first, from behind the message `after`; None where answers bring them."""
        ...

    def listed(self, run: Json, reply: Reply) -> tuple[Sequence[Json], str | None]:
        """Read the answer to `messages`: the assistant's, and where to go on when there are more."""
        ...

    def corrected(self, run: Json, text: str) -> Host:
        """Say to the model what is wrong with its final answer, and have it answer again."""
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

    def state(self, run: Json) -> Json | None:
        """What it takes to go on with the run in another process, beside its ids; None for nothing."""
        ...

    def reading(self, request: Request | None) -> Reading:
        """Get ready to read the answer to a request."""
        ...

    def text(self, event: ServerEvent) -> tuple[str, str] | None:
        """The id of the message and the piece of its text that an event brings, if it brings one."""
        ...


class Threads(Protocol):
    """What is asked of a host whose runs live in threads, each with one active run."""

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

    def read(self, run: Json) -> Request:
        """Read a run of the thread again."""
        ...

    def cancel(self, run: Json) -> Request:
        """End a run of the thread at the server."""
        ...


class Files(Protocol):
    """What is asked of a host that is given images and files by their ids."""

    def upload(self, run: Json, call: Call, attachment: Attachment) -> Request:
        """Upload the bytes of an image or a file that a call has given.

        The same bytes in the same run have the same Idempotency-Key, whichever process uploads them.
        """
        ...

    def uploaded(self, reply: Reply) -> str | None:
        """Read the answer to `upload`: the file's id; None when there is no such file."""
        ...


class Expiry(Protocol):
    """What is asked of a host whose runs expire."""

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

    def successor(self, run: Json, finished: Sequence[FinishedCall]) -> Host:
        """Hand the outputs that an expired run could not take to a new run in its thread."""
        ...
