"""Answers kept by Idempotency-Key: the same request sent again gets the same answer, and nothing happens twice.

A key counts for one project and one day. The answer is kept in the transaction that did the work, so there is no moment
in which the work is done and the key forgotten. (The header is no part of the Assistants API; it is used here as its
draft standard describes it, draft-ietf-httpapi-idempotency-key-header.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from toolkit.engine.store import Tx
from toolkit.errors import Refused

__all__ = ["KEPT_S", "Answer", "Key", "forget", "once", "recall"]

KEPT_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Key:
    """An Idempotency-Key, and the sha256 (hex) of the method, path and body it came with."""

    value: str
    request: str

    def of(self, *more: str) -> Key:
        """Give the key with a digest of more, for a request that is not read as a whole."""
        return Key(self.value, sha256("\0".join((self.request, *more)).encode()).hexdigest())


@dataclass(frozen=True, slots=True)
class Answer:
    """The JSON text to answer with, and whether it was given before."""

    text: str
    repeated: bool = False


def once(project: str, key: Key | None, now: int, work: Callable[[Tx], str]) -> Callable[[Tx], Answer]:
    """Wrap `work` so that it is done once for a key. Raises Refused when the key came with another request before."""

    def guarded(tx: Tx) -> Answer:
        if key is None:
            return Answer(work(tx))
        kept = recall(tx, project, key, now)
        if kept is not None:
            return Answer(kept, repeated=True)
        text = work(tx)
        tx.run("kept.put", project=project, key=key.value, request=key.request, created_at=now, answer=text)
        return Answer(text)

    return guarded


def recall(tx: Tx, project: str, key: Key | None, now: int) -> str | None:
    """Read the answer that was given for a key; None when there is none. Raises Refused as `once` does."""
    row = None if key is None else tx.one("kept.get", project=project, key=key.value, since=now - KEPT_S)
    if key is None or row is None:
        return None
    if row["request"] != key.request:
        raise Refused(
            "This Idempotency-Key was used with another request. Use a new key for each new request.",
            code="idempotency_key_reused",
        )
    answer: str = row["answer"]
    return answer


def forget(tx: Tx, now: int, *, limit: int) -> int:
    """Forget answers whose day is over, `limit` at most; how many."""
    return tx.run("kept.forget", before=now - KEPT_S, limit=limit)
