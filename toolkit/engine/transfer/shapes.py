"""What the API's objects look like, to check and complete what comes from elsewhere.

Members and defaults are those of the Assistants API reference. Members that are not named here stay as they came:
services have added some over the years, and programs may read them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

__all__ = [
    "Assistant",
    "File",
    "Message",
    "Object",
    "Run",
    "Shape",
    "Step",
    "Thread",
    "VectorStore",
    "VectorStoreFile",
    "as_list",
    "as_object",
    "completed",
    "problem",
    "shaped",
]

Object = dict[str, Any]
"""An object of the API, as JSON has it."""

_NAME: Final = "[A-Za-z0-9_-]{1,128}$"
"""What may follow an id's prefix, whoever made it up: ids of other services are kept."""


def _or(default: Callable[[], Any]) -> BeforeValidator:
    """Take null for a default: older versions of the API had it where there is none now."""
    return BeforeValidator(lambda value: default() if value is None else value)


class _Typed(BaseModel):
    type: str


def _all_typed(value: list[Object]) -> list[Object]:
    for part in value:
        _Typed.model_validate(part, strict=True)
    return value


AssistantId = Annotated[str, Field(pattern=f"^asst_{_NAME}")]
ThreadId = Annotated[str, Field(pattern=f"^thread_{_NAME}")]
MessageId = Annotated[str, Field(pattern=f"^msg_{_NAME}")]
RunId = Annotated[str, Field(pattern=f"^run_{_NAME}")]
StepId = Annotated[str, Field(pattern=f"^step_{_NAME}")]
VectorStoreId = Annotated[str, Field(pattern=f"^vs_{_NAME}")]
FileId = Annotated[str, Field(pattern=f"^(?:file|assistant)[-_]{_NAME}")]  # Azure calls its files assistant-...
Time = Annotated[int, Field(ge=0, lt=2**40)]
"""Unix seconds."""
Metadata = Annotated[dict[str, str], _or(dict)]
Resources = Annotated[dict[str, Any], _or(dict)]
Typed = Annotated[list[Object], AfterValidator(_all_typed), _or(list)]
"""Objects that each say their `type`."""


class Shape(BaseModel):
    """An object of the API; the order of its members is the one that they are written in."""

    model_config = ConfigDict(extra="allow")


class Assistant(Shape):
    """See the AssistantObject of the reference."""

    id: AssistantId
    object: Literal["assistant"] = "assistant"
    created_at: Time
    name: str | None = None
    description: str | None = None
    model: str
    instructions: str | None = None
    tools: Typed = Field(default_factory=list[Object])
    tool_resources: Resources = Field(default_factory=dict[str, Any])
    metadata: Metadata = Field(default_factory=dict[str, str])
    top_p: float | None = 1.0
    temperature: float | None = 1.0
    response_format: str | Object | None = "auto"


class Thread(Shape):
    """See the ThreadObject of the reference."""

    id: ThreadId
    object: Literal["thread"] = "thread"
    created_at: Time
    metadata: Metadata = Field(default_factory=dict[str, str])
    tool_resources: Resources = Field(default_factory=dict[str, Any])


class _Text(BaseModel):
    model_config = ConfigDict(extra="allow")
    value: str
    annotations: Annotated[list[Object], _or(list)] = Field(default_factory=list[Object])


def _text(value: Any) -> Any:
    return {"value": value} if isinstance(value, str) else value


class _TextPart(BaseModel):
    model_config = ConfigDict(extra="allow")
    type: Literal["text"]
    text: Annotated[_Text, BeforeValidator(_text)]


class _File(BaseModel):
    model_config = ConfigDict(extra="allow")
    file_id: str
    detail: Annotated[str, _or(lambda: "auto")] = "auto"


class _ImageFilePart(BaseModel):
    model_config = ConfigDict(extra="allow")
    type: Literal["image_file"]
    image_file: _File


class _Url(BaseModel):
    model_config = ConfigDict(extra="allow")
    url: str
    detail: Annotated[str, _or(lambda: "auto")] = "auto"


class _ImageUrlPart(BaseModel):
    model_config = ConfigDict(extra="allow")
    type: Literal["image_url"]
    image_url: _Url


class _RefusalPart(BaseModel):
    model_config = ConfigDict(extra="allow")
    type: Literal["refusal"]
    refusal: str


def _parts(content: Any) -> Any:
    """Take what a request may send for what the API shows: a string is one part of text."""
    if content is None:
        return []
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


_Part = Annotated[_TextPart | _ImageFilePart | _ImageUrlPart | _RefusalPart, Field(discriminator="type")]


class Message(Shape):
    """See the MessageObject of the reference."""

    id: MessageId
    object: Literal["thread.message"] = "thread.message"
    created_at: Time
    assistant_id: str | None = None
    thread_id: ThreadId
    run_id: str | None = None
    status: Literal["in_progress", "incomplete", "completed"] = "completed"
    incomplete_details: Object | None = None
    incomplete_at: Time | None = None
    completed_at: Time | None = None
    role: Literal["user", "assistant"]
    content: Annotated[list[_Part], BeforeValidator(_parts)] = Field(default_factory=list[_Part])
    attachments: Annotated[list[Object], _or(list)] = Field(default_factory=list[Object])
    metadata: Metadata = Field(default_factory=dict[str, str])


