from __future__ import annotations

import gzip

import pytest

from tests.openapi.conftest import Api
from toolkit import ServerUnavailable
from toolkit.openapi import fetching
from toolkit.openapi.fetching import fetched


def test_a_redirect_within_the_place_is_followed(api: Api) -> None:
    api.answers["/v1/old"] = (307, {"location": "/v1/new"}, b"")
    assert fetched(f"{api.url}/old") == (f"{api.url}/new", b'{"path": "/v1/new"}', "application/json")


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest",
        "http://localhost:{port}/v1",
        "//evil.example/a",
        "http://user:pw@127.0.0.1:{port}/",
        "ftp://a",
    ],
)
def test_a_redirect_to_elsewhere_is_not(api: Api, location: str) -> None:
    api.answers["/v1/openapi.json"] = (302, {"location": location.format(port=api.port)}, b"")
    with pytest.raises(ServerUnavailable):
        fetched(f"{api.url}/openapi.json?token=secret")
    assert len(api.asked) == 1


def test_nor_round_and_round(api: Api) -> None:
    api.answers["/v1/a"] = (302, {"location": "/v1/a"}, b"")
    with pytest.raises(ServerUnavailable, match="redirects more than 3 times"):
        fetched(f"{api.url}/a")


def test_what_does_not_answer(api: Api) -> None:
    api.answers["/v1/none"] = (404, {}, b"")
    with pytest.raises(ServerUnavailable, match=r"/v1/none cannot be fetched: status 404$"):
        fetched(f"{api.url}/none?key=secret")
    with pytest.raises(ServerUnavailable, match=r"http://127.0.0.1:9/a cannot be fetched: ConnectError"):
        fetched("http://127.0.0.1:9/a")
    with pytest.raises(ServerUnavailable, match="cannot be fetched"):
        fetched("http://[a/")


def test_size_is_bounded_unpacked_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MOST_BYTES", 1000)
    api.answers["/v1/large"] = (200, {}, b" " * 1001)
    api.answers["/v1/packed"] = (200, {"content-encoding": "gzip"}, gzip.compress(b" " * 100_000))
    for path in ("large", "packed"):
        with pytest.raises(ServerUnavailable, match="is larger than 1000 bytes"):
            fetched(f"{api.url}/{path}")


def test_time_is_bounded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SECONDS", 0.2)
    with pytest.raises(ServerUnavailable, match="ReadTimeout"):
        fetched(f"{api.url}/slow")
