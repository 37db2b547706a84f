"""No key sees or changes anything of another project: every route, every place where something can be named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.contract import tenants
from tests.contract.doors import served
from tests.contract.tenants import MARK, NOT_OWNED, QUERIES, Tenant, Way, answered, named, rows, ways
from tests.engine.scripted import Scripted, ask
from toolkit.engine import Engine
from toolkit.engine.model import ModelCall
from toolkit.engine.objects.ids import new_id
from toolkit.engine.objects.paging import PageQuery
from toolkit.server.routes import ROUTES, Route, refuse_v1

ABOUT_A_RUN = ("tool_call_id", "part_ids")
"""Names of what is part of an object of the path: a wrong one is a mistake in the request (400)."""


@dataclass
class House:
    """A server on a file with three tenants: two have something of each kind, the third has nothing."""

    store: Path
    one: Tenant
    other: Tenant
    newcomer: Tenant


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    keys = {"key-one": "one", "key-other": "other", "key-new": "new"}
    store = tmp_path / "a.db"
    with ExitStack() as stack:
        model = Scripted(lambda _: ask(ModelCall(new_id("call"), "get_weather", "{}")))
        engine = stack.enter_context(Engine(f"sqlite:///{store}", model=model, api_keys=keys))
        address = stack.enter_context(served(engine.app))
        tenants = [
            Tenant(stack.enter_context(httpx2.Client(base_url=address, headers={"api-key": key}, timeout=30)))
            for key in keys
        ]
        tenants[0].settle()
        tenants[1].settle()
        yield House(store, *tenants)


def expected(way: Way, text: str) -> int | None:
    """Say how a request ends that names nothing; None when it need only end as one of another's does."""
    if way.route.answer is refuse_v1 or way.where.startswith("?") or '"unsupported_parameter"' in text:
        return None  # refused or answered whatever is named
    return 400 if way.where.endswith(ABOUT_A_RUN) else 404


def test_what_is_another_s_is_nothing(house: House) -> None:
    """The answer is that for an id which does not exist, to the letter; and nothing has happened."""
    before = rows(house.store)
    walked: Counter[str] = Counter()
    for way, twin, ids in ways(house.other, house.one):
        status, text, headers = answered(house.other, way, ids)
        assert (status, text, headers) == answered(house.other, twin, ids), str(way)
        assert status < 500
        assert expected(way, text) in (status, None), (str(way), text)
        assert named(text, house.one) == [], str(way)
        in_body = expected(way, text) is not None and not any(each in way.path for each in ids)
        assert not in_body or MARK in text, (str(way), text)  # it was this that was refused, and nothing else
        walked[way.route.operation] += 1
    assert rows(house.store) == before
    unwalked = {route.operation for route in ROUTES} - walked.keys()
    assert unwalked <= {"POST /assistants", "POST /threads", "POST /files", "POST /uploads", "DELETE /models/{model}"}


def test_lists_show_nothing_of_others(house: House) -> None:
    for route in lists():
        path = f"/v1/{route.path.format_map(house.newcomer.ids)}"
        assert house.newcomer.http.get(path, params={"limit": "100"}).json()["data"] == [], path
        shown = house.other.http.get(path, params={"limit": "100"}).text
        assert named(shown, house.other) != []
        assert named(shown, house.one) == []


def lists() -> list[Route]:
    return [
        route for route in ROUTES if route.method == "GET" and "{" not in route.path and route.path not in ("models",)
    ]


def test_a_repeated_key_of_another_repeats_nothing(house: House) -> None:
    """The very request, with the very Idempotency-Key, that another has had answered."""
    for number, route in enumerate(route for route in ROUTES if route.method == "POST"):
        if route.answer is refuse_v1:
            continue
        options: dict[str, Any] = dict(next(tenants.variants(route, house.one)))
        options["headers"] = {"idempotency-key": f"key-{number}"}
        path = f"/v1/{route.path.format_map(house.one.ids)}"
        first = house.one.http.post(path, **options)
        second = house.other.http.post(path, **options)
        assert first.status_code in (200, 400), first.text
        if "{" in route.path or "assistant_id" in options.get("json", {}):
            assert second.status_code == 404, (route.operation, second.text)
        else:
            assert first.status_code == second.status_code == 200, (first.text, second.text)
            assert first.json()["id"] != second.json()["id"]


def test_heads_tell_nothing(house: House) -> None:
    for way, _, _ in ways(house.other, house.one):
        if way.route.method == "GET" and not way.where.startswith("?") and way.route.answer is not refuse_v1:
            assert house.other.http.head(f"/v1/{way.path}").status_code == 404, str(way)


def test_nothing_is_answered_without_a_key(house: House) -> None:
    """Nor with a wrong one, whatever is asked: every route, a path that is none, a method that is none."""
    paths = [(route.method, f"/v1/{route.path.format_map({**house.one.ids, 'model': 'offline'})}") for route in ROUTES]
    paths += [
        ("GET", "/v1/nothing"),
        ("PUT", "/v1/threads"),
        ("OPTIONS", "/v1/threads"),
        ("GET", "/metrics"),
        ("GET", "/"),
    ]
    before = rows(house.store)
    with httpx2.Client(base_url=house.one.http.base_url) as http:
        for method, path in paths:
            for headers, code in (({}, None), ({"api-key": "key-on"}, "invalid_api_key")):
                said = http.request(method, path, headers=headers)
                assert (said.status_code, said.json()["error"]["code"]) == (401, code), (method, path)
                assert named(said.text, house.one) == []
    assert rows(house.store) == before


def test_every_query_is_known() -> None:
    """A new parameter of a list: does it name something? Then it belongs to QUERIES."""
    plain = {"limit", "order", "purpose", "filter"}
    found = set(PageQuery.model_fields).union(*(kind.model_fields for kind in subclasses(PageQuery)))
    assert found <= plain | set(QUERIES)


def subclasses(kind: type[PageQuery]) -> Iterator[type[PageQuery]]:
    for below in kind.__subclasses__():
        yield below
        yield from subclasses(below)


def test_the_walk_itself_finds_what_names_something() -> None:
    mine, other = Tenant(httpx2.Client()), Tenant(httpx2.Client())
    kinds = {param for route in ROUTES for param in tenants.params_of(route)} - NOT_OWNED
    for tenant in (mine, other):
        tenant.ids.update({kind: new_id(kind) for kind in {*kinds, "tool_call_id", "part_id", "free_thread_id"}})
        tenant.http.close()
    found = {str(way) for way, _, _ in ways(mine, other)}
    assert {
        "POST /threads/{thread_id}/runs by thread_id",
        "POST /threads/{thread_id}/runs by assistant_id",
        "POST /threads/{thread_id}/runs by additional_messages.attachments.file_id",
        "POST /threads/runs by thread.messages.content.image_file.file_id",
        "POST /threads/runs by thread.tool_resources.code_interpreter.file_ids",
        "POST /assistants by tool_resources.file_search.vector_store_ids",
        "POST /uploads/{upload_id}/complete by part_ids",
        "GET /threads/{thread_id}/runs/{run_id}/steps/{step_id} by thread_id, run_id",
        "GET /threads/{thread_id}/messages by ?run_id",
        "DELETE /files/{file_id} by file_id",
    } <= found
