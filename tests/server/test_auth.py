from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import pytest

from toolkit.engine import Engine
from toolkit.engine.objects import keys
from toolkit.engine.objects.keys import digest_of
from toolkit.engine.store.address import parse
from toolkit.engine.store.sqlite import SQLite
from toolkit.errors import Refused
from toolkit.server.auth import Door
from toolkit.server.keyring import KeyRing
from toolkit.server.origins import Origins

T = TypeVar("T")
KEYS = {"key-of-a": "a", "key-of-b": "b", "älso": "b"}


def at_door(given: Mapping[str, str], work: Callable[[Door, SQLite], Awaitable[T]]) -> T:
    """Work with a door between given keys and a new store."""

    async def main() -> T:
        store = SQLite(parse("sqlite:///:memory:"))
        digests = {digest_of(key.encode()): project for key, project in given.items()}
        try:
            return await work(Door(digests, KeyRing(store), Origins()), store)
        finally:
            await store.aclose()

    return asyncio.run(main())


def project(given: Mapping[str, str], headers: dict[bytes, bytes], scope: dict[str, Any] | None = None) -> str:
    return at_door(given, lambda door, _: door.project(scope or {}, headers))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({b"authorization": b"Bearer key-of-a"}, "a"),
        ({b"authorization": b"bearer  key-of-b "}, "b"),
        ({b"api-key": b"key-of-b"}, "b"),
        ({b"authorization": "Bearer älso".encode()}, "b"),
        ({b"authorization": b"Basic xyz", b"api-key": b"key-of-a"}, "a"),
        ({b"authorization": b"Bearer key-of-a", b"openai-organization": b""}, "a"),
    ],
)
def test_a_key_leads_to_its_project(headers: dict[bytes, bytes], expected: str) -> None:
    assert project(KEYS, headers) == expected


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
        project(KEYS, headers)
    assert (caught.value.status, caught.value.code) == (401, "invalid_api_key")
    assert "KEY" not in caught.value.message.replace("API key", "")
    assert "key-of" not in caught.value.message


@pytest.mark.parametrize("headers", [{}, {b"authorization": b"Bearer "}, {b"authorization": b"key-of-a"}])
def test_no_key_is_said_to_be_missing(headers: dict[bytes, bytes]) -> None:
    with pytest.raises(Refused, match="You didn't provide an API key") as caught:
        project(KEYS, headers)
    assert caught.value.status == 401


def test_without_keys_everybody_is_let_in() -> None:
    for headers in ({}, {b"authorization": b"Bearer anything"}):
        assert project({}, headers) == "default"


def test_a_client_in_this_process_says_its_project_beside_the_request() -> None:
    assert project(KEYS, {}, {"toolkit.project": "mine"}) == "mine"
    with pytest.raises(Refused):
        project(KEYS, {b"toolkit.project": b"mine"})


def test_keys_of_the_store_count_beside_those_given() -> None:
    async def work(door: Door, store: SQLite) -> tuple[str, str]:
        _, text = await store.write(lambda tx: keys.create(tx, "shop", "", 1000))
        first = await door.project({}, {b"authorization": f"Bearer {text}".encode()})
        return first, await door.project({}, {b"api-key": b"key-of-a"})

    assert at_door(KEYS, work) == ("shop", "a")


@pytest.mark.parametrize("revoked", [False, True], ids=["a key", "a key that is revoked"])
def test_a_store_that_ever_had_a_key_is_closed(revoked: bool) -> None:
    async def work(door: Door, store: SQLite) -> None:
        key, text = await store.write(lambda tx: keys.create(tx, "shop", "", 1000))
        if revoked:
            await store.write(lambda tx: keys.revoke(tx, key.id, 1001))
            with pytest.raises(Refused, match="Incorrect API key provided"):
                await door.project({}, {b"api-key": text.encode()})
        with pytest.raises(Refused, match="You didn't provide an API key"):
            await door.project({}, {})

    at_door({}, work)


def test_what_the_engine_keeps_of_a_key_does_not_show_it() -> None:
    with Engine("sqlite:///:memory:", api_keys=KEYS) as engine:
        app: Any = engine.app
        kept = "".join(repr(vars(each)) for each in (engine, app, app._app, app._app._door))
    assert repr(digest_of(b"key-of-a")) in kept, "this is where it would be"
    assert not [key for key in KEYS if key in kept]


def test_without_keys_strangers_are_kept_out() -> None:
    scope = {"server": ("127.0.0.1", 8000)}
    assert project({}, {b"host": b"localhost:8000"}, scope) == "default"
    for headers in ({b"host": b"evil.example"}, {b"host": b"localhost", b"origin": b"https://evil.example"}):
        with pytest.raises(Refused) as caught:
            project({}, headers, scope)
        assert caught.value.status == 403
        assert project(KEYS, {**headers, b"api-key": b"key-of-a"}, scope) == "a"
        assert project({}, headers, {**scope, "toolkit.project": "mine"}) == "mine"
