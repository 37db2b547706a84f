from __future__ import annotations

import json
from email import message_from_bytes
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit import ToolError
from toolkit.openapi.building import Request, request
from toolkit.openapi.document import Document
from toolkit.openapi.operations import operations

SERVER = "https://api.example/v1"


def built(arguments: dict[str, Any], path: str = "/a", **operation: Any) -> Request:
    (only,) = operations(Document({"openapi": "3.1.0", "paths": {path: {"post": operation}}}), None, ())
    return request(only, SERVER, arguments)


def parameter(name: str, place: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": place, "schema": {}, **more}


def body(media_type: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"content": {media_type: {"schema": schema or {}}}}


def test_each_argument_goes_to_its_place() -> None:
    places = [
        parameter(name, place) for name, place in (("id", "path"), ("q", "query"), ("X-A", "header"), ("c", "cookie"))
    ]
    where = {"name": "where", "in": "query", "content": {"application/json": {}}}
    made = built(
        {"id": "a b", "q": ["x", "y"], "X-A": 1, "c": "d", "where": {"a": [1]}}, "/a/{id}", parameters=[*places, where]
    )
    assert made == Request(
        "POST",
        "https://api.example/v1/a/a%20b?q=x&q=y&where=%7B%22a%22%3A%20%5B1%5D%7D",
        {"X-A": "1", "Cookie": "c=d"},
    )


def test_what_is_not_given_is_not_sent() -> None:
    made = built({}, parameters=[parameter("q", "query")], requestBody=body("application/json"))
    assert made == Request("POST", f"{SERVER}/a", {})


@pytest.mark.parametrize(
    ("media_type", "value", "sent"),
    [
        ("application/json", {"a": "é", "b": None}, '{"a": "é", "b": null}'),
        ("application/vnd.api+json", [1], "[1]"),
        ("application/x-www-form-urlencoded", {"a": "x&y=1", "b": [1, True]}, "a=x%26y%3D1&b=1&b=true"),
        ("application/x-www-form-urlencoded", {"c": {"d": 1}}, "c=%7B%22d%22%3A1%7D"),
        ("text/plain", "as it is", "as it is"),
        ("application/xml", "<a/>", "<a/>"),
    ],
)  # fmt: skip
def test_bodies(media_type: str, value: Any, sent: str) -> None:
    made = built({"body": value}, requestBody=body(media_type))
    assert (made.headers, made.body) == ({"Content-Type": media_type}, sent.encode())


def parts_of(made: Request) -> list[Message]:
    assert made.body is not None
    whole = message_from_bytes(f"Content-Type: {made.headers['Content-Type']}\r\n\r\n".encode() + made.body)
    parts = whole.get_payload()
    assert isinstance(parts, list)
    return parts  # type: ignore[return-value]


def test_a_multipart_body() -> None:
    schema = {"properties": {"file": {"format": "binary"}, "image": {"format": "byte"}, "name": {}}}
    value = {"file": "text é", "image": "aGk=", "name": "n", "more": {"a": 1}, "tags": ["x", "y"]}
    parts = parts_of(built({"body": value}, requestBody=body("multipart/form-data", schema)))
    assert [
        (part["content-disposition"], part.get_content_type(), part.get_payload(decode=True)) for part in parts
    ] == [
        ('form-data; name="file"; filename="file"', "application/octet-stream", "text é".encode()),
        ('form-data; name="image"; filename="image"', "application/octet-stream", b"hi"),
        ('form-data; name="name"', "text/plain", b"n"),
        ('form-data; name="more"', "application/json", b'{"a":1}'),
        ('form-data; name="tags"', "text/plain", b"x"),
        ('form-data; name="tags"', "text/plain", b"y"),
    ]
    with pytest.raises(ToolError, match="image: must be base64"):
        built({"body": {"image": "?"}}, requestBody=body("multipart/form-data", schema))
    with pytest.raises(ToolError, match="body: must be an object"):
        built({"body": []}, requestBody=body("multipart/form-data"))


@settings(deadline=None)
@given(st.dictionaries(st.text(min_size=1), st.text(), min_size=1, max_size=3))
def test_no_member_begins_another_part(members: dict[str, str]) -> None:
    made = built({"body": members}, requestBody=body("multipart/form-data"))
    assert made.body is not None
    boundary = made.headers["Content-Type"].partition("boundary=")[2].encode()
    heads = [part.partition(b"\r\n\r\n")[0] for part in made.body.split(b"--" + boundary)[1:-1]]
    assert len(heads) == len(members)
    assert all(head.count(b"\r\n") == 2 for head in heads)


ATTACKS = [
    "../admin", "..", ".", "//evil.example", "\\\\evil.example", "@evil.example", "a@evil.example/", ":80@evil.example",
    "https://evil.example/", "?admin=1", "#fragment", "a/../../admin", "a\r\nHost: evil.example", "%2e%2e%2fadmin",
    "..%2f",
    "..;/admin", "\u2025/admin", "\uff0e\uff0e/", "{id}", "{b}", "\0", " ", "\ud800", ";admin=1", "a" * 10_000,
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("path", ["/users/{id}", "/{id}", "/{id}/{b}/c", "/x{id}{b}y", "/{id}{b}"])
def test_no_value_leads_elsewhere(attack: str, path: str) -> None:
    places = [parameter("id", "path"), *([parameter("b", "path")] if "{b}" in path else []), parameter("q", "query")]
    arguments = {"id": attack, "b": attack, "q": attack}
    try:
        made = built(arguments, path, parameters=places)
    except ToolError:
        return
    parts = urlsplit(made.url)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "api.example", "")
    assert parts.path.startswith("/v1/")
    assert parts.path.count("/") == path.count("/") + 1
    assert not {".", ".."} & set(map(unquote, parts.path.split("/")))
    assert [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)] == ["q"]


@settings(deadline=None, max_examples=200)
@given(st.text(), st.text(), st.sampled_from(["/{id}{b}", "/a/{id}/{b}", "/{id}.{b}"]))
def test_no_two_values_lead_elsewhere(one: str, other: str, path: str) -> None:
    try:
        made = built({"id": one, "b": other}, path, parameters=[parameter("id", "path"), parameter("b", "path")])
    except ToolError:
        return
    parts = urlsplit(made.url)
    assert (parts.netloc, parts.query, parts.fragment) == ("api.example", "", "")
    assert parts.path.count("/") == path.count("/") + 1
    assert not {".", "..", ""} & set(map(unquote, parts.path.split("/")[1:]))


def test_two_values_side_by_side_make_no_step() -> None:
    with pytest.raises(ToolError, match="a path with steps"):
        built({"id": "-", "b": "-"}, "/../{id}{b}", parameters=[parameter("id", "path"), parameter("b", "path")])


def test_json_in_the_query_is_one_value() -> None:
    where = {"name": "where", "in": "query", "content": {"application/json": {}}}
    made = built({"where": {"a": "&b=1#"}}, parameters=[where])
    assert json.loads(dict(parse_qsl(urlsplit(made.url).query))["where"]) == {"a": "&b=1#"}
