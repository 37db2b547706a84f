"""Who asks, and for which project: the one place where that is decided."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from hashlib import sha256
from typing import Any

from toolkit.errors import Refused

__all__ = ["Door"]

_NO_KEY = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
    "(i.e. Authorization: Bearer YOUR_KEY), or in an api-key header."
)


class Door:
    """Knows the API keys, by their digests: looking one up takes the same time whatever was sent."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._projects = {sha256(key.encode()).digest(): project for key, project in keys.items()}

    def project(self, scope: MutableMapping[str, Any], headers: Mapping[bytes, bytes]) -> str:
        """Give the project a request is for. Raises Refused (401).

        A client in this process says its project beside the request, where nothing that comes over a socket can be.
        """
        inside: str | None = scope.get("toolkit.project")
        if inside is not None:
            return inside
        if not self._projects:
            return "default"
        key = _key(headers)
        if not key:
            raise Refused(_NO_KEY, status=401)
        project = self._projects.get(sha256(key).digest())
        if project is None:
            raise Refused("Incorrect API key provided.", status=401, code="invalid_api_key")
        return project


def _key(headers: Mapping[bytes, bytes]) -> bytes:
    """Read the key as OpenAI's clients send it, or Azure's."""
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"bearer" and token.strip():
        return token.strip()
    return headers.get(b"api-key", b"").strip()
