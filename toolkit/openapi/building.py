"""An operation and the arguments of a call become a request, which goes nowhere else, whatever they hold."""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote

from toolkit.errors import ToolError
from toolkit.openapi.document import origin
from toolkit.openapi.encoding import cookies, header, path_part, query, text_of
from toolkit.openapi.operations import Body, Operation, Parameter

__all__ = ["Request", "request"]


@dataclass(frozen=True, slots=True)
class Request:
    """A request, as it will be sent but for the keys."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


def request(operation: Operation, server: str, arguments: Mapping[str, Any]) -> Request:
    """Build the request of a call. Raises ToolError, for the model, for values that cannot be sent."""
    path = operation.path
    pieces: list[str] = []
    headers: dict[str, str] = {}
    crumbs: list[str] = []
    for each in operation.parameters:
        if each.argument not in arguments:
            continue
        value = arguments[each.argument]
        value = json.dumps(value, ensure_ascii=False) if each.is_json else value
        if each.place == "path":
            part = path_part(each.name, value, style=each.style, explode=each.explode)
            path = path.replace(f"{{{each.name}}}", part)
        elif each.place == "header":
            headers[each.name] = header(each.name, value, explode=each.explode)
        elif each.place == "cookie":
            crumbs += cookies(each.name, value, explode=each.explode)
        else:
            pieces += _query(each, value)
    if crumbs:
        headers["Cookie"] = "; ".join(crumbs)
    _check_steps(path)
    url = f"{server}{path}" + (f"?{'&'.join(pieces)}" if pieces else "")
    if origin(url) != origin(server) or not url.startswith(f"{server}/"):  # whatever this file got wrong
        raise ToolError("These arguments lead to another server, and are not sent.")
    body = operation.body
    if body is None or body.argument not in arguments:
        return Request(operation.method.upper(), url, headers)
    content, kind = _content(body, arguments[body.argument])
    return Request(operation.method.upper(), url, {**headers, "Content-Type": kind}, content)


def _query(parameter: Parameter, value: object) -> Iterator[str]:
    reserved = parameter.allow_reserved
    return query(parameter.name, value, style=parameter.style, explode=parameter.explode, allow_reserved=reserved)


def _check_steps(path: str) -> None:
    """Refuse a path with steps in it, which two values side by side may make: `{a}{b}` of `.` and `.`."""
    if any(unquote(step) in (".", "..") for step in path.split("/")):
        raise ToolError("These arguments make a path with steps such as .. in it, and are not sent.")


def _content(body: Body, value: object) -> tuple[bytes, str]:
    if re.fullmatch(r"application/json|.*[/+]json", body.media_type):
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"), body.media_type
    if body.media_type == "application/x-www-form-urlencoded":
        pieces = [piece for name, each in _members(body, value).items() for piece in _form(name, each)]
        return "&".join(pieces).encode(), body.media_type
    if body.media_type == "multipart/form-data":
        boundary = secrets.token_hex(16)
        parts = b"".join(_part(boundary, *each) for each in _parts(body, _members(body, value)))
        return parts + f"--{boundary}--\r\n".encode(), f"{body.media_type}; boundary={boundary}"
    return text_of(value).encode("utf-8", "replace"), body.media_type if "/" in body.media_type else "text/plain"


def _members(body: Body, value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ToolError(f"{body.argument}: must be an object")
    return cast("dict[str, Any]", value)


def _form(name: str, value: object) -> Iterator[str]:
    """Write a member of a form: lists are repeated, objects are JSON."""
    return query(name, text_of(cast("dict[str, Any]", value)) if isinstance(value, dict) else value)


def _parts(body: Body, members: Mapping[str, Any]) -> Iterator[tuple[str, str, bytes]]:
    """Give the parts of a multipart body: what is said of each, its type, what it holds."""
    for name, value in members.items():
        shown = re.sub(r'["\r\n]', lambda match: f"%{ord(match[0]):02X}", name)
        if name in body.files:
            yield (
                f'name="{shown}"; filename="{shown}"',
                "application/octet-stream",
                _file(name, value, body.files[name]),
            )
        elif isinstance(value, dict):
            yield f'name="{shown}"', "application/json", text_of(cast("object", value)).encode("utf-8", "replace")
        else:
            for each in cast("list[object]", value) if isinstance(value, list) else [value]:
                yield f'name="{shown}"', "text/plain; charset=utf-8", text_of(each).encode("utf-8", "replace")


def _part(boundary: str, said: str, kind: str, content: bytes) -> bytes:
    head = f"--{boundary}\r\nContent-Disposition: form-data; {said}\r\nContent-Type: {kind}\r\n\r\n"
    return head.encode("utf-8", "replace") + content + b"\r\n"


def _file(name: str, value: object, in_base64: bool) -> bytes:
    if not in_base64:
        return text_of(value).encode("utf-8", "replace")
    try:
        return base64.b64decode(text_of(value), validate=True)
    except (binascii.Error, ValueError):
        raise ToolError(f"{name}: must be base64") from None
