from __future__ import annotations

from typing import Any

import pytest

from toolkit.errors import Refused
from toolkit.server.auth import Door

KEYS = {"key-of-a": "a", "key-of-b": "b", "älso": "b"}


@pytest.mark.parametrize(
    ("headers", "project"),
    [
        ({b"authorization": b"Bearer key-of-a"}, "a"),
        ({b"authorization": b"bearer  key-of-b "}, "b"),
        ({b"api-key": b"key-of-b"}, "b"),
        ({b"authorization": "Bearer älso".encode()}, "b"),
        ({b"authorization": b"Basic xyz", b"api-key": b"key-of-a"}, "a"),
        ({b"authorization": b"Bearer key-of-a", b"openai-organization": b""}, "a"),
    ],
)
def test_a_key_leads_to_its_project(headers: dict[bytes, bytes], project: str) -> None:
    assert Door(KEYS).project({}, headers) == project


@pytest.mark.parametrize(
    "headers",
    [
        {b"authorization": b"Bearer key-of-c"},
        {b"authorization": b"Bearer key-of"},
        {b"api-key": b"KEY-OF-A"},
        {b"authorization": b"Bearer \xff\x00"},
    ],
)
def test_a_wrong_key_is_refused_and_not_repeated(headers: dict[bytes, bytes]) -> None:
    with pytest.raises(Refused) as caught:
        Door(KEYS).project({}, headers)
    assert (caught.value.status, caught.value.code) == (401, "invalid_api_key")
    assert "KEY" not in caught.value.message.replace("API key", "")
    assert "key-of" not in caught.value.message


@pytest.mark.parametrize("headers", [{}, {b"authorization": b"Bearer "}, {b"authorization": b"key-of-a"}])
def test_no_key_is_said_to_be_missing(headers: dict[bytes, bytes]) -> None:
    with pytest.raises(Refused, match="You didn't provide an API key") as caught:
        Door(KEYS).project({}, headers)
    assert caught.value.status == 401


def test_without_keys_everybody_is_let_in() -> None:
    for headers in ({}, {b"authorization": b"Bearer anything"}):
        assert Door({}).project({}, headers) == "default"


def test_a_client_in_this_process_says_its_project_beside_the_request() -> None:
    scope: dict[str, Any] = {"toolkit.project": "mine"}
    assert Door(KEYS).project(scope, {}) == "mine"
    with pytest.raises(Refused):
        Door(KEYS).project({}, {b"toolkit.project": b"mine"})
