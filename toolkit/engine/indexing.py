"""Files of vector stores are processed here, after the request that added them: read, cut, indexed.

A file that waits is only a row, which a worker claims; stores take turns, so that one of many files holds no other up.
The chunks of a file are written a few at a time, so that requests get their turn in between, and none of them counts
before the last transaction, which says that the file is completed. A worker that dies leaves its files to the others;
whoever takes one begins it anew.

With a model for it, chunks get vectors too, before their file is completed; files that lack some are claimed once more,
when no others wait.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from toolkit.engine import twins, workers
from toolkit.engine.filing import BytesMissing, Filing
from toolkit.engine.objects import files, store_files, vector_stores
from toolkit.engine.objects.store_files import Failure
from toolkit.engine.search import chunking, old_word
from toolkit.engine.search.chunking import Chunk
from toolkit.engine.search.isolated import Documents
from toolkit.engine.search.reading import (
    MOST_BYTES,
    MOST_DOCUMENT_BYTES,
    MOST_TOKENS,
    Text,
    Unreadable,
    is_document,
    text_of,
)
from toolkit.engine.search.words import indexed, named
from toolkit.engine.store import Row, Store, Tx
from toolkit.errors import Refused, StoreUnavailable

if TYPE_CHECKING:
    from toolkit.engine.embedding import Embedding

__all__ = ["Indexing", "is_needed"]

_log = logging.getLogger("toolkit.engine")

T = TypeVar("T")

_AT_ONCE: Final = 4
"""How many files are processed at a time: a small one is not to wait until a large one is done."""
_AT_ONCE_EMBEDDED: Final = 16
"""And how many where most of them wait for their vectors, which is no work of ours."""
_WRITTEN_BYTES: Final = 2**15
"""How many bytes of chunks go into one transaction."""
_REMOVED: Final = 20
"""How many chunks are removed in one."""
_REMOVED_BLOCKS: Final = 2
"""And how many blocks of vectors: of a file's, so that none are left when its chunks are gone."""
_EMPTIED: Final = 16
"""How many vector stores whose time is up are emptied in one."""
_BREATH_S: Final = 0.0002
"""How long cutting stops after each chunk."""
_BEFORE_ALL: Final = -1
_AGAIN_S: Final = 1.0
_TOO_LONG: Final = f"The file has more than {MOST_TOKENS:,} tokens."


class _Claimed(NamedTuple):
    """A file that this worker has; `begun` says whether chunks of it are there, from who had it before."""

    row: Row
    begun: bool


