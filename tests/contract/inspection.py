"""Looks at every answer that clients get in these tests: the official schema, the SDK's own types, the headers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import Any

import httpx2
from openai.types import FileDeleted, FileObject, Model, Upload
from openai.types.beta import (
    Assistant,
    AssistantDeleted,
    AssistantStreamEvent,
    Thread,
    ThreadDeleted,
)
from openai.types.beta.threads import Message, MessageDeleted, Run
from openai.types.beta.threads.runs import RunStep
from openai.types.uploads import UploadPart
from pydantic import TypeAdapter, ValidationError

from tests.contract.official import event_problems, problems

OBJECTS: dict[str, tuple[str, Any]] = {
    "assistant": ("AssistantObject", Assistant),
    "assistant.deleted": ("DeleteAssistantResponse", AssistantDeleted),
    "thread": ("ThreadObject", Thread),
    "thread.deleted": ("DeleteThreadResponse", ThreadDeleted),
    "thread.message": ("MessageObject", Message),
    "thread.message.deleted": ("DeleteMessageResponse", MessageDeleted),
    "thread.run": ("RunObject", Run),
    "thread.run.step": ("RunStepObject", RunStep),
    "model": ("Model", Model),
    "file": ("OpenAIFile", FileObject),
    "file.deleted": ("DeleteFileResponse", FileDeleted),
    "upload": ("Upload", Upload),
    "upload.part": ("UploadPart", UploadPart),
}
LISTS = {
    "assistants": "ListAssistantsResponse",
    "messages": "ListMessagesResponse",
    "runs": "ListRunsResponse",
    "steps": "ListRunStepsResponse",
    "models": "ListModelsResponse",
    "files": "ListFilesResponse",
    "threads": None,  # there is no official list of threads
}
_EVENT: TypeAdapter[Any] = TypeAdapter(AssistantStreamEvent)


class Inspector:
    """Collects what is wrong in `problems`. Hooks do not raise: the SDK would take it for a bad connection."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.answers = 0

    def hook(self, response: httpx2.Response) -> None:
        """See an answer of a blocking client."""
        if self._is_stream(response):
            response.stream = _Watched(response.stream, self)
        else:
            response.read()
            self.see(response)

    async def ahook(self, response: httpx2.Response) -> None:
        """See an answer of an awaiting client."""
        if self._is_stream(response):
            response.stream = _AsyncWatched(response.stream, self)
        else:
            await response.aread()
            self.see(response)

    def see(self, response: httpx2.Response) -> None:
        """Check a whole answer."""
        where = f"{response.request.method} {response.request.url.path} {response.status_code}"
        self.answers += 1
        for header in ("x-request-id", "openai-processing-ms", "openai-version"):
            if header not in response.headers:
                self._note(where, f"no {header}")
        if response.status_code == 204:
            return
        if "content-disposition" in response.headers:  # bytes of a file, which tests compare with what was sent
            return
        if response.headers["content-type"] != "application/json":
            self._note(where, f"content-type {response.headers['content-type']}")
        value = response.json()
        if response.status_code >= 400:
            self._check(where, "ErrorResponse", None, value)
        elif value["object"] == "list":
            name = LISTS[response.request.url.path.rpartition("/")[2]]
            if name is not None:
                self._check(where, name, None, value)
            for one in value["data"]:
                self._check(where, *OBJECTS[one["object"]], one)
        else:
            kind = "file.deleted" if "deleted" in value and value["object"] == "file" else value["object"]
            self._check(where, *OBJECTS[kind], value)

    def see_event(self, block: str) -> None:
        """Check one event of a stream: exactly two lines, as strict parsers want it."""
        self.answers += 1
        first, second = block.split("\n")
        name, data = first.removeprefix("event: "), second.removeprefix("data: ")
        value = data if name == "done" else json.loads(data)
        for problem in event_problems(name, value):
            self._note(name, problem)
        if name != "done":
            self._check_type(name, _EVENT, {"event": name, "data": value})

    def _check(self, where: str, schema: str, type_: Any, value: Any) -> None:
        for problem in problems(schema, value):
            self._note(where, f"{schema} {problem}")
        if type_ is not None:
            self._check_type(where, _adapter(type_), value)

    def _check_type(self, where: str, type_: TypeAdapter[Any], value: Any) -> None:
        try:
            # The SDK lets files be made for evals, and has no such file (docs/compatibility.md).
            text = json.dumps(value).replace('"purpose": "evals"', '"purpose": "user_data"')
            type_.validate_json(text, strict=True)
        except ValidationError as error:
            self._note(where, str(error))

    def _note(self, where: str, problem: str) -> None:
        self.problems.append(f"{where}: {problem}")

    def _is_stream(self, response: httpx2.Response) -> bool:
        return response.headers.get("content-type", "").startswith("text/event-stream")


@cache
def _adapter(type_: Any) -> TypeAdapter[Any]:
    """Build the check for a type of the SDK once: it takes longer than to use it."""
    return TypeAdapter(type_)


class _Blocks:
    """Cuts bytes into events."""

    def __init__(self, inspector: Inspector) -> None:
        self._inspector = inspector
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        *whole, self._rest = (self._rest + chunk).split(b"\n\n")
        for block in whole:
            self._inspector.see_event(block.decode())


class _Watched(httpx2.SyncByteStream):
    def __init__(self, stream: Any, inspector: Inspector) -> None:
        self._stream, self._blocks = stream, _Blocks(inspector)

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            self._blocks.feed(chunk)
            yield chunk

    def close(self) -> None:
        self._stream.close()


class _AsyncWatched(httpx2.AsyncByteStream):
    def __init__(self, stream: Any, inspector: Inspector) -> None:
        self._stream, self._blocks = stream, _Blocks(inspector)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._blocks.feed(chunk)
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
