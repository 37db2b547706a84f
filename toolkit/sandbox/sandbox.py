"""Sandbox: where a model's code runs. What the engine sees of it is here; how it is done is in the other files.

A session is one Python process that keeps its variables from call to call. Code in it may do what it likes: it reaches
nothing but what was given to it, and costs no more than its limits. What comes out was made by code that nobody has
read, so names of files, texts and pictures are data, whatever they say.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

__all__ = [
    "Ended",
    "Failure",
    "FileChanged",
    "Image",
    "Limits",
    "Output",
    "Refusal",
    "Result",
    "Sandbox",
    "Session",
    "Text",
    "Why",
]

_LONGEST_NAME: Final = 200

Why = Literal["time", "memory", "files", "idle", "died", "protocol", "closed"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a session may use."""

    call_s: float = 60.0
    """Seconds by the clock, a call. Code that does not stop then is stopped with its session soon after."""
    cpu_s: int = 3600
    """Seconds of a processor, each process of a session."""
    idle_cpu_s: int = 30
    """Seconds of processors, all that code has left running between calls."""
    memory_bytes: int = 2 * 2**30
    """Address space of each process, and memory of all of them together."""
    processes: int = 64
    """Processes and threads."""
    open_files: int = 256
    file_bytes: int = 256 * 2**20
    """Each file."""
    disk_bytes: int = 512 * 2**20
    """All files of /mnt/data; /tmp has a quarter of it. They are kept in memory."""
    files: int = 20_000
    """Names in /mnt/data, and in /tmp."""
    output_bytes: int = 2**20
    """What a call may print; the rest is dropped, and said to be."""
    pictures: int = 20
    """Pictures of a call."""
    picture_bytes: int = 20 * 2**20


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of what the code printed, to standard output and error in their order."""

    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that the code has shown."""

    png: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """The value of the last expression, as Python writes it, or one that was displayed."""

    text: str


@dataclass(frozen=True, slots=True)
class Failure:
    """The code raised: the traceback from the code's own first frame on."""

    text: str


@dataclass(frozen=True, slots=True)
class FileChanged:
    """A file under /mnt/data is new or has changed; `path` is relative, and of the code's choosing."""

    path: str
    bytes: int

    @property
    def name(self) -> str:
        """A name for it that is safe to store and to show: no folders, no control characters, no empty one."""
        last = self.path.rsplit("/", 1)[-1].encode("utf-8", "replace").decode()
        shown = "".join(character if character.isprintable() else "_" for character in last).strip()
        return shown[-_LONGEST_NAME:] if shown.strip(".") else "file"


@dataclass(frozen=True, slots=True)
class Ended:
    """The session has ended in this call: its variables and files are gone. `text` is for the model."""

    why: Why
    text: str


Output = Text | Image | Result | Failure | FileChanged | Ended


class Refusal(Exception):
    """A file could not be put in or read out; the text says why, and nothing of what is in it."""


class Session(Protocol):
    """A Python process behind a wall. One call at a time; others wait."""

    @property
    def ended(self) -> Ended | None:
        """Why there is no session any more; None while there is one."""
        ...

    @property
    def is_busy(self) -> bool:
        """Whether a call is under way."""
        ...

    @property
    def memory_bytes(self) -> int:
        """What it takes now, files included, as last looked at."""
        ...

    def execute(self, code: str, limits: Limits) -> AsyncGenerator[Output, None]:
        """Run code; its outputs come as they are made. Who leaves before the end ends the session."""
        ...

    async def put(self, names: Sequence[str], data: bytes) -> None:
        """Put a file under /mnt/data, under each of these names. Raises Refusal."""
        ...

    async def read(self, path: str, most_bytes: int) -> bytes:
        """Read a file under /mnt/data. Raises Refusal."""
        ...

    async def aclose(self) -> None:
        """End the session, and every process of it."""
        ...


class Sandbox(Protocol):
    """Opens sessions."""

    async def open(self, limits: Limits) -> Session:
        """Start a session. Raises SandboxUnavailable when the wall cannot be put up."""
        ...
