"""Files and uploads as they come and go: bytes first, then the row; the row first, then the bytes.

Nothing here is half done after a crash: bytes without a row are removed by `sweep`, and no row is without its bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from toolkit.engine.blobs import Blobs, Incoming, Opened
from toolkit.engine.objects import files, uploads
from toolkit.engine.objects.files import Stored
from toolkit.engine.objects.kept import Key, once, recall
from toolkit.engine.objects.uploads import CompleteUpload
from toolkit.engine.store import Store, Tx
from toolkit.errors import Refused, StoreUnavailable

__all__ = ["BytesMissing", "Filing"]

_log = logging.getLogger("toolkit.engine")

_AT_ONCE: Final = 100
"""How many files or uploads are ended in one transaction of a sweep."""


class BytesMissing(StoreUnavailable):
    """The bytes of a file are not where they were put."""


class Filing:
    """The files of one store, with their bytes."""

    def __init__(self, store: Store, blobs: Blobs) -> None:
        self._store, self._blobs = store, blobs

    @asynccontextmanager
    async def receive(self, *, md5: bool = False) -> AsyncGenerator[Incoming, None]:
        """Take in bytes; the row that needs them is written before this ends, or they are gone again."""
        incoming = self._blobs.receive(md5=md5)
        try:
            async with incoming:
                try:
                    yield incoming
                except asyncio.CancelledError:
                    if incoming.kept is not None:
                        await self._written()
                    raise
        except BaseException:
            if incoming.kept is not None:
                await self.free([incoming.kept.sha256])
            raise

    async def _written(self) -> None:
        """Wait until a row is written or not that is on its way with nobody waiting for it: writes take turns."""
        with contextlib.suppress(StoreUnavailable):
            await self._store.write(lambda tx: None)

    async def open(self, project: str, file_id: str, now: int) -> tuple[Stored, Opened]:
        """Open a file to read it; whoever gets it closes it. Raises Refused (404)."""
        read = partial(files.stored, project=project, file_id=file_id, now=now)
        file = await self._store.read(read)
        opened = await self._blobs.open(file.sha256)
        if opened is None:
            await self._store.read(read)  # it may just have been deleted
            _log.error("the bytes of file %s are not there", file_id)
            raise BytesMissing("The bytes of a file are missing. Put the store's folder of files back.")
        return file, opened

    async def read(self, project: str, file_id: str, most: int, now: int) -> bytes | None:
        """Read a file that has at most so many bytes; None when it has more, or is not there."""
        try:
            file, opened = await self.open(project, file_id, now)
        except Refused:
            return None
        try:
            fits = file.bytes <= most
            return b"".join([piece async for piece in opened.pieces(0, file.bytes)]) if fits else None
        finally:
            await opened.close()

    async def delete(self, project: str, file_id: str, now: int) -> str:
        """Delete a file with its bytes. Raises Refused (404)."""
        text, sha256 = await self._store.write(lambda tx: files.delete(tx, project, file_id, now))
        await self.free([sha256])
        return text

    async def complete(
        self, project: str, upload_id: str, request: CompleteUpload, now: int, key: Key | None = None
    ) -> str:
        """Put the parts of an upload together to its file. Raises Refused."""

        def begin(tx: Tx) -> str | list[uploads.Part]:
            kept = recall(tx, project, key, now)
            return kept if kept is not None else list(uploads.chosen(tx, project, upload_id, request, now))

        parts = await self._store.read(begin)
        if isinstance(parts, str):
            return parts
        async with self.receive(md5=request.md5 is not None) as incoming:
            for part in parts:
                await self._copy(part, incoming, upload_id)
            blob = await incoming.keep()
            if request.md5 is not None and blob.md5 != request.md5.lower():
                raise Refused(
                    "The md5 of the parts, put together, is not the one that was sent.",
                    param="md5",
                    code="invalid_value",
                )
            work = once(project, key, now, lambda tx: uploads.complete(tx, project, upload_id, blob, now))
            answer = await self._store.write(work)
        await self.free({part.sha256 for part in parts})
        return answer.text

    async def cancel(self, project: str, upload_id: str, now: int, key: Key | None = None) -> str:
        """Cancel an upload; the bytes of its parts go. Raises Refused."""
        left: list[str] = []

        def work(tx: Tx) -> str:
            left[:] = uploads.parts_of(tx, upload_id)
            return uploads.cancel(tx, project, upload_id, now)

        answer = await self._store.write(once(project, key, now, work))
        await self.free(left)
        return answer.text

    async def free(self, digests: Collection[str]) -> None:
        """Remove bytes that no row needs any more. What cannot be done now is left to the sweep."""
        for sha256 in digests:
            try:
                await self._blobs.remove(sha256, partial(self._is_used, sha256))
            except StoreUnavailable:
                _log.info("bytes that are not needed any more could not be removed, and are left to the next sweep")

    async def sweep(self, now: int) -> None:
        """End what has expired, and remove the bytes that no row needs."""
        while await self._expire(now) == _AT_ONCE:
            pass
        await self._blobs.tidy()
        async for prefix, names in self._blobs.names():
            # mypy gives the default of a lambda no type, hence the mark
            needed = await self._store.read(lambda tx, low=prefix: files.digests(tx, low, f"{low}g"))  # type: ignore[misc]
            await self.free([name for name in names if name not in needed])

    async def _expire(self, now: int) -> int:
        gone = await self._store.write(lambda tx: files.expire(tx, now, limit=_AT_ONCE))
        left = await self._store.write(lambda tx: uploads.expire(tx, now, limit=_AT_ONCE))
        await self.free({*gone, *left.digests})
        return max(len(gone), left.ended)

    async def _copy(self, part: uploads.Part, incoming: Incoming, upload_id: str) -> None:
        opened = await self._blobs.open(part.sha256)
        if opened is None:
            raise Refused(f"Upload '{upload_id}' was ended meanwhile.")
        try:
            async for piece in opened.pieces(0, part.size):
                await incoming.write(piece)
        finally:
            await opened.close()

    async def _is_used(self, sha256: str) -> bool:
        row = await self._store.read(lambda tx: tx.one("file.bytes_used", sha256=sha256))
        return row is not None and bool(row["used"])
