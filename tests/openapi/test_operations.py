from __future__ import annotations

from typing import Any

import pytest

from toolkit import DefinitionError
from toolkit.openapi.document import Document
from toolkit.openapi.operations import Body, Operation, Parameter, operations


def found(paths: dict[str, Any], only: list[str] | None = None, **more: Any) -> list[Operation]:
    return operations(
        Document({"openapi": "3.1.0", "paths": paths, **more}, "https://a.example/openapi.json"), only, ()
    )


def one(operation: dict[str, Any], path: str = "/a", **more: Any) -> Operation:
    (only,) = found({path: {"post": operation, **more}})
    return only


def test_names_are_valid_and_each_its_own() -> None:
    paths: dict[str, Any] = {
        "/a/{id}/b": {"get": {"parameters": [{"name": "id", "in": "path"}]}, "head": {}, "trace": {}},
        "/b": {"get": {"operationId": "pets.list all"}, "put": {"operationId": "pets/list all"}},
        "/c": {"get": {"operationId": "x" * 80}},
        "x-extension": {"get": {}},
    }
    names = [each.name for each in found(paths)]
    assert names[:2] == ["get_a_id_b", "pets_list_all"]
    assert names[2].startswith("pets_list_all_")
    assert [len(name) for name in names] == [10, 13, 22, 64]


def test_only_names_them_in_three_ways() -> None:
    paths = {"/a": {"get": {"operationId": "a.get"}, "put": {}}, "/b": {"get": {}}}
    assert [each.name for each in found(paths, ["a.get"])] == ["a_get"]
    assert [each.name for each in found(paths, ["put_a", "GET /b"])] == ["put_a", "get_b"]
    with pytest.raises(DefinitionError, match="has no operation 'none'; it has a_get, put_a, get_b"):
        found(paths, ["none"])


def test_descriptions() -> None:
    assert one({"summary": "Make it.", "description": "At once.\n"}).description == "Make it.\n\nAt once."
    assert one({"summary": "Same", "description": "Same", "deprecated": True}).description == "Deprecated. Same"
    assert len(one({"description": "x" * 5000}).description) == 1024


def test_parameters_of_path_and_operation() -> None:
    shared = {"name": "limit", "in": "query", "schema": {"type": "integer"}, "description": "Shared."}
    own = {"name": "limit", "in": "query", "schema": {"type": "integer"}, "description": "Own.", "required": True}
    filters = {
        "name": "filter[tag]",
        "in": "query",
        "style": "deepObject",
        "deprecated": True,
        "schema": {"type": "object"},
    }
    content = {"name": "where", "in": "query", "content": {"application/json": {"schema": {"type": "object"}}}}
    operation = one({"parameters": [own, filters, content]}, parameters=[shared])
    assert operation.parameters == (
        Parameter("limit", "limit", "query", "form", True),
        Parameter("filter_tag_", "filter[tag]", "query", "deepObject", False),
        Parameter("where", "where", "query", "form", True, is_json=True),
    )
    assert operation.schema["properties"]["limit"] == {"type": "integer", "description": "Own."}
    assert operation.schema["properties"]["filter_tag_"]["description"] == "Deprecated."
    assert operation.schema["required"] == ["limit"]


def test_parameters_of_one_name_are_kept_apart() -> None:
    given = [{"name": "id", "in": place} for place in ("path", "query", "header", "cookie")]
    operation = one({"parameters": given, "requestBody": {"content": {"text/plain": {}}}}, "/a/{id}")
    assert [each.argument for each in operation.parameters] == ["id", "query_id", "header_id", "cookie_id"]
    assert operation.schema["required"] == ["id"]
    assert operation.body == Body("body", "text/plain", {})


@pytest.mark.parametrize(
    "name",
    [
        "Accept",
        "content-type",
        "AUTHORIZATION",
        "Host",
        "Content-Length",
        "Transfer-Encoding",
        "Cookie",
        "Connection",
        "Proxy-Authorization",
        "X Trace",
        "X-Trace:",
        "X\r\nHost",
    ],
)
def test_headers_that_are_no_parameters(name: str) -> None:
    assert one({"parameters": [{"name": name, "in": "header", "required": True}]}).parameters == ()


@pytest.mark.parametrize(
    ("types", "taken"),
    [
        (["text/plain", "application/x-www-form-urlencoded", "application/json"], "application/json"),
        (["application/xml", "application/vnd.api+json; charset=utf-8"], "application/vnd.api+json"),
        (["application/octet-stream"], "application/octet-stream"),
        (["*/*"], "*/*"),
    ],
)
def test_the_body_that_can_be_said_best(types: list[str], taken: str) -> None:
    content = {each: {"schema": {"type": "object"}} for each in types}
    operation = one({"requestBody": {"required": True, "description": "What.", "content": content}})
    assert operation.body is not None
    assert operation.body.media_type == taken
    assert operation.schema["required"] == ["body"]
    assert operation.schema["properties"]["body"]["description"] == "What."


def test_files_of_a_multipart_body() -> None:
    properties = {
        "file": {"type": "string", "format": "binary"},
        "image": {"type": "string", "contentMediaType": "image/png", "contentEncoding": "base64"},
        "name": {"type": "string"},
    }
    content = {"multipart/form-data": {"schema": {"type": "object", "properties": properties}}}
    operation = one({"requestBody": {"content": content}})
    assert operation.body == Body("body", "multipart/form-data", {"file": False, "image": True})


def test_security_says_which_keys() -> None:
    assert one({}).security is None
    assert one({"security": []}).security == ()
    assert one({"security": [{"a": [], "b": []}, {}]}).security == (frozenset("ab"), frozenset())


def test_what_cannot_be() -> None:
    with pytest.raises(DefinitionError, match=r"post_a_id: /a/{id} has id, and no such path parameter"):
        one({}, "/a/{id}")
    with pytest.raises(DefinitionError, match=r"post_a: the document refers to 'b.json', outside of itself"):
        one({"parameters": [{"$ref": "b.json"}]})
    paths: dict[str, Any] = {"/a": {"$ref": "paths.json#/a"}, "/b": {"get": {}}}
    assert [each.name for each in found(paths, ["get_b"])] == ["get_b"]
    with pytest.raises(DefinitionError, match="outside of itself"):
        found(paths)
    node: Any = {}
    for _ in range(5000):
        node = {"items": node}
    with pytest.raises(DefinitionError, match="post_a: its schemas are nested too deeply"):
        one({"parameters": [{"name": "a", "in": "query", "schema": node}]})