_AUTO: Final[Object] = {"type": "auto", "last_messages": None}

RunStatus = Literal[
    "queued",
    "in_progress",
    "requires_action",
    "cancelling",
    "cancelled",
    "failed",
    "completed",
    "incomplete",
    "expired",
]


class Run(Shape):
    """See the RunObject of the reference."""

    id: RunId
    object: Literal["thread.run"] = "thread.run"
    created_at: Time
    assistant_id: str
    thread_id: ThreadId
    model: str = ""
    instructions: Annotated[str, _or(str)] = ""
    tools: Typed = Field(default_factory=list[Object])
    temperature: float | None = 1.0
    top_p: float | None = 1.0
    response_format: Annotated[str | Object, _or(lambda: "auto")] = "auto"
    max_prompt_tokens: int | None = None
    max_completion_tokens: int | None = None
    truncation_strategy: Annotated[Object, _or(lambda: dict(_AUTO))] = Field(default_factory=lambda: dict(_AUTO))
    tool_choice: Annotated[str | Object, _or(lambda: "auto")] = "auto"
    parallel_tool_calls: Annotated[bool, _or(lambda: True)] = True
    tool_resources: Resources = Field(default_factory=dict[str, Any])
    status: RunStatus
    required_action: Object | None = None
    last_error: Object | None = None
    started_at: Time | None = None
    cancelled_at: Time | None = None
    failed_at: Time | None = None
    completed_at: Time | None = None
    incomplete_details: Object | None = None
    usage: Object | None = None
    expires_at: Time | None = None
    metadata: Metadata = Field(default_factory=dict[str, str])


class _Details(BaseModel):
    model_config = ConfigDict(extra="allow")
    type: Literal["message_creation", "tool_calls"]
    message_creation: Object | None = None
    tool_calls: Typed = Field(default_factory=list[Object])


def _details(value: Object) -> Object:
    _Details.model_validate(value, strict=True)
    return value


class Step(Shape):
    """See the RunStepObject of the reference."""

    id: StepId
    object: Literal["thread.run.step"] = "thread.run.step"
    created_at: Time
    run_id: RunId
    assistant_id: str
    thread_id: ThreadId
    type: Literal["message_creation", "tool_calls"]
    status: Literal["in_progress", "cancelled", "failed", "completed", "expired"]
    cancelled_at: Time | None = None
    completed_at: Time | None = None
    expired_at: Time | None = None
    failed_at: Time | None = None
    last_error: Object | None = None
    step_details: Annotated[Object, AfterValidator(_details)]
    usage: Object | None = None
    metadata: Metadata = Field(default_factory=dict[str, str])


class File(Shape):
    """See the OpenAIFile of the reference."""

    id: FileId
    object: Literal["file"] = "file"
    bytes: Annotated[int, Field(ge=0, lt=2**50), _or(int)] = 0
    created_at: Time
    filename: str
    purpose: str
    status: str = "processed"
    expires_at: Annotated[Time | None, Field(exclude_if=lambda at: at is None)] = None


class _ExpiresAfter(BaseModel):
    model_config = ConfigDict(extra="allow")
    days: Annotated[int, Field(ge=1, le=36500)]


class VectorStore(Shape):
    """See the VectorStoreObject of the reference."""

    id: VectorStoreId
    object: Literal["vector_store"] = "vector_store"
    created_at: Time
    name: Annotated[str, _or(str)] = ""
    description: Annotated[str | None, Field(exclude_if=lambda text: text is None)] = None
    usage_bytes: int = 0
    file_counts: Annotated[Object, _or(dict)] = Field(default_factory=dict[str, Any])
    status: Literal["expired", "in_progress", "completed"] = "completed"
    expires_after: Annotated[_ExpiresAfter | None, Field(exclude_if=lambda after: after is None)] = None
    expires_at: Time | None = None
    last_active_at: Time | None = None
    metadata: Metadata = Field(default_factory=dict[str, str])


class VectorStoreFile(Shape):
    """See the VectorStoreFileObject of the reference."""

    id: FileId
    object: Literal["vector_store.file"] = "vector_store.file"
    usage_bytes: int = 0
    created_at: Time
    vector_store_id: VectorStoreId
    status: Literal["in_progress", "completed", "cancelled", "failed"] = "completed"
    last_error: Object | None = None
    chunking_strategy: Annotated[Object, _or(dict)] = Field(default_factory=dict[str, Any])
    attributes: Annotated[dict[str, str | bool | int | float], _or(dict)] = Field(
        default_factory=dict[str, str | bool | int | float]
    )


def as_object(value: Any) -> Object:
    """Give a JSON object, and an empty one for any other value."""
    return cast("Object", value) if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """Give a JSON list, and an empty one for any other value."""
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType] - any JSON


def completed(shape: type[Shape], value: Object) -> Object:
    """Give an object with all its members, without those that a client noted for itself. Raises ValidationError."""
    return shape.model_validate({name: of for name, of in value.items() if not name.startswith("_")}).model_dump()


def shaped(shape: type[Shape]) -> AfterValidator:
    """Make the check of an object that is kept as it is."""

    def check(value: Object) -> Object:
        shape.model_validate(value, strict=True)
        return {"id": value["id"], **value}  # its id comes first in all that we store

    return AfterValidator(check)


def problem(error: ValidationError) -> str:
    """Say in one line what is wrong: the member, and why."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]
