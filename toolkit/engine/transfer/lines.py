"""The lines of an export: one JSON object each, that says its `kind`.

The first says what the file is (`export`) and the last how many there were (`end`), so that a file which was cut off is
noticed. In between come objects as the API shows them, each with what else is needed to put it back, in an order in
which each can be put back at once: a thread before its messages, a run before its steps, a file before its bytes.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, TypeAdapter, model_validator

from toolkit.engine.objects.keys import PROJECT
from toolkit.engine.transfer import shapes
from toolkit.engine.transfer.shapes import Object, as_object, shaped

__all__ = [
    "VERSION",
    "AssistantLine",
    "BytesLine",
    "EndLine",
    "ExportLine",
    "FileLine",
    "ItemLine",
    "Line",
    "MessageLine",
    "ObjectLine",
    "PassageLine",
    "RunLine",
    "StepLine",
    "ThreadLine",
    "VectorStoreFileLine",
    "VectorStoreLine",
    "is_line",
    "line_of",
]

VERSION: Final = 1
"""Of this form. A later one is refused: what it says would be lost."""

Time = Annotated[int, Field(ge=0, lt=2**40)]
Count = Annotated[int, Field(ge=0, lt=2**53)]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ExportLine(_Line):
    """Begins an export."""

    kind: Literal["export"] = "export"
    version: int = VERSION
    made_by: str
    at: Time
    """When the store looked so."""
    project: str | None = None
    """The only one that is in it; None is all."""
    contents: bool = True
    """Whether the bytes of files are in it."""


class EndLine(_Line):
    """Ends an export."""

    kind: Literal["end"] = "end"
    lines: Count
    """How many came before, the first included."""


Project = Annotated[str, Field(pattern=f"^(?:{PROJECT.pattern})$")]


class _ObjectLine(_Line):
    project: Project = "default"
    object: Object

    @property
    def id(self) -> str:
        """The object's id."""
        found: str = self.object["id"]
        return found


class AssistantLine(_ObjectLine):
    """An assistant."""

    kind: Literal["assistant"] = "assistant"
    object: Annotated[Object, shaped(shapes.Assistant)]


class FileLine(_ObjectLine):
    """A file; its bytes are in the lines that follow, unless they came with an earlier file."""

    kind: Literal["file"] = "file"
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """Of its bytes; None where they are not in the export."""
    object: Annotated[Object, shaped(shapes.File)]


class BytesLine(_Line):
    """A piece of a file."""

    kind: Literal["bytes"] = "bytes"
    file: str
    at: Count
    """Where it begins."""
    data: str
    """Base64."""


class VectorStoreLine(_ObjectLine):
    """A vector store. Its counts and bytes follow from its files."""

    kind: Literal["vector_store"] = "vector_store"
    chunking: Object | None = None
    """How files are cut that do not say it themselves."""
    made: bool = False
    """Whether it stands in for one that nobody has saved: then what is there already stays."""
    object: Annotated[Object, shaped(shapes.VectorStore)]


class VectorStoreFileLine(_ObjectLine):
    """A file of a vector store; it is read and indexed anew."""

    kind: Literal["vector_store_file"] = "vector_store_file"
    made: bool = False
    object: Annotated[Object, shaped(shapes.VectorStoreFile)]

    @property
    def id(self) -> str:
        """What it is known by: its store, and the id that it shares with its file."""
        return f"{self.object['id']} of {self.object['vector_store_id']}"


class ThreadLine(_ObjectLine):
    """A thread, with the times of the newest message or run, and of the newest step."""

    kind: Literal["thread"] = "thread"
    last_at: Time = 0
    last_step_at: Time = 0
    object: Annotated[Object, shaped(shapes.Thread)]


class MessageLine(_ObjectLine):
    """A message."""

    kind: Literal["message"] = "message"
    at: Time | None = None
    """Of one that is being written: when the store looked so."""
    draft: str = ""
    """What had been heard of it."""
    object: Annotated[Object, shaped(shapes.Message)]


class RunLine(_ObjectLine):
    """A run, with what the engine counts: tokens (prompt, completion, cached, reasoning), turns, ids of calls."""

    kind: Literal["run"] = "run"
    used: Annotated[list[Count], Field(min_length=4, max_length=4)] = Field(default_factory=lambda: [0, 0, 0, 0])
    turns: Count = 0
    attempt: Count = 0
    entered_at: Annotated[float, Field(ge=0, lt=2**40)] = 0.0
    expires_at: Time = 0
    calls: list[str] = Field(default_factory=list[str])
    object: Annotated[Object, shaped(shapes.Run)]


class StepLine(_ObjectLine):
    """A step."""

    kind: Literal["step"] = "step"
    at: Time | None = None
    """Of one that is open: when the store looked so."""
    used: Annotated[list[Count], Field(min_length=4, max_length=4)] | None = None
    """Tokens of an open one."""
    full: Object | None = None
    """Its `step_details` with the contents of search results, where it has any."""
    object: Annotated[Object, shaped(shapes.Step)]


class PassageLine(_Line):
    """What a search in a thread has found, which answers may cite by two numbers."""

    kind: Literal["passage"] = "passage"
    project: Project = "default"
    thread: shapes.ThreadId
    search: Count
    place: Count
    file: str
    quote: str

    @property
    def id(self) -> str:
        """What it is known by."""
        return f"passage {self.search}:{self.place} of {self.thread}"


class ItemLine(_Line):
    """Chat messages that models read of a thread: those of one message, or of one turn of tool calls."""

    kind: Literal["item"] = "item"
    project: Project = "default"
    thread: shapes.ThreadId
    run: str | None = None
    message: str | None = None
    turn: str | None = None
    """The step of the calls; the chat message that calls comes first, then the outputs."""
    chats: Annotated[list[Object], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_of_something(self) -> Self:
        if self.message is None and self.turn is None:
            raise ValueError("it names neither a message nor a turn")
        return self

    @property
    def id(self) -> str:
        """What it is known by."""
        return f"item of {self.turn or self.message}"


ObjectLine = (
    AssistantLine
    | FileLine
    | VectorStoreLine
    | VectorStoreFileLine
    | ThreadLine
    | MessageLine
    | RunLine
    | StepLine
    | PassageLine
    | ItemLine
)
"""A line that is put into a store."""
Line = Annotated[ObjectLine | BytesLine | ExportLine | EndLine, Discriminator("kind")]

_LINE: Final[TypeAdapter[Line]] = TypeAdapter(Line)


def is_line(value: Any) -> bool:
    """Say whether a JSON value is a line of an export, and no object of the API, which says what it is in `object`."""
    line = as_object(value)
    return "kind" in line and not isinstance(line.get("object"), str)


def line_of(value: Any) -> Line:
    """Read a line. Raises ValidationError."""
    return _LINE.validate_python(value)
