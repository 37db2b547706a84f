from __future__ import annotations

import pytest

from toolkit.engine.endpoint.address import base_of, is_here, moved_to, parts_of
from toolkit.errors import EngineError


@pytest.mark.parametrize("url", ["localhost:8000/v1", "ftp://host", "", "http://[::1", "http://", "http://host:port"])
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(EngineError, match="Write it like http://localhost:11434/v1"):
        parts_of(url)


def test_parts() -> None:
    parts = parts_of("https://name:secret@host:8000/v1?x=1")
    assert (parts.hostname, parts.port, parts.path, parts.query) == ("host", 8000, "/v1", "x=1")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://host:8000/v1", "http://host:8000/v1"),
        ("http://host/v1/chat/completions/", "http://host/v1"),
        ("https://name:secret@host/v1/?key=secret#secret", "https://host/v1"),
    ],
)
def test_what_is_shown(url: str, shown: str) -> None:
    assert base_of(url) == shown


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://new/v2/chat/completions", "https://new/v2"),
        ("/v2/chat/completions/", "http://host/v2"),
        ("", ""),
        ("http://[secret", ""),
    ],
)
def test_where_a_redirect_leads(location: str, shown: str) -> None:
    assert moved_to("http://host/v1/chat/completions", location) == shown


def test_this_machine() -> None:
    assert all(is_here(host) for host in ("localhost", "127.0.0.1", "127.9.9.9", "::1", "0.0.0.0"))
    assert not any(is_here(host) for host in ("host", "10.0.0.1", "::2", "localhost.example", ""))
