"""API keys: each of a project, shown once when it is made, kept as a digest.

A plain sha256 is enough: a key is 32 random bytes, so there is nothing to guess, and a slow hash, which makes guessing
passwords dear, would make each request dear instead.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from toolkit.engine.objects.ids import new_id
from toolkit.engine.store import Row, Tx

__all__ = ["DAY_S", "PROJECT", "ApiKey", "Live", "Ring", "all_", "create", "digest_of", "look", "revoke", "used"]

DAY_S: Final = 24 * 3600

PROJECT: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
"""What a project may be called."""

_PREFIX: Final = "sk-toolkit-"
_SHOWN: Final = 4
"""How many of its last characters are kept, to tell a key by: of 256 bits they give away 24."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key. Times are Unix seconds."""

    id: str
    project: str
    name: str
    ending: str
    created_at: int
    last_used_at: int
    """The midnight (UTC) before; 0 is never."""
    revoked_at: int | None


@dataclass(frozen=True, slots=True)
class Live:
    """What a server has to know of a key that is not revoked."""

    id: str
    project: str
    last_used_at: int


@dataclass(frozen=True, slots=True)
class Ring:
    """All keys of a store, as they were at one moment."""

    made: int
    revoked: int
    live: Mapping[bytes, Live]
    """Digest -> key."""


def digest_of(key: bytes) -> bytes:
    """Give what a key is known by."""
    return sha256(key).digest()


def create(tx: Tx, project: str, name: str, now: int) -> tuple[ApiKey, str]:
    """Make a key; the text is the key itself, which cannot be had a second time."""
    text = _PREFIX + secrets.token_urlsafe(32)
    key_id = new_id("key")
    digest, ending = digest_of(text.encode()), text[-_SHOWN:]
    tx.run("key.insert", id=key_id, project=project, label=name, digest=digest, ending=ending, created_at=now)
    return ApiKey(key_id, project, name, ending, now, 0, None), text


def all_(tx: Tx) -> Sequence[ApiKey]:
    """List the keys of all projects, the revoked ones too, oldest first."""
    return [_key_of(row) for row in tx.all("key.all")]


def revoke(tx: Tx, key_id: str, now: int) -> ApiKey | None:
    """Let a key open nothing any more; the key as it was before, None when there is none of that id."""
    row = tx.one("key.get", id=key_id)
    if row is None:
        return None
    tx.run("key.revoke", id=key_id, now=now)
    return _key_of(row)


def look(tx: Tx, seen: Ring | None) -> Ring:
    """Read the keys, or give back what was `seen` when nothing has changed since."""
    counts = tx.one("key.counts") or {}
    made, revoked = counts["made"], counts["revoked"]
    if seen is not None and (seen.made, seen.revoked) == (made, revoked):
        return seen
    live = {row["digest"]: Live(row["id"], row["project"], row["last_used_at"]) for row in tx.all("key.live")}
    return Ring(made, revoked, live)


def used(tx: Tx, key_id: str, now: float) -> None:
    """Note the day on which a key was used."""
    tx.run("key.used", id=key_id, day=int(now) // DAY_S * DAY_S)


def _key_of(row: Row) -> ApiKey:
    return ApiKey(**{field: row[field] for field in ApiKey.__dataclass_fields__})
