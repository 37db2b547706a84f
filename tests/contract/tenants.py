"""Two tenants of one server: what each has, and every way in which a request can name something.

Nothing here is a list of the API: ways are found in the table of routes and in the models of their bodies, so that what
is added to the API is walked with it. What cannot be found out is asked for by a failing assertion.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, Final

import httpx2

from tests.contract.talk import TOOLS, until
from toolkit.engine.objects.ids import new_id
from toolkit.server.routes import ROUTES, Route

__all__ = ["MARK", "NOT_OWNED", "QUERIES", "Tenant", "Way", "answered", "body_of", "named", "rows", "ways"]

MARK: Final = "<the id>"
"""Where a body names what the walk is about."""

NOT_OWNED: Final = {"model"}
"""Parameters of paths that name nothing of a project."""

QUERIES: Final = ("after", "before", "run_id")
"""Parameters of queries that name something. (The others: see `test_every_query_is_known`.)"""

FORMS: Final[Mapping[str, Any]] = {
    "files": {"data": {"purpose": "assistants"}, "files": {"file": ("a.txt", b"content")}},
    "uploads/{upload_id}/parts": {"files": {"data": ("part", b"content")}},
}
"""What is sent where a form is taken, by path."""


@dataclass
class Tenant:
    """A client with a key of its own project, and the ids of one object of each kind."""

    http: httpx2.Client
    ids: dict[str, str] = field(default_factory=dict[str, str])

    def sent(self, method: str, path: str, **options: Any) -> Any:
        response = self.http.request(method, f"/v1/{path}", **options)
        assert response.status_code == 200, (method, path, response.text)
        return response.json()

    def settle(self) -> None:
        """Make one object of each kind; the run waits for outputs, the upload for its end."""
        ids = self.ids
        made = self.sent("POST", "files", **FORMS["files"])
        ids["file_id"] = made["id"]
        resources = {"code_interpreter": {"file_ids": [made["id"]]}}
        body: dict[str, Any] = {"model": "m", "tools": TOOLS, "tool_resources": resources}
        ids["assistant_id"] = self.sent("POST", "assistants", json=body)["id"]
        ids["thread_id"] = self.sent("POST", "threads", json={"tool_resources": resources})["id"]
        ids["deleted_id"] = self.sent("POST", "assistants", json={"model": "m"})["id"]
        self.sent("DELETE", f"assistants/{ids['deleted_id']}")  # which is a cursor still
        ids["free_thread_id"] = self.sent("POST", "threads", json={})["id"]
        thread = f"threads/{ids['thread_id']}"
        ids["message_id"] = self.sent("POST", f"{thread}/messages", json={"role": "user", "content": "secret"})["id"]
        ids["run_id"] = self.sent("POST", f"{thread}/runs", json={"assistant_id": ids["assistant_id"]})["id"]
        run = f"{thread}/runs/{ids['run_id']}"
        until(lambda: self.sent("GET", run)["status"] == "requires_action")
        ids["step_id"] = self.sent("GET", f"{run}/steps")["data"][0]["id"]
        calls = self.sent("GET", run)["required_action"]["submit_tool_outputs"]["tool_calls"]
        ids["tool_call_id"] = calls[0]["id"]
        upload = {"filename": "b.txt", "purpose": "assistants", "bytes": 7, "mime_type": "text/plain"}
        ids["upload_id"] = self.sent("POST", "uploads", json=upload)["id"]
        part = self.sent("POST", f"uploads/{ids['upload_id']}/parts", **FORMS["uploads/{upload_id}/parts"])
        ids["part_id"] = part["id"]
        store = self.sent("POST", "vector_stores", json={"name": "secret"})["id"]
        batch = self.sent("POST", f"vector_stores/{store}/file_batches", json={"file_ids": [ids["file_id"]]})["id"]
        ids["vector_store_id"], ids["batch_id"] = store, batch
        until(lambda: self.sent("GET", f"vector_stores/{store}")["status"] == "completed")


@dataclass(frozen=True)
class Way:
    """A request that names something: `names` is where, `path` and `options` hold the ids to ask with."""

    route: Route
    where: str
    path: str
    options: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.route.operation} by {self.where}"


def nobody(kind_id: str) -> str:
    """Make an id of the same kind that names nothing."""
    prefix = "file" if kind_id.startswith("file-") else kind_id.partition("_")[0]
    return new_id(prefix)


def ways(mine: Tenant, other: Tenant) -> Iterator[tuple[Way, Way, list[str]]]:
    """Give each way in which `mine` can name something of `other`, its twin that names nothing, and the ids named."""
    for route in ROUTES:
        yield from by_path(route, mine, other)
        yield from by_body(route, mine, other)
        yield from by_query(route, mine, other)


def by_path(route: Route, mine: Tenant, other: Tenant) -> Iterator[tuple[Way, Way, list[str]]]:
    params = [param for param in params_of(route) if param not in NOT_OWNED]
    for theirs in product((True, False), repeat=len(params)):
        if not any(theirs):
            continue
        foreign = {param: other.ids[param] for param, is_theirs in zip(params, theirs, strict=True) if is_theirs}
        none = {param: nobody(named) for param, named in foreign.items()}
        for variant in variants(route, mine):
            there, twin = ({**mine.ids, **named, "model": "offline"} for named in (foreign, none))
            where = ", ".join(foreign)
            yield (
                Way(route, where, route.path.format_map(there), variant),
                Way(route, where, route.path.format_map(twin), variant),
                [*foreign.values(), *none.values()],
            )


def by_body(route: Route, mine: Tenant, other: Tenant) -> Iterator[tuple[Way, Way, list[str]]]:
    if route.body is None:
        return
    schema = route.body.model_json_schema()
    for where, body in marked(schema, schema, mine):
        kind = kind_of(where.rpartition(".")[2])
        foreign = other.ids[kind]
        free = {} if "run_id" in params_of(route) else {"thread_id": mine.ids["free_thread_id"]}
        path, named = route.path.format_map({**mine.ids, **free}), (foreign, nobody(foreign))
        there, twin = (Way(route, where, path, {"json": filled(body, each)}) for each in named)
        yield there, twin, list(named)


def by_query(route: Route, mine: Tenant, other: Tenant) -> Iterator[tuple[Way, Way, list[str]]]:
    if route.method != "GET":
        return
    path = route.path.format_map({**mine.ids, "model": "offline"})
    for name in QUERIES:
        for foreign in other.ids.values():
            named = (foreign, nobody(foreign))
            there, twin = (Way(route, f"?{name}", path, {"params": {name: each}}) for each in named)
            yield there, twin, list(named)


def params_of(route: Route) -> list[str]:
    return [segment[1:-1] for segment in route.path.split("/") if segment.startswith("{")]


def variants(route: Route, mine: Tenant) -> Iterator[Mapping[str, Any]]:
    """Give what else makes a difference: streams, and the header by which reads are held."""
    if route.form:
        assert route.path in FORMS, f"say in FORMS what {route.operation} takes"
        yield FORMS[route.path]
    elif route.body is not None:
        body = body_of(route, mine)
        yield {"json": body}
        if "stream" in route.body.model_fields:
            yield {"json": {**body, "stream": True}}
    else:
        yield {}
        if route.method == "GET":
            yield {"headers": {"x-stainless-poll-helper": "true"}}


# Bodies, from their schema


def body_of(route: Route, mine: Tenant) -> dict[str, Any]:
    """Make a body with what is required, naming own things."""
    assert route.body is not None
    schema = route.body.model_json_schema()
    body: dict[str, Any] = sample(schema, schema, mine)
    return body


def is_name(property_: str) -> bool:
    return property_.endswith(("_id", "_ids"))


def kind_of(property_: str) -> str:
    return property_.removesuffix("s")


def resolved(schema: Any, root: Any) -> Any:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def choices(schema: Any) -> list[Any]:
    found: list[Any] = schema.get("anyOf") or schema.get("oneOf") or []
    return [each for each in found if each.get("type") != "null"]


def marked(schema: Any, root: Any, mine: Tenant, around: tuple[Any, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Give, for each place in a body that names something, its path and a body that has MARK there.

    `around` are the objects that it is in: one that can hold another of its kind is looked at once.
    """
    schema = resolved(schema, root)
    if schema in around:
        return
    around = (*around, schema)
    for choice in choices(schema):
        yield from marked(choice, root, mine, around)
    for name, below in schema.get("properties", {}).items():
        if is_name(name):
            value: Any = [MARK] if name.endswith("s") else MARK
            yield name, {**sample(schema, root, mine), name: value}
            continue
        for where, value in marked(below, root, mine, around):
            yield f"{name}.{where}", {**sample(schema, root, mine), name: value}
    if "items" in schema:
        for where, value in marked(schema["items"], root, mine, around):
            yield where, [value]


