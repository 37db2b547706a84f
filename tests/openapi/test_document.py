from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.openapi.conftest import Api
from toolkit import DefinitionError
from toolkit.openapi.document import Document, checked_base, origin, read

DOCUMENT: dict[str, Any] = {"openapi": "3.1.0", "paths": {"/a": {"get": {}}}}


def test_from_a_mapping_a_file_and_a_url(api: Api, tmp_path: Path) -> None:
    file = tmp_path / "api.json"
    file.write_text(json.dumps(DOCUMENT))
    api.answers["/v1/openapi.json"] = (200, {"content-type": "application/json"}, json.dumps(DOCUMENT).encode())
    for source, url in ((DOCUMENT, None), (file, None), (str(file), None), (f"{api.url}/openapi.json",) * 2):
        assert read(source) == Document(DOCUMENT, url)
    assert [asked.path for asked in api.asked] == ["/v1/openapi.json"]


YAML = """
openapi: 3.0.3
info: {title: API, version: 2026-01-01}
paths:
  /a:
    get:
      responses:
        200: {description: on}
"""


def test_yaml_where_its_package_is(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "api.yaml"
    file.write_text(YAML)
    assert read(file).root["info"]["version"] == "2026-01-01"
    api.answers["/v1/api"] = (200, {"content-type": "application/yaml"}, YAML.encode())
    assert read(f"{api.url}/api").is_3_0
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(DefinitionError, match=r"api.yaml is not JSON. To read YAML: pip install pyyaml. Or save it"):
        read(file)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"openapi": "3.1.0"', "is no JSON"),
        ("[]", "is no OpenAPI document"),
        ("{}", "is no OpenAPI document"),
        ('{"swagger": "2.0", "paths": {}}', "is written in OpenAPI 2.0; 3.0 and 3.1 are understood"),
        ('{"openapi": "3.1.0"}', "has no paths"),
        ("a: [", "is neither JSON nor YAML"),
        ("!!python/object/apply:os.system ['true']", "is neither JSON nor YAML"),
    ],
)
def test_what_is_no_document(text: str, why: str, tmp_path: Path) -> None:
    file = tmp_path / "api"
    file.write_text(text)
    with pytest.raises(DefinitionError, match=why):
        read(file)
    with pytest.raises(DefinitionError, match="cannot be read: No such file"):
        read(tmp_path / "none.json")


def test_references_stay_within_the_document(tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text("{}")
    document = Document({**DOCUMENT, "a": {"$ref": "#/b"}, "b": {"c": 1}, "ring": {"$ref": "#/ring"}})
    assert document.resolved({"$ref": "#/a"}) == {"c": 1}
    for outside in (f"file://{secret}", str(secret), "secret.json", "http://127.0.0.1/a.json", "//host/a"):
        with pytest.raises(DefinitionError, match="outside of itself: nothing is fetched for it"):
            document.resolved({"$ref": outside})
    with pytest.raises(DefinitionError, match="which is not there"):
        document.resolved({"$ref": "#/nowhere"})
    with pytest.raises(DefinitionError, match="leads back to itself"):
        document.resolved({"$ref": "#/ring"})


def test_the_innermost_server_counts() -> None:
    level = {
        "servers": [
            {"url": "https://{region}.example/{v}/", "variables": {"region": {"default": "eu"}, "v": {"default": "v2"}}}
        ]
    }
    document = Document(DOCUMENT, "https://docs.example/files/openapi.json")
    assert document.server({}, level, {"servers": [{"url": "https://outer.example"}]}) == "https://eu.example/v2"
    assert document.server({"servers": [{"url": "/api"}]}) == "https://docs.example/api"
    assert document.server({"servers": [{"url": "../api"}]}) == "https://docs.example/api"
    assert document.server({}) == "https://docs.example"
    assert Document(DOCUMENT).server({"servers": [{"url": "/api"}]}) is None


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example",
        "file:///etc/passwd",
        "https://",
        "a.example",
        "https://a.example:port",
        "https://a.example/?a=b",
        "https://a.example/#a",
        "https://a.example/ b",
        "https://a.example\\@evil.example",
        "https://a.example/{id}",
        "https://user:key@a.example",
        "https://a.example/v1/../admin",
        "https://a.example/\r\nHost: evil.example",
    ],
)
def test_what_is_no_server(url: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        checked_base(url)
    assert "user:key" not in str(caught.value)


def test_origins() -> None:
    assert origin("https://A.example/x") == ("https", "a.example", 443)
    assert origin("http://[::1]:80/") == ("http", "::1", 80)
