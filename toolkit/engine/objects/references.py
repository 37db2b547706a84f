"""Things that requests name: found in the project of who asks, or refused."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from toolkit.engine.store import Row, Tx
from toolkit.errors import Refused

__all__ = ["below", "file", "is_expired", "live_store", "no_such_file", "vector_store"]


def file(tx: Tx, project: str, file_id: str, now: int, param: str) -> Row:
    """Read the row of a file. Raises Refused (404)."""
    row = tx.one("file.get", id=file_id, project=project, now=now)
    if row is None:
        raise no_such_file(file_id, param)
    return row


@contextmanager
def below(path: str) -> Generator[None]:
    """Say of what is refused inside that it stands below a path of the request: "messages[0]"."""
    try:
        yield
    except Refused as refused:
        if path and refused.param is not None:
            refused.param = f"{path}.{refused.param}"
        raise


def no_such_file(file_id: str, param: str) -> Refused:
    """Make the answer to a request that names a file nobody has."""
    return Refused(f"No such File object: {file_id}", status=404, param=param)


def vector_store(tx: Tx, project: str, store_id: str, param: str | None = None) -> Row:
    """Read the row of a vector store. Raises Refused (404)."""
    row = tx.one("vector_store.get", id=store_id, project=project)
    if row is None:
        raise Refused(f"Vector store with id '{store_id}' not found.", status=404, param=param)
    return row


def live_store(tx: Tx, project: str, store_id: str, now: int) -> Row:
    """Read the row of a vector store that can be used. Raises Refused: 404, or 400 for one whose time is up."""
    row = vector_store(tx, project, store_id)
    if is_expired(row, now):
        raise Refused(
            f"Vector store with id '{store_id}' has expired. Create a new one with the same files.",
            code="vector_store_expired",
        )
    return row


def is_expired(store: Row, now: int) -> bool:
    """Say whether the time of a vector store is up, by its row. From when it was emptied it stays so."""
    return bool(store["emptied"]) or (store["expires_at"] is not None and store["expires_at"] <= now)
