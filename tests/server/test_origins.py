"""DNS rebinding and CORS: the rules by values, and what browsers would see of a server on a socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.raw import Raw, post, raw, request
from tests.engine.scripted import Scripted, answer
from toolkit.engine import Engine
from toolkit.errors import EngineError, Refused
from toolkit.server.origins import Origins

HERE = {"server": ("127.0.0.1", 8000)}


def refused(origins: Origins, scope: dict[str, Any] = HERE, **headers: str) -> str | None:
    try:
        origins.check(scope, {name.encode(): value.encode("latin-1") for name, value in headers.items()})
    except Refused as refused:
        assert refused.status == 403
        assert "--allow-host" in refused.message
        return refused.code
    return None


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8000", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:8000", "127.1.2.3", "[::1]", "[::1]:8000"],
)
def test_names_of_this_machine_are_let_in(host: str) -> None:
    assert refused(Origins(), host=host) is None
    assert refused(Origins(), {"server": ("::1", 8000)}, host=host) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example",
        "evil.example@localhost", "localhost@evil.example", "10.0.0.1", "[::2]", "[::1", "", " ", "localhost:x", "\xe9",
        "evil.example#localhost", "localhost/evil.example", "1127.0.0.1", "xlocalhost",
    ],
)  # fmt: skip
def test_other_names_are_refused(host: str) -> None:
    assert refused(Origins(), host=host) == "host_not_allowed"


def test_no_name_at_all_is_refused() -> None:
    assert refused(Origins()) == "host_not_allowed"


@pytest.mark.parametrize("origin", ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:5173"])
def test_pages_of_this_machine_are_let_in(origin: str) -> None:
    assert refused(Origins(), host="localhost", origin=origin) is None


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "", "http://localhost.evil.example", "file://localhost", "localhost", "http://"],
)
def test_pages_of_others_are_refused(origin: str) -> None:
    assert refused(Origins(), host="localhost", origin=origin) == "origin_not_allowed"
    assert refused(Origins(cors=["*"]), host="localhost", origin=origin) == "origin_not_allowed", "any is for keys"


def test_what_was_allowed_is_let_in() -> None:
    origins = Origins(["Box.local", "shop.example:8000"], ["https://App.example/"])
    for host in ("box.local", "BOX.local:8000", "shop.example"):
        assert refused(origins, host=host) is None
    for origin in ("http://box.local:8000", "https://app.example", "https://APP.example"):
        assert refused(origins, host="localhost", origin=origin) is None
    for origin in ("http://app.example", "https://app.example:444", "https://xapp.example"):
        assert refused(origins, host="localhost", origin=origin) == "origin_not_allowed"


def test_over_other_networks_the_right_names_are_not_known() -> None:
    for server in (("192.0.2.7", 8000), ("/run/toolkit.sock", None), None):
        assert refused(Origins(), {"server": server}, host="anything") is None
    assert refused(Origins(), {}, host="anything") is None


@pytest.mark.parametrize("host", ["", "*", "*.example", "a/b", "a b", "http://a"])
def test_names_that_are_none(host: str) -> None:
    with pytest.raises(EngineError, match="is not understood"):
        Origins([host])


@pytest.mark.parametrize("origin", ["", "app.example", "https://", "https://app.example/page", "null"])
def test_origins_that_are_none(origin: str) -> None:
    with pytest.raises(EngineError, match="is not understood"):
        Origins(cors=[origin])


APP = "https://app.example"


@pytest.fixture(scope="module")
def server() -> Iterator[Raw]:
    model = Scripted(lambda _: answer("Hi"))
    with (
        Engine("sqlite:///:memory:", model=model, api_keys={"secret": "p"}, cors_origins=[APP]) as engine,
        raw(engine.app) as server,
    ):
        yield server


def asks(path: str, **headers: str) -> bytes:
    return request("OPTIONS", path, Access_Control_Request_Method="POST", **headers)


def test_a_preflight_needs_no_key(server: Raw) -> None:
    wanted = "authorization,content-type,idempotency-key,openai-beta,x-stainless-lang"
    for path in ("/v1/threads", "/openai/threads/x/runs", "/v1/nothing"):
        said = server.ask(asks(path, Origin=APP, Access_Control_Request_Headers=wanted))
        assert (said.status, said.body) == (204, b"")
        assert said.headers["access-control-allow-origin"] == APP
        assert said.headers["access-control-allow-headers"] == wanted
        assert {"GET", "POST", "DELETE"} <= set(said.headers["access-control-allow-methods"].split(", "))
        assert "origin" in said.headers["vary"]
        assert "access-control-allow-credentials" not in said.headers


def test_preflights_of_others_and_plain_options_need_a_key(server: Raw) -> None:
    for sent in (asks("/v1/threads", Origin="https://evil.example"), request("OPTIONS", "/v1/threads", Origin=APP)):
        assert server.ask(sent).status == 401
    assert "access-control-allow-origin" not in server.ask(asks("/v1/threads", Origin="https://evil.example")).headers


def test_answers_errors_and_streams_can_be_read_by_the_page(server: Raw) -> None:
    key = {"Authorization": "Bearer secret", "Origin": APP}
    assistant = server.ask(post("/v1/assistants", {"model": "m"}, **key)).json["id"]
    answers = [
        server.ask(request("GET", "/v1/assistants", **key)),
        server.ask(request("GET", "/v1/assistants/asst_x", **key)),
        server.ask(request("GET", "/v1/nothing", **key)),
        server.ask(request("PUT", "/v1/assistants", **key)),
        server.ask(request("GET", "/v1/assistants", Origin=APP)),
        server.ask(post("/v1/threads/runs", {"assistant_id": assistant, "stream": True}, **key)),
    ]
    assert [each.status for each in answers] == [200, 404, 404, 405, 401, 200]
    assert b"event: done" in answers[-1].body
    for each in answers:
        assert each.headers["access-control-allow-origin"] == APP
        assert {"x-request-id", "openai-poll-after-ms", "retry-after"} <= set(
            each.headers["access-control-expose-headers"].split(", ")
        )
    other = server.ask(request("GET", "/v1/assistants", Authorization="Bearer secret", Origin="https://other.example"))
    assert (other.status, other.headers["vary"]) == (200, "origin, access-control-request-headers")
    assert "access-control-allow-origin" not in other.headers


def test_any_origin_with_a_key() -> None:
    with (
        Engine("sqlite:///:memory:", api_keys={"secret": "p"}, cors_origins=["*"]) as engine,
        raw(engine.app) as other,
    ):
        assert other.ask(asks("/v1/threads", Origin="https://a.example")).status == 204
        said = other.ask(request("GET", "/v1/models", Authorization="Bearer secret", Origin="https://a.example"))
        assert said.headers["access-control-allow-origin"] == "*"


def test_unless_asked_for_there_is_no_cors_and_strangers_are_refused() -> None:
    with Engine("sqlite:///:memory:") as engine, raw(engine.app) as other:
        good = other.ask(request("GET", "/v1/models", Origin="http://localhost:3000"))
        assert good.status == 200
        assert not [name for name in good.headers if name.lower().startswith(("access-control", "vary"))]
        rebound = request("GET", "/v1/models").replace(b"host: localhost", b"host: evil.example")
        for sent, code in (
            (rebound, "host_not_allowed"),
            (rebound.replace(b"/v1/models", b"/metrics"), "host_not_allowed"),
            (post("/v1/threads", {}, Origin="https://evil.example", Content_Type="text/plain"), "origin_not_allowed"),
            (asks("/v1/threads", Origin="https://evil.example"), "origin_not_allowed"),
        ):
            said = other.ask(sent)
            assert (said.status, said.json["error"]["code"]) == (403, code)
        assert other.ask(request("GET", "/v1/threads")).json["data"] == []
        assert other.ask(rebound.replace(b"/v1/models", b"/healthz")).status == 200, "which tells nothing"
