"""A file that was processed before, in whatever vector store of its project, is not read and embedded again.

Its twin has the same bytes and the same name, and was cut in the same way; its chunks are copied with their words and
their vectors. A twin that goes away meanwhile leaves the copy unfinished, and the file is processed as any other.
"""

from __future__ import annotations

from typing import Final

from toolkit.engine.objects import store_files
from toolkit.engine.search.words import named
from toolkit.engine.store import Row, Tx

__all__ = ["copy_chunks", "copy_vectors", "twin"]

_AT_ONCE: Final = 8
"""How many chunks are copied in one transaction."""


def twin(tx: Tx, file: Row) -> Row | None:
    """Find a file of a vector store that has the chunks which another one is to get."""
    return tx.one("store_file.twin", id=file["id"], project=file["project"], chunking=file["chunking"])


def copy_chunks(tx: Tx, file: Row, from_: Row, after: int, owner: str) -> int | None:
    """Copy some chunks, those that begin after a place; where the last of them begins, `after` when there are no more.

    None when the twin is gone, or the file is not the worker's any more.
    """
    store = _place(tx, file, from_, owner)
    if store is None:
        return None
    rows = tx.all("chunk.whole", store_file=from_["seq"], after=after, limit=_AT_ONCE)
    for row in rows:
        chunk = {name: row[name] for name in ("start", "text", "place")}
        inserted = tx.one("chunk.insert", store_file=file["seq"], **chunk)
        assert inserted is not None
        tx.run("chunk.insert_words", seq=inserted["seq"], store=named(store), words=row["words"])
        after = row["start"]
    store_files.cut(tx, file, len(rows))
    return after


def copy_vectors(tx: Tx, file: Row, from_: Row, after: int, owner: str) -> int | None:
    """Copy the vectors of some chunks, as `copy_chunks` does."""
    store, about = _place(tx, file, from_, owner), {"embedder": from_["embedder"]}
    if store is None:
        return None
    block = tx.one("vector_block.next", store_file=from_["seq"], after=after, **about)
    if block is None:
        return after
    to = block["last_start"]
    rows = tx.all("chunk.between", store_file=file["seq"], after=after, to=to)
    numbers = b"".join(row["seq"].to_bytes(8, "little") for row in rows)
    copied = {"store": store["seq"], "store_file": file["seq"], "last_start": to, "chunks": numbers}
    tx.run("vector_block.insert", **about, **copied, vectors=block["vectors"])
    return int(to)


def _place(tx: Tx, file: Row, from_: Row, owner: str) -> Row | None:
    """Give the store that a file is in; None when it is not the worker's any more, or its twin is not whole."""
    if tx.one("store_file.held", seq=file["seq"], owner=owner) is None:
        return None
    if tx.one("store_file.intact", seq=from_["seq"], embedder=from_["embedder"]) is None:
        return None
    return tx.one("vector_store.number", id=file["store"])
