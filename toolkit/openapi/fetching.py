"""Fetch a document by its URL: once, in a bounded time and size, and from that place alone."""

from __future__ import annotations

import time
from typing import Final

import httpx2

from toolkit.errors import ServerUnavailable

__all__ = ["MOST_BYTES", "fetched"]

MOST_BYTES: Final = 20 * 2**20
"""What a document may hold; the largest known ones have 12 MB."""
SECONDS: Final = 20.0
MOST_REDIRECTS: Final = 3


def fetched(url: str) -> tuple[str, bytes, str]:
    """Fetch a document: the URL it came from, its text, its media type. Raises ServerUnavailable."""
    ends = time.monotonic() + SECONDS
    with httpx2.Client(follow_redirects=False, trust_env=False, timeout=SECONDS) as client:
        try:
            request = client.build_request("GET", url, headers={"accept": "application/json, application/yaml, */*"})
            for _ in range(MOST_REDIRECTS + 1):
                response = client.send(request, stream=True)
                try:
                    if response.next_request is None:
                        return str(request.url), _body(response, url, ends), response.headers.get("content-type", "")
                    if not _stays(request.url, response.next_request.url):
                        raise ServerUnavailable(
                            f"{_shown(url)} redirects to {_shown(str(response.next_request.url))}, another place: "
                            "give that URL if it is the right one"
                        )
                    request = response.next_request
                finally:
                    response.close()
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
            raise ServerUnavailable(f"{_shown(url)} cannot be fetched: {type(error).__name__}: {error}") from error
    raise ServerUnavailable(f"{_shown(url)} redirects more than {MOST_REDIRECTS} times")


def _body(response: httpx2.Response, url: str, ends: float) -> bytes:
    if not response.is_success:
        raise ServerUnavailable(f"{_shown(url)} cannot be fetched: status {response.status_code}")
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MOST_BYTES:
            raise ServerUnavailable(f"{_shown(url)} is larger than {MOST_BYTES} bytes: no OpenAPI document is")
        if time.monotonic() > ends:
            raise ServerUnavailable(f"{_shown(url)} was not there within {SECONDS:g} s")
    return bytes(body)


def _stays(here: httpx2.URL, there: httpx2.URL) -> bool:
    """Say whether a redirect leads to the same place, or to the same host with https in place of http."""
    if there.userinfo:
        return False
    if (here.scheme, here.host, here.port) == (there.scheme, there.host, there.port):
        return True
    upgrades = (here.scheme, there.scheme) == ("http", "https") and here.port is None and there.port is None
    return upgrades and here.host == there.host


def _shown(url: str) -> str:
    """Show a URL without a query, which may hold a key."""
    return url.partition("?")[0]
