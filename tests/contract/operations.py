"""The operations of the API: found by what was asked, and what is wrong with a request that was carried out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import httpx2

from tests.contract.official import MORE_LISTS, MORE_QUERY, broken, kept

__all__ = ["OFFICIAL", "Operation", "Sent", "bare", "operation_of", "request_problems", "sent"]

_PREFIX = re.compile(r"(/openai)?(/v1)?(?=/)")
_MOST_FORM = 2**20
"""Larger forms are not looked at: they would be read from their file once more."""


@dataclass(frozen=True)
class Operation:
    """An operation. Schemas may name official ones."""

    id: str
    method: str
    path: str
    query: Mapping[str, Any]
    """Schema by name of the parameter."""
    response: Mapping[str, Any]
    request: Mapping[str, Any] | None = None
    """`content` is its type, `schema` what it must be, `required` whether it may be left out."""

    def matches(self, method: str, path: str) -> bool:
        """Whether a request to a path (without a base such as /v1) is for this operation."""
        pattern = re.sub(r"\{(\w+)\}", lambda found: ".+" if found[1] == "model" else "[^/]+", self.path)
        return method == self.method and re.fullmatch(pattern, path) is not None


OFFICIAL: Mapping[str, Operation] = {id_: Operation(id_, **known) for id_, known in kept()["operations"].items()}
"""By operationId."""


def bare(path: str) -> str:
    """Give a path without the names of its parameters, as our table and the official one name some differently."""
    return "/".join("{}" if segment.startswith("{") else segment for segment in path.strip("/").split("/"))


_LIST_QUERY = OFFICIAL["listAssistants"].query
_MORE = [
    Operation(f"GET {path}", "GET", path, _LIST_QUERY, {"$ref": f"#/$defs/{answer}"})
    for path, answer, _ in MORE_LISTS.values()
]
_ALL = sorted([*OFFICIAL.values(), *_MORE], key=lambda operation: operation.path.count("{"))  # what is written out wins


@cache
def operation_of(method: str, path: str) -> Operation | None:
    """Find the operation of a request, whatever base its client appended the path to."""
    path = _PREFIX.sub("", path, count=1)
    return next((operation for operation in _ALL if operation.matches(method, path)), None)


@dataclass(frozen=True)
class Sent:
    """What came with a request: its query, and its body as a value (None when there is none to look at any more)."""

    query: Mapping[str, Any]
    body: Any

    @property
    def names(self) -> set[str]:
        """The names of parameters and of the body's members."""
        return {*self.query, *(self.body if isinstance(self.body, dict) else ())}


def sent(operation: Operation, request: httpx2.Request) -> Sent:
    """Read what came with a request that the engine has carried out."""
    body = None if operation.request is None else _body(operation.request["content"], request)
    return Sent(_query(operation, request.url.query.decode()), body)


def request_problems(operation: Operation, sent: Sent) -> list[str]:
    """List what is wrong with a request that the engine has carried out, by the official schema."""
    more = {name for names in MORE_QUERY.values() for name in names}
    query = {name: value for name, value in sent.query.items() if name not in more}
    known = {"properties": operation.query, "additionalProperties": False}
    found = [f"?{problem}" for problem in broken("requests", known, query)]
    if operation.request is not None and sent.body is not None:
        found += broken("requests", operation.request["schema"], sent.body)
    return found


def _query(operation: Operation, query: str) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, text in parse_qsl(query):
        kind = operation.query.get(name, {}).get("type")
        if kind == "array":
            given.setdefault(name, []).extend(text.split(","))
        else:
            given[name] = int(text) if kind == "integer" and text.isdigit() else text
    return given


def _body(kind: str, request: httpx2.Request) -> Any:
    if kind == "application/json":
        return json.loads(request.content or "null")
    if int(request.headers.get("content-length", _MOST_FORM)) >= _MOST_FORM:
        return None
    return _form(request.headers["content-type"], request)


def _form(kind: str, request: httpx2.Request) -> Any:
    assert isinstance(request.stream, httpx2.SyncByteStream)
    body = b"".join(request.stream)
    message = message_from_bytes(f"content-type: {kind}\r\n\r\n".encode() + body, policy=policy.HTTP)
    form: dict[str, Any] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        outer, _, inner = str(name).rstrip("]").partition("[")
        content = part.get_payload(decode=True)
        text = "" if part.get_filename() else bytes(content).decode()  # type: ignore[arg-type]  # a part has bytes
        if inner:
            form.setdefault(outer, {})[inner] = int(text) if text.isdigit() else text
        else:
            form[outer] = text
    return form
