"""Looks at whatever goes to and fro in these tests: the official schema, the SDK's own types, the headers."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import cache
from typing import Any

import httpx2
from openai.types import (
    FileDeleted,
    FileObject,
    Model,
    ModelDeleted,
    Upload,
    VectorStore,
    VectorStoreDeleted,
    VectorStoreSearchResponse,
)
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
from openai.types.vector_stores import VectorStoreFile, VectorStoreFileBatch, VectorStoreFileDeleted
from pydantic import TypeAdapter, ValidationError

from tests.contract.official import definitions, event_problems, problems
from tests.contract.operations import Operation, operation_of, request_problems, sent

__all__ = ["OBJECTS", "Inspector"]

OBJECTS: Mapping[str, Any] = {
    "AssistantObject": Assistant,
    "DeleteAssistantResponse": AssistantDeleted,
    "ThreadObject": Thread,
    "DeleteThreadResponse": ThreadDeleted,
    "MessageObject": Message,
    "DeleteMessageResponse": MessageDeleted,
    "RunObject": Run,
    "RunStepObject": RunStep,
    "Model": Model,
    "DeleteModelResponse": ModelDeleted,
    "OpenAIFile": FileObject,
    "DeleteFileResponse": FileDeleted,
    "Upload": Upload,
    "UploadPart": UploadPart,
    "VectorStoreObject": VectorStore,
    "DeleteVectorStoreResponse": VectorStoreDeleted,
    "VectorStoreFileObject": VectorStoreFile,
    "DeleteVectorStoreFileResponse": VectorStoreFileDeleted,
    "VectorStoreFileBatchObject": VectorStoreFileBatch,
    "VectorStoreSearchResultItem": VectorStoreSearchResponse,
}
"""The SDK's type of each official object."""

_EVENT: TypeAdapter[Any] = TypeAdapter(AssistantStreamEvent)


class Inspector:
    """Collects what is wrong in `problems`. Hooks do not raise: the SDK would take it for a bad connection.

    An engine that lets unknown fields pass may be sent some: `unknown_fields="warn"`.
    """

    def __init__(self, unknown_fields: str = "refuse") -> None:
        self.problems: list[str] = []
        self.answers = 0
        self.operations: set[str] = set()
        """Those that were carried out."""
        self.sent: defaultdict[str, set[str]] = defaultdict(set)
        """By operation: names of parameters and members of bodies that came."""
        self.events: set[str] = set()
        """Those that were told."""
        self._strict = unknown_fields == "refuse"

    def hook(self, response: httpx2.Response) -> None:
        """See an answer of a blocking client."""
        if self._is_stream(response):
            self._see_head(response)
            response.stream = _Watched(response.stream, self)
        else:
            response.read()
            self.see(response)

    async def ahook(self, response: httpx2.Response) -> None:
        """See an answer of an awaiting client."""
        if self._is_stream(response):
            self._see_head(response)
            response.stream = _AsyncWatched(response.stream, self)
        else:
            await response.aread()
            self.see(response)

    def see(self, response: httpx2.Response) -> None:
        """Check a whole answer."""
        self.answers += 1
        operation = self._see_head(response)
        where = _where(response)
        if response.status_code == 204 or response.request.method == "HEAD":
            return
        if "content-disposition" in response.headers:  # bytes of a file, which tests compare with what was sent
            return
        if response.headers["content-type"] != "application/json":
            self._note(where, f"content-type {response.headers['content-type']}")
        value = response.json()
        if response.status_code >= 400:
            self._check(where, "ErrorResponse", value)
        elif operation is None:
            self._note(where, "there is no such operation")
        else:
            self._check(where, operation.response["$ref"].rpartition("/")[2], value)

    def see_event(self, block: str) -> None:
        """Check one event of a stream: exactly two lines, as strict parsers want it."""
        self.answers += 1
        first, second = block.split("\n")
        name, data = first.removeprefix("event: "), second.removeprefix("data: ")
        value = data if name == "done" else json.loads(data)
        self.events.add(name)
        for problem in event_problems(name, value):
            self._note(name, problem)
        if name != "done":
            self._check_type(name, _EVENT, {"event": name, "data": value})

    def _see_head(self, response: httpx2.Response) -> Operation | None:
        """Check the headers, and the request when it was carried out; give its operation."""
        where, request = _where(response), response.request
        for header in ("x-request-id", "openai-processing-ms", "openai-version"):
            if header not in response.headers:
                self._note(where, f"no {header}")
        operation = operation_of(request.method, request.url.path)
        if operation is not None and response.status_code < 300:
            came = sent(operation, request)
            self.operations.add(operation.id)
            self.sent[operation.id] |= came.names
            if self._strict:
                for problem in request_problems(operation, came):
                    self._note(where, f"was carried out with {problem}")
        return operation

    def _check(self, where: str, schema: str, value: Any) -> None:
        for problem in problems(schema, value):
            self._note(where, f"{schema} {problem}")
        if schema in OBJECTS:
            self._check_type(where, _adapter(OBJECTS[schema]), value)
        elif "data" in value:
            items = definitions("answers")[schema]["properties"]["data"]["items"]
            if "$ref" in items:
                for one in value["data"]:
                    self._check(where, items["$ref"].rpartition("/")[2], one)

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


def _where(response: httpx2.Response) -> str:
    return f"{response.request.method} {response.request.url.path} {response.status_code}"


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