def sample(schema: Any, root: Any, mine: Tenant) -> Any:
    """Make the smallest value."""
    schema = resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if found := choices(schema):
        return sample(found[0], root, mine)
    if schema.get("type") == "object":
        below = schema.get("properties", {})
        return {
            name: own(name, mine) if is_name(name) else sample(below[name], root, mine)
            for name in schema.get("required", ())
        }
    if schema.get("type") == "array":
        return [sample(schema["items"], root, mine)] if schema.get("minItems") else []
    return {"string": "assistants", "integer": schema.get("minimum", 1), "boolean": False}[schema["type"]]


def own(name: str, mine: Tenant) -> Any:
    named = mine.ids[kind_of(name)]
    return [named] if name.endswith("s") else named


def filled(body: Any, named: str) -> Any:
    return json.loads(json.dumps(body).replace(MARK, named))


# What came of it


def answered(tenant: Tenant, way: Way, named: list[str]) -> tuple[int, str, set[str]]:
    """Ask, and give status, text and headers, with what was named written as MARK."""
    response = tenant.http.request(way.route.method, f"/v1/{way.path}", **way.options)
    text = response.text
    for each in named:
        text = text.replace(each, MARK)
    return response.status_code, text, set(response.headers)


def named(text: str, tenant: Tenant) -> list[str]:
    """List what of a tenant is named in a text."""
    return [each for each in tenant.ids.values() if each in text]


def rows(store: Path) -> dict[str, set[str]]:
    """Read everything that a store holds, but for who is at work on it and when keys were used."""
    with closing(sqlite3.connect(store)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: {repr(row) for row in connection.execute(f"SELECT * FROM {table}")}
            for table in tables
            if table not in ("worker", "sqlite_sequence")
        }