class Indexing:
    """Processes the files of one store: `stand` does, as often as `wake` says that there may be something to do."""

    def __init__(self, store: Store, filing: Filing, embedding: Embedding | None = None) -> None:
        self._store, self._filing, self._embedding = store, filing, embedding
        self._documents = Documents()
        self._worker = self._last_store = ""
        self._news = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._cutting = asyncio.Lock()
        """One thread cuts at a time: two would keep the loop waiting twice as long."""

    @property
    def busy(self) -> bool:
        """Whether files are being processed here."""
        return bool(self._under_way)

    def wake(self) -> None:
        """Say that there may be something to do."""
        self._news.set()

    async def stand(self, worker: str) -> None:
        """Process what waits, in a worker's name, until cancelled. A store in trouble is waited for."""
        self._worker = worker
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await self._news.wait()
                    self._news.clear()
                    await self._do_all(group)
        finally:
            await self._documents.aclose()

    async def _do_all(self, group: asyncio.TaskGroup) -> None:
        try:
            while await self._do_some(group):
                pass
        except StoreUnavailable:  # logged by the store
            await self._try_again()
        except Exception:
            _log.exception("processing files of vector stores failed, and is tried again")
            await self._try_again()

    async def sweep(self, now: int) -> None:
        """Empty the vector stores whose time is up."""
        while await self._store.write(lambda tx: vector_stores.empty_expired(tx, now, limit=_EMPTIED)) == _EMPTIED:
            pass
        self.wake()

    async def _try_again(self) -> None:
        await asyncio.sleep(_AGAIN_S)
        self.wake()

    async def _do_some(self, group: asyncio.TaskGroup) -> bool:
        """Begin with files that wait, and remove some chunks that nobody needs; whether there are more to remove."""
        at_once = _AT_ONCE if self._embedding is None else _AT_ONCE_EMBEDDED
        while len(self._under_way) < at_once and await self._store.read(self._files_wait):
            claimed = await self._store.write(self._claim)
            if claimed is None:
                break
            self._last_store = claimed.row["store"]
            work = self._embed(claimed.row) if claimed.row["status"] == "completed" else self._process(claimed)
            task = group.create_task(work, name=f"process {claimed.row['id']}")
            self._under_way.add(task)
            task.add_done_callback(self._done)
        return await self._store.read(_chunks_are_left) and await self._store.write(_remove_some)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self.wake()
        if self._embedding is not None and self._embedding.rests_s:
            asyncio.get_running_loop().call_later(self._embedding.rests_s, self.wake)

    def _files_wait(self, tx: Tx) -> bool:
        return _files_wait(tx) or self._unembedded(tx) is not None

    def _unembedded(self, tx: Tx) -> Row | None:
        """Find a file that lacks vectors, while there is a model that makes them."""
        if self._embedding is None or self._embedding.rests_s:
            return None
        return tx.one("store_file.unembedded", embedder=self._embedding.number_in(tx))

    def _claim(self, tx: Tx) -> _Claimed | None:
        """Take the file that waits longest in the store whose turn it is, or one that lacks vectors."""
        turn = tx.one("store_file.next", after=self._last_store) or tx.one("store_file.next", after="")
        turn = turn or self._unembedded(tx)
        row = None if turn is None else tx.one("store_file.claim", seq=turn["seq"], owner=self._worker)
        if row is None:
            return None
        workers.beat(tx, self._worker)
        return _Claimed(row, begun=bool(tx.all("chunk.some", store_file=row["seq"], limit=1)))

    async def _process(self, claimed: _Claimed) -> None:
        """Process a file, however long the store is in trouble."""
        file, begun = claimed
        while True:
            try:
                if begun:
                    await self._emptied(file)
                failure = await self._index(file)
                if failure is not None:
                    await self._surely(partial(self._fail, file, failure))
                return
            except StoreUnavailable:  # logged by the store
                begun = True
                await asyncio.sleep(_AGAIN_S)

    async def _index(self, file: Row) -> Failure | None:
        """Write the chunks of a file, some at a time; why that is not possible."""
        try:
            size = await self._copied(file)
            if size is None:
                text = await self._read(file)
                pieces = await self._cut(lambda: _pieces(text, json.loads(file["chunking"])["static"]))
                size = await self._write_all(file, pieces)
            if size is not None:
                embedder = await self._embedding.embed(file) if self._embedding is not None else None
                await self._surely(partial(self._complete, file, size, embedder))
        except Unreadable as error:
            return Failure(error.code, str(error))
        except Refused as refused:
            return Failure("invalid_file", refused.message)
        except BytesMissing:  # logged where they are missed
            return Failure("server_error", "The bytes of the file are not there.")
        except StoreUnavailable:
            raise
        except Exception:
            _log.exception("file %s of vector store %s could not be processed", file["id"], file["store"])
            return Failure("server_error", "Something went wrong while the file was processed.")
        return None

    async def _read(self, file: Row) -> Text:
        """Give the text of a file. Raises Unreadable."""
        data = await self._filing.read(file["project"], file["id"], MOST_DOCUMENT_BYTES, now=0)  # it goes with its row
        if data is None:  # it has too many bytes, or was imported without them
            await self._store.read(partial(files.stored, project=file["project"], file_id=file["id"], now=0))
            raise Unreadable("invalid_file", f"The file has more than {MOST_DOCUMENT_BYTES // 2**20} MiB.")
        if is_document(data):
            return await self._documents.read(data)
        if old_word.is_old_office(data):
            return await old_word.read(data)
        if len(data) > MOST_BYTES:
            raise Unreadable("invalid_file", _TOO_LONG)
        about = await self._store.read(lambda tx: tx.one("file.get", id=file["id"], project=file["project"], now=0))
        return await self._cut(lambda: text_of(data, about["filename"] if about is not None else ""))

    async def _surely(self, work: Callable[[Tx], T]) -> T:
        """Write what has come of a file, however long the store is in trouble; what was written already stays."""
        while True:
            try:
                return await self._store.write(work)
            except StoreUnavailable:  # logged by the store
                await asyncio.sleep(_AGAIN_S)

    async def _cut(self, work: Callable[[], T]) -> T:
        async with self._cutting:
            return await asyncio.to_thread(work)

    async def _copied(self, file: Row) -> int | None:
        """Copy the chunks of a file that was processed before; their bytes, or None when there is no such file."""
        twin = await self._store.read(partial(twins.twin, file=file))
        if twin is None:
            return None
        for copy in (twins.copy_chunks, twins.copy_vectors):
            before, after = None, _BEFORE_ALL
            while after != before:
                before = after
                copied = await self._store.write(partial(copy, file=file, from_=twin, after=after, owner=self._worker))
                if copied is None:  # it is gone meanwhile, or the file is
                    await self._emptied(file)
                    return None
                after = copied
        return int(twin["usage_bytes"])

    async def _emptied(self, file: Row) -> None:
        """Take all chunks of a file away, while it is ours: who has it now has written others."""
        while await self._store.write(partial(self._empty, file)) == _REMOVED:
            pass

    def _empty(self, file: Row, tx: Tx) -> int:
        if not self._holds(tx, file):
            return 0
        removed = _remove_of(tx, file["seq"], _REMOVED)
        store_files.cut(tx, file, -removed)
        return removed

    def _holds(self, tx: Tx, file: Row) -> bool:
        return tx.one("store_file.held", seq=file["seq"], owner=self._worker) is not None

    async def _write_all(self, file: Row, pieces: Iterator[_Piece]) -> int | None:
        """Write the chunks of a file; their bytes, or None when it is cancelled, removed or another worker's by now."""
        total, over = 0, False
        while not over:
            some, over = await self._cut(lambda: _some(pieces))
            total += sum(piece.size for piece in some)
            if not await self._surely(partial(self._write, file, some)):
                return None
        return total

    def _write(self, file: Row, pieces: Sequence[_Piece], tx: Tx) -> bool:
        """Add chunks to a file; False when it is not ours any more."""
        if not self._holds(tx, file):
            return False
        store = tx.one("vector_store.number", id=file["store"])
        assert store is not None  # its files would have gone with it
        first = pieces[0].chunk.start if pieces else -1  # none are left when the last ones filled their transaction
        if tx.all("chunk.between", store_file=file["seq"], after=first - 1, to=first):
            return True  # written by a transaction whose end was not heard
        for piece in pieces:
            chunk = {"start": piece.chunk.start, "text": piece.chunk.text, "place": piece.place}
            inserted = tx.one("chunk.insert", store_file=file["seq"], **chunk)
            assert inserted is not None
            tx.run("chunk.insert_words", seq=inserted["seq"], store=named(store), words=piece.words)
        store_files.cut(tx, file, len(pieces))
        return True

    def _complete(self, file: Row, size: int, embedder: int | None, tx: Tx) -> None:
        if store_files.move(tx, file, "complete", owner=self._worker, usage_bytes=size) and embedder is not None:
            store_files.embedded(tx, file, embedder)

    async def _embed(self, file: Row) -> None:
        """Give a file that is completed the vectors that it lacks, or leave that to later."""
        assert self._embedding is not None  # it found the file
        embedder: int | None = None
        try:
            embedder = await self._embedding.embed(file)
        except StoreUnavailable:  # logged by the store
            pass
        except Exception:
            _log.exception("file %s of vector store %s gets no vectors", file["id"], file["store"])
            self._embedding.rest()
        await self._surely(partial(self._embedded, file, embedder))

    def _embedded(self, file: Row, embedder: int | None, tx: Tx) -> None:
        if tx.run("store_file.release", seq=file["seq"], owner=self._worker) and embedder is not None:
            store_files.embedded(tx, file, embedder)

    def _fail(self, file: Row, failure: Failure, tx: Tx) -> None:
        if store_files.move(tx, file, "fail", owner=self._worker, failure=failure):
            store_files.give_up_chunks(tx, file)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A chunk, ready to be written."""

    chunk: Chunk
    place: str
    words: str
    size: int
    """Bytes of its text."""


def is_needed(tx: Tx) -> bool:
    """Say whether there is something to do: files that wait, or chunks that nobody needs."""
    return _files_wait(tx) or _chunks_are_left(tx)


def _files_wait(tx: Tx) -> bool:
    return tx.one("store_file.next", after="") is not None


def _chunks_are_left(tx: Tx) -> bool:
    return tx.one("chunk.given_up") is not None


def _pieces(text: Text, static: Mapping[str, int]) -> Iterator[_Piece]:
    """Cut a text as its pieces are asked for. Raises Unreadable."""
    if chunking.tokens(text.value) > MOST_TOKENS:
        raise Unreadable("invalid_file", _TOO_LONG)
    if not text.value.strip():
        raise Unreadable("invalid_file", "The file has no text. (Of pictures of text nothing can be read.)")
    cut = chunking.chunks(text.value, static["max_chunk_size_tokens"], static["chunk_overlap_tokens"])
    return (_piece(chunk, text.place(chunk.start)) for chunk in cut)


def _piece(chunk: Chunk, place: str) -> _Piece:
    return _Piece(chunk, place, indexed(f"{place} {chunk.text}"), len(chunk.text.encode()))


def _some(pieces: Iterator[_Piece]) -> tuple[list[_Piece], bool]:
    """Take the next pieces, as many as go into one transaction; whether they are the last."""
    taken: list[_Piece] = []
    room = _WRITTEN_BYTES
    for piece in pieces:
        taken.append(piece)
        time.sleep(_BREATH_S)  # a thread that computes lets the loop go on every 5 ms only, unless it stops by itself
        room -= piece.size
        if room <= 0:
            return taken, False
    return taken, True


def _remove_some(tx: Tx) -> bool:
    """Remove chunks that nobody needs, a few; whether there are more."""
    left = _REMOVED
    while (row := tx.one("chunk.given_up")) is not None:
        removed = _remove_of(tx, row["store_file"], left)
        left -= removed
        if not left:
            return True
        tx.run("chunk.all_gone", store_file=row["store_file"])
    return False


def _remove_of(tx: Tx, store_file: int, most: int) -> int:
    tx.run("vector_block.remove_of_file", store_file=store_file, limit=_REMOVED_BLOCKS)
    rows = tx.all("chunk.some", store_file=store_file, limit=most)
    for row in rows:
        tx.run("chunk.delete_words", seq=row["seq"])
        tx.run("chunk.delete", seq=row["seq"])
    return len(rows)
