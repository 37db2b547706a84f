"""Who asks, and for which project: the one place where that is decided."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from toolkit.engine.objects.keys import digest_of
from toolkit.errors import Refused
from toolkit.server.keyring import KeyRing
from toolkit.server.origins import Origins

__all__ = ["Door"]

_NO_KEY = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
    "(i.e. Authorization: Bearer YOUR_KEY), or in an api-key header."
)


class Door:
    """Knows the API keys by their digests: looking one up takes the same time whatever was sent.

    `given` are those the engine was given, digest -> project; the store's `ring` has the others. As long as neither has
    ever had one, everybody is let in whom `origins` does not know for a stranger.
    """

    def __init__(self, given: Mapping[bytes, str], ring: KeyRing, origins: Origins) -> None:
        self._given, self._ring, self._origins = given, ring, origins

    async def project(self, scope: MutableMapping[str, Any], headers: Mapping[bytes, bytes]) -> str:
        """Give the project a request is for. Raises Refused (401, 403), StoreUnavailable.

        A client in this process says its project beside the request, where nothing that comes over a socket can be.
        """
        inside: str | None = scope.get("toolkit.project")
        if inside is not None:
            return inside
        ring = await self._ring.current()
        if not self._given and not ring.made:
            self._origins.check(scope, headers)
            return "default"
        key = _key(headers)
        if not key:
            raise Refused(_NO_KEY, status=401)
        digest = digest_of(key)
        project = self._given.get(digest) or await self._ring.project(ring, digest)
        if project is None:
            raise Refused("Incorrect API key provided.", status=401, code="invalid_api_key")
        return project


def _key(headers: Mapping[bytes, bytes]) -> bytes:
    """Read the key as OpenAI's clients send it, or Azure's."""
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"bearer" and token.strip():
        return token.strip()
    return headers.get(b"api-key", b"").strip()
