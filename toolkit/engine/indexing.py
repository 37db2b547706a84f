"""Files of vector stores are processed here, after the request that added them: read, cut, indexed.

A file that waits is only a row, which a worker claims. Its chunks are written a few at a time, so that requests get
their turn in between, and none of them counts before the last transaction, which says that the file is completed. A
worker that dies leaves its files to the others; whoever takes one begins it anew.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from toolkit.engine import workers
from toolkit.engine.filing import Filing
from toolkit.engine.objects import store_files, vector_stores
from toolkit.engine.objects.store_files import Failure
from toolkit.engine.search import chunking
from toolkit.engine.search.chunking import Chunk
from toolkit.engine.search.reading import MOST_BYTES, MOST_TOKENS, Unreadable, text_of
from toolkit.engine.search.words import indexed, named
from toolkit.engine.store import Row, Store, Tx
from toolkit.errors import StoreUnavailable

__all__ = ["Indexing", "is_needed"]

_log = logging.getLogger("toolkit.engine")

_AT_ONCE: Final = 16
"""How many files are claimed at a time."""
_WRITTEN_BYTES: Final = 2**18
"""How many bytes of chunks go into one transaction."""
_REMOVED: Final = 500
"""How many chunks are removed in one."""
_AGAIN_S: Final = 1.0


class Indexing:
    """Processes the files of one store: `stand` does, as often as `wake` says that there may be something to do."""

    def __init__(self, store: Store, filing: Filing) -> None:
        self._store, self._filing = store, filing
        self._worker = ""
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Say that there may be something to do."""
        self._news.set()

    async def stand(self, worker: str) -> None:
        """Process what waits, in a worker's name, until cancelled. A store in trouble is waited for."""
        self._worker = worker
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                while await self._do_some():
                    pass
            except StoreUnavailable:  # logged by the store
                await self._try_again()
            except Exception:
                _log.exception("processing files of vector stores failed, and is tried again")
                await self._try_again()

    async def sweep(self, now: int) -> None:
        """Give up the chunks of vector stores whose time is up."""
        while await self._store.write(lambda tx: vector_stores.empty_expired(tx, now, limit=_AT_ONCE)) == _AT_ONCE:
            pass
        self.wake()

    async def _try_again(self) -> None:
        await asyncio.sleep(_AGAIN_S)
        self.wake()

    async def _do_some(self) -> bool:
        """Process some files, or remove some chunks that nobody needs; whether there may be more to do."""
        if not await self._store.read(is_needed):
            return False
        files = await self._store.write(self._claim)
        for file in files:
            await self._process(file)
        return bool(files) or await self._store.write(_remove_some)

    def _claim(self, tx: Tx) -> Sequence[Row]:
        workers.beat(tx, self._worker)
        return sorted(
            map(dict, tx.all("store_file.claim", owner=self._worker, limit=_AT_ONCE)), key=lambda row: row["seq"]
        )

    async def _process(self, file: Row) -> None:
        while (
            await self._store.write(lambda tx: _remove_of(tx, file["seq"])) == _REMOVED
        ):  # of a worker that died at it
            pass
        try:
            await self._index(file)
        except StoreUnavailable:
            raise
        except Unreadable as error:
            await self._fail(file, Failure(error.code, str(error)))
        except Exception:
            _log.exception("file %s of vector store %s could not be processed", file["id"], file["store"])
            await self._fail(file, Failure("server_error", "Something went wrong while the file was processed."))

    async def _fail(self, file: Row, failure: Failure) -> None:
        def work(tx: Tx) -> None:
            if store_files.move(tx, file, "fail", owner=self._worker, failure=failure):
                tx.run("chunk.give_up", store_file=file["seq"])

        await self._store.write(work)

    async def _index(self, file: Row) -> None:
        """Write the chunks of a file, some at a time. Raises Unreadable."""
        pieces = await asyncio.to_thread(_cut, await self._read(file), json.loads(file["chunking"])["static"])
        total, more = 0, True
        while more:
            some = await asyncio.to_thread(_some, pieces)
            more, total = bool(some), total + sum(piece.size for piece in some)
            if not await self._store.write(partial(self._write, file, some, None if more else total)):
                return  # it was cancelled or removed meanwhile, or is somebody else's

    async def _read(self, file: Row) -> bytes:
        data = await self._filing.read(file["project"], file["id"], MOST_BYTES, int(time.time()))
        if data is None:
            raise Unreadable("invalid_file", f"The file has more than {MOST_TOKENS:,} tokens.")
        return data

    def _write(self, file: Row, pieces: Sequence[_Piece], total: int | None, tx: Tx) -> bool:
        """Add chunks to a file, or, with the bytes of all of them, complete it; False when it is not ours any more."""
        if total is not None:
            return store_files.move(tx, file, "complete", owner=self._worker, usage_bytes=total)
        if tx.one("store_file.held", seq=file["seq"], owner=self._worker) is None:
            return False
        store = tx.one("vector_store.number", id=file["store"])
        assert store is not None  # its files would have gone with it
        for piece in pieces:
            inserted = tx.one("chunk.insert", store_file=file["seq"], start=piece.chunk.start, text=piece.chunk.text)
            assert inserted is not None
            tx.run("chunk.insert_words", seq=inserted["seq"], store=named(store), words=piece.words)
        return True


@dataclass(frozen=True, slots=True)
class _Piece:
    """A chunk, ready to be written."""

    chunk: Chunk
    words: str
    size: int
    """Bytes of its text."""


def is_needed(tx: Tx) -> bool:
    """Say whether there is something to do: files that wait, or chunks that nobody needs."""
    return tx.one("store_file.waiting") is not None or tx.one("chunk.given_up") is not None


def _cut(data: bytes, static: Mapping[str, int]) -> Iterator[_Piece]:
    """Read a file and begin to cut it. Raises Unreadable."""
    text = text_of(data)
    if chunking.tokens(text) > MOST_TOKENS:
        raise Unreadable("invalid_file", f"The file has more than {MOST_TOKENS:,} tokens.")
    cut = chunking.chunks(text, static["max_chunk_size_tokens"], static["chunk_overlap_tokens"])
    return (_Piece(chunk, indexed(chunk.text), len(chunk.text.encode())) for chunk in cut)


def _some(pieces: Iterator[_Piece]) -> list[_Piece]:
    """Take the next pieces that go into one transaction; none at the end."""
    taken: list[_Piece] = []
    for piece in pieces:
        taken.append(piece)
        if sum(each.size for each in taken) >= _WRITTEN_BYTES:
            break
    return taken


def _remove_some(tx: Tx) -> bool:
    """Remove chunks that nobody needs, a few; whether there may be more."""
    row = tx.one("chunk.given_up")
    if row is None:
        return False
    if _remove_of(tx, row["store_file"]) < _REMOVED:
        tx.run("chunk.all_gone", store_file=row["store_file"])
    return True


def _remove_of(tx: Tx, store_file: int) -> int:
    rows = tx.all("chunk.some", store_file=store_file, limit=_REMOVED)
    for row in rows:
        tx.run("chunk.delete_words", seq=row["seq"])
        tx.run("chunk.delete", seq=row["seq"])
    return len(rows)
