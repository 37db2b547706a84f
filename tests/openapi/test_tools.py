from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.openapi.conftest import Api
from toolkit import Call, DefinitionError, Toolset
from toolkit.openapi import from_openapi
from toolkit.openapi.document import Document
from toolkit.openapi.tools import _origins
from toolkit.tools.dispatch import adispatch, dispatch

PET = {"parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}]}
PATHS: dict[str, Any] = {
    "/pets/{id}": {
        **PET,
        "get": {"operationId": "getPet", "summary": "Get a pet."},
        "delete": {"operationId": "deletePet"},
    },
    "/pets": {"post": {"operationId": "createPet", "requestBody": {"content": {"application/json": {"schema": {}}}}}},
}


def test_operations_are_tools(api: Api) -> None:
    tools = from_openapi(api.document(PATHS), prefix="pets_", approve=["DELETE /pets/{id}"])
    assert list(tools) == ["pets_getPet", "pets_deletePet", "pets_createPet"]
    get, delete, create = tools.values()
    assert (get.description, get.read_only, get.idempotent, get.approve) == ("Get a pet.", True, True, False)
    assert (delete.read_only, delete.idempotent, delete.approve) == (False, True, True)
    assert (create.read_only, create.idempotent) == (False, False)
    assert get.definition["function"]["parameters"] == {
        "type": "object",
        "properties": {"id": {"type": "integer"}},
        "required": ["id"],
        "additionalProperties": False,
    }
    assert get.call('{"id": 7}').content == '{"path": "/v1/pets/7"}'
    assert get.call('{"id": "../7"}').content == "id: must be of type integer"
    assert from_openapi(api.document(PATHS), approve=True)["getPet"].approve is True
    long = from_openapi(api.document({"/a": {"get": {"operationId": "x" * 80}}}), prefix="pets_", approve=["x" * 80])
    assert [(len(name), tool.approve) for name, tool in long.items()] == [(64, True)]


def test_under_both_run_loops(api: Api) -> None:
    tools = from_openapi(api.document(PATHS))
    calls = [Call(f"call_{at}", "getPet", json.dumps({"id": at})) for at in range(3)]
    told = {at: finished.output.content for at, finished in dispatch(tools, calls)}
    assert told == {at: f'{{"path": "/v1/pets/{at}"}}' for at in range(3)}

    async def main() -> dict[int, str]:
        return {at: finished.output.content async for at, finished in adispatch(tools, calls)}

    assert asyncio.run(main()) == told


def test_what_a_toolset_says_of_size_counts(api: Api) -> None:
    api.answers["/v1/pets/1"] = (200, {"content-type": "text/plain"}, b"x" * 10_000)
    tools = Toolset(*from_openapi(api.document(PATHS)).values(), max_output_bytes=300)
    content = tools["getPet"].call('{"id": 1}').content
    assert len(content) == 300
    assert "of 10000 bytes" in content


def test_keys(api: Api) -> None:
    schemes = {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}
    keyed = {"name": "x-key", "in": "header", "schema": {}}
    paths = {"/a": {"get": {"parameters": [keyed]}}, "/open": {"get": {"security": []}}}
    document = api.document(paths, components={"securitySchemes": schemes}, security=[{"key": []}])
    tokens = iter(["sesame-1", "sesame-2"])
    tools = from_openapi(document, auth=lambda: next(tokens))
    assert tools["get_a"].plain_parameters["properties"] == {}
    assert "sesame" not in f"{tools!r} {tools.definitions} {vars(tools['get_a'])}"
    for _ in range(2):
        assert tools["get_a"].call("{}").ok
    assert [asked.headers["x-key"] for asked in api.asked] == ["sesame-1", "sesame-2"]
    assert "x-key" in from_openapi(document)["get_a"].plain_parameters["properties"]


def server_of(url: str, document_url: str | None = None, **options: Any) -> Toolset:
    document = {"openapi": "3.1.0", "paths": {"/a": {"get": {}}}, "servers": [{"url": url}]}
    return from_openapi(document, **options)


def test_a_fetched_document_speaks_for_its_own_server_alone(api: Api) -> None:
    def served(server: str) -> str:
        document = json.dumps({**api.document({"/a": {"get": {}}}), "servers": [{"url": server}]})
        api.answers["/v1/openapi.json"] = (200, {"content-type": "application/json"}, document.encode())
        return f"{api.url}/openapi.json"

    assert from_openapi(served("/v1"))["get_a"].call("{}").content == '{"path": "/v1/a"}'
    for other in (
        "http://169.254.169.254/",
        "http://localhost/",
        f"http://localhost:{api.port}/v1",
        "https://api.example",
    ):
        with pytest.raises(
            DefinitionError, match=r"calls would go to .*, and the document is of .*: if that is right, say"
        ):
            from_openapi(served(other))
    elsewhere = f"localhost:{api.port}"
    assert from_openapi(served(f"http://{elsewhere}/v1"), allow_hosts=[elsewhere])["get_a"].call("{}").ok
    assert from_openapi(served("https://api.example"), base_url=api.url)["get_a"].call("{}").ok


def test_an_operation_may_not_leave_the_first_server(api: Api) -> None:
    paths = {"/b": {"get": {"servers": [{"url": "https://other.example"}]}}, "/a": {"get": {}}}
    with pytest.raises(DefinitionError, match=r"say allow_hosts=\['other.example'\], or give base_url="):
        from_openapi(api.document(paths))
    assert list(from_openapi(api.document(paths), allow_hosts=["other.example"])) == ["get_b", "get_a"]
    assert from_openapi(api.document(paths), base_url=api.url)["get_b"].call("{}").content == '{"path": "/v1/b"}'
    assert list(from_openapi(api.document(paths), only=["get_a"])) == ["get_a"]


def test_encryption_is_not_given_up() -> None:
    document = Document({"openapi": "3.1.0", "paths": {}}, "https://a.example/openapi.json")
    with pytest.raises(DefinitionError, match=r"unencrypted: if that is right, say base_url='http://a.example'"):
        _origins(document, None, ["http://a.example"], ["a.example"])
    base = "http://a.example"
    assert _origins(document, base, [base], ()) == {("http", "a.example", 80)}


@pytest.mark.parametrize("host", ["", "https://a.example", "a.example/b", "user@a.example", "a:port"])
def test_what_is_no_host(host: str) -> None:
    with pytest.raises(DefinitionError, match="write a host, or host:port"):
        server_of("https://a.example", allow_hosts=[host])


def test_what_cannot_be(api: Api) -> None:
    with pytest.raises(DefinitionError, match="does not say where its server is: give base_url="):
        from_openapi({"openapi": "3.1.0", "paths": {"/a": {"get": {}}}})
    with pytest.raises(DefinitionError, match="129 operations, more than the 128 tools"):
        from_openapi(api.document({f"/{at}": {"get": {}} for at in range(129)}))
    with pytest.raises(DefinitionError, match="must hold no user and password"):
        server_of("https://user:key@a.example")
    with pytest.raises(DefinitionError, match="has no operation 'nothing'"):
        from_openapi(api.document(PATHS), approve=["nothing"])
