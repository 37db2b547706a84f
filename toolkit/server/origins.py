"""Which web pages may speak to the server, and under which names it may be addressed.

A page that somebody visits can send requests to this machine, and by rebinding its own name to 127.0.0.1 read the
answers too. Keys keep it out. Where there are none, the names do: browsers always tell the name they were given (Host)
and whose page it is that asks (Origin).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, MutableMapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from toolkit.errors import EngineError, Refused
from toolkit.server.wire import Headers

__all__ = ["Origins"]

_WRONG_HOST: Final = (
    "Without keys this server is for its own machine, and the request's Host is none of its names (localhost, "
    "127.0.0.1, [::1]). Use one of these; or make a key, or start the server with --allow-host NAME."
)
_WRONG_ORIGIN: Final = (
    "Without keys this server is for its own machine, and the request comes from a web page of another one. Make a "
    "key, or start the server with --cors-origin ORIGIN, or --allow-host NAME when the page is its own."
)

_LOOPBACK: Final = re.compile(r"localhost|127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3}", re.IGNORECASE)
_METHODS: Final = b"GET, POST, DELETE, OPTIONS"
_EXPOSED: Final = b"x-request-id, openai-poll-after-ms, retry-after, openai-processing-ms, openai-version"
_REMEMBERED_S: Final = b"600"


class Origins:
    """Knows the names and origins that were allowed: `hosts` such as `box.local`, `cors` such as `https://a.example`.

    `*` in `cors` is any origin, for servers with keys. Raises EngineError for what is no origin or name.
    """

    def __init__(self, hosts: Collection[str] = (), cors: Collection[str] = ()) -> None:
        self._hosts = {_host(host) for host in hosts}
        self._cors = {_origin(origin) for origin in cors}

    def check(self, scope: MutableMapping[str, Any], headers: Mapping[bytes, bytes]) -> None:
        """Refuse what a page of a stranger may have sent to this very machine. Raises Refused (403).

        For requests without a key only; over other networks it is not known which names are right.
        """
        server = scope.get("server")
        if server is None or not _LOOPBACK.fullmatch(str(server[0])):
            return
        if not self._is_ours(_hostname(f"//{_text(headers, b'host')}")):
            raise Refused(_WRONG_HOST, status=403, code="host_not_allowed")
        origin = headers.get(b"origin")
        if origin is not None and not self._may_ask(origin.decode("latin-1").lower()):
            raise Refused(_WRONG_ORIGIN, status=403, code="origin_not_allowed")

    def is_preflight(self, method: str, headers: Mapping[bytes, bytes]) -> bool:
        """Say whether a browser asks, without the page's key, what a page of an allowed origin may send."""
        return method == "OPTIONS" and b"access-control-request-method" in headers and self._known(headers)

    def told(self, method: str, headers: Mapping[bytes, bytes]) -> Headers:
        """Give the headers of every answer, by which a browser lets pages send requests and have their answers.

        They may send whatever headers they want to: their origin was allowed, and nothing here goes by cookies.
        """
        if not self._cors:
            return []
        told = [(b"vary", b"origin, access-control-request-headers")]
        if self._known(headers):
            told.append((b"access-control-allow-origin", b"*" if "*" in self._cors else headers[b"origin"]))
            told.append((b"access-control-expose-headers", _EXPOSED))
        if self.is_preflight(method, headers):
            told.append((b"access-control-allow-methods", _METHODS))
            told.append((b"access-control-max-age", _REMEMBERED_S))
            if wanted := headers.get(b"access-control-request-headers"):
                told.append((b"access-control-allow-headers", wanted))
        return told

    def _known(self, headers: Mapping[bytes, bytes]) -> bool:
        origin = _text(headers, b"origin")
        return origin != "" and ("*" in self._cors or origin in self._cors)

    def _may_ask(self, origin: str) -> bool:
        return origin in self._cors or (origin.startswith(("http://", "https://")) and self._is_ours(_hostname(origin)))

    def _is_ours(self, name: str) -> bool:
        return _LOOPBACK.fullmatch(name) is not None or name in self._hosts


def _text(headers: Mapping[bytes, bytes], name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1").strip().lower()


@lru_cache(256)
def _hostname(url: str) -> str:
    """Give the name in a URL, without port, brackets and what may stand before an @; empty when there is none."""
    try:
        parts = urlsplit(url)
        return "" if parts.path or parts.username is not None or (parts.port or 0) < 0 else parts.hostname or ""
    except ValueError:
        return ""


def _host(given: str) -> str:
    name = _hostname(f"//{given.strip().lower()}")
    if not name or re.search(r"[\s*]", name):
        raise EngineError(f"The host {given!r} is not understood. Write a name, such as box.local")
    return name


def _origin(given: str) -> str:
    origin = given.strip().lower().rstrip("/")
    if origin != "*" and not (re.match(r"[a-z][a-z0-9+.-]*://", origin) and _hostname(origin)):
        raise EngineError(f"The origin {given!r} is not understood. Write it like https://app.example, or *")
    return origin
