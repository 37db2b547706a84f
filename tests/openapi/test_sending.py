from __future__ import annotations

import gc
import logging

import httpx2
import pytest

from tests.openapi.conftest import Api
from toolkit import Image, ToolError
from toolkit.openapi.auth import Seal
from toolkit.openapi.building import Request
from toolkit.openapi.document import origin
from toolkit.openapi.sending import MOST_BYTES, Sender

SEAL = Seal(
    {"X-Key": "sesame-1"}, {"api_key": "sesame-2"}, {"session": "sesame-3"}, ("sesame-1", "sesame-2", "sesame-3")
)


def get(api: Api, path: str, seal: Seal | None = None, **headers: str) -> str | Image:
    sender = Sender([origin(api.url)], 5.0, None)
    return sender.send(Request("GET", f"{api.url}{path}", headers), seal or Seal())


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((200, {"content-type": "application/json"}, b'{"a": 1}'), '{"a": 1}'),
        ((200, {"content-type": "text/html; charset=latin-1"}, b"\xe9"), "é"),
        ((200, {"content-type": "text/plain; charset=klingon"}, b"a"), "a"),
        ((204, {}, b""), "Done (status 204, no content)."),
        ((201, {"content-type": "application/pdf"}, b"%PDF\0"), "[application/pdf, 5 bytes: cannot be shown as text]"),
        ((200, {"content-type": "image/png"}, b"\x89PNG\0"), Image(b"\x89PNG\0", "image/png")),
        ((200, {"content-type": "Image/SVG+xml; charset=utf-8"}, b"<svg/>"), "<svg/>"),
        ((200, {"content-type": "image/png"}, b""), "Done (status 200, no content)."),
        ((200, {}, b"text"), "text"),
        ((200, {}, b"\0\1"), "[bytes, 2 bytes: cannot be shown as text]"),
    ],
)
def test_what_the_model_is_told(api: Api, answer: tuple[int, dict[str, str], bytes], told: str | Image) -> None:
    api.answers["/v1/a"] = answer
    assert get(api, "/a") == told


def test_errors_are_told_in_short(api: Api) -> None:
    api.answers["/v1/a"] = (422, {"content-type": "application/json"}, b'{"detail": "no such pet"}')
    api.answers["/v1/b"] = (500, {"content-type": "text/plain"}, b"x" * 100_000)
    with pytest.raises(ToolError) as caught:
        get(api, "/a")
    assert str(caught.value) == 'The API answered with status 422. {"detail": "no such pet"}'
    with pytest.raises(ToolError) as caught:
        get(api, "/b")
    assert len(str(caught.value)) < 2100


def test_a_picture_that_is_too_large_is_named(api: Api) -> None:
    api.answers["/v1/a"] = (200, {"content-type": "image/png"}, b"\0" * (MOST_BYTES + 1))
    assert get(api, "/a") == f"[image/png, {MOST_BYTES + 1} bytes: cannot be shown as text]"


def test_an_answer_without_end_is_read_in_part(api: Api) -> None:
    api.answers["/v1/a"] = (200, {"content-type": "text/plain"}, b"x" * (MOST_BYTES + 100_000))
    assert get(api, "/a") == "x" * MOST_BYTES


def test_keys_go_out_and_never_come_back(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    api.answers["/v1/a"] = (200, {"content-type": "text/plain"}, b"you sent sesame-1, sesame-2, sesame-3")
    assert get(api, "/a?q=1", SEAL, Cookie="c=d") == "you sent ***, ***, ***"
    assert api.asked[0].path == "/v1/a?q=1&api_key=sesame-2"
    assert api.asked[0].headers["x-key"] == "sesame-1"
    assert api.asked[0].headers["cookie"] == "c=d; session=sesame-3"
    api.answers["/v1/a"] = (403, {}, b"sesame-1 may not")
    with pytest.raises(ToolError, match="403"):
        get(api, "/a", SEAL)
    assert "HTTP Request" in caplog.text
    assert "sesame" not in caplog.text


@pytest.mark.parametrize(
    "location",
    ["http://169.254.169.254/", "https://127.0.0.1:{port}/v1/b", "http://localhost:{port}/v1/b", "//evil.example/",
     "http://user:pw@127.0.0.1:{port}/v1/b", "gopher://a/", "http://127.0.0.1:{port}@evil.example/"],
)  # fmt: skip
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_leads_elsewhere(api: Api, location: str, status: int) -> None:
    api.answers["/v1/a"] = (status, {"location": location.format(port=api.port)}, b"")
    with pytest.raises(ToolError) as caught:
        get(api, "/a", SEAL)
    assert "sesame" not in str(caught.value)
    assert len(api.asked) == 1


def test_a_redirect_within_the_server_is_followed(api: Api) -> None:
    api.answers["/v1/a"] = (307, {"location": "/v1/b"}, b"")
    assert get(api, "/a", SEAL) == '{"path": "/v1/b?api_key=***"}'
    assert [asked.headers["x-key"] for asked in api.asked] == ["sesame-1", "sesame-1"]
    api.answers["/v1/c"] = (307, {"location": "/v1/c"}, b"")
    with pytest.raises(ToolError, match="again and again"):
        get(api, "/c")


def test_only_the_servers_allowed_are_reached(api: Api) -> None:
    sender = Sender([("https", "api.example", 443)], 5.0, None)
    for url in (api.url, f"http://api.example:{api.port}/", "https://api.example.evil.example/", "https://[::1]/"):
        with pytest.raises(ToolError, match="a server that is not allowed"):
            sender.send(Request("GET", url, {}), SEAL)
    assert api.asked == []


def test_no_cookie_is_kept(api: Api) -> None:
    api.answers["/v1/a"] = (200, {"set-cookie": "session=1"}, b"")
    sender = Sender([origin(api.url)], 5.0, None)
    for _ in range(2):
        sender.send(Request("GET", f"{api.url}/a", {}), Seal())
    assert "cookie" not in api.asked[1].headers


def test_what_does_not_answer(api: Api) -> None:
    with pytest.raises(ToolError, match=r"The API gave no answer within 0.2 s. The call may still have taken effect."):
        Sender([origin(api.url)], 0.2, None).send(Request("GET", f"{api.url}/slow", {}), SEAL)
    with pytest.raises(ToolError, match=r"The API cannot be reached, or broke off: ConnectError."):
        Sender([("http", "127.0.0.1", 9)], 1.0, None).send(Request("GET", "http://127.0.0.1:9/", {}), SEAL)


def test_connections_are_closed_with_the_toolset(api: Api) -> None:
    closed: list[bool] = []

    class Transport(httpx2.HTTPTransport):
        def close(self) -> None:
            closed.append(True)
            super().close()

    sender = Sender([origin(api.url)], 5.0, Transport())
    sender.send(Request("GET", f"{api.url}/a", {}), Seal())
    del sender
    gc.collect()
    assert closed == [True]
