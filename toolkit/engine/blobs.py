"""The bytes of files, beside the database: each content once, in a file that is named by its sha256.

Bytes come first, the row that needs them after: they are written under a name of their own, synced, and renamed. Bytes
that no row needs are removed, and two of those things at once must not meet: who brings bytes holds a shared lock on
their folder from the rename until the row is committed, and who removes them takes that lock alone and only then looks
for rows. Locks are the kernel's, so they hold between processes, and end with a process however it ends.

All of it works on files and so happens in threads; nothing here holds more than a piece of a file in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self, TypeVar

from toolkit.engine.locks import STALE_S, Hold, age_s, locked
from toolkit.engine.store.faults import Outage
from toolkit.errors import StoreUnavailable

__all__ = ["Blob", "Blobs", "Incoming", "Opened"]

T = TypeVar("T")

_PIECE: Final = 2**18
"""Bytes that are written or read at a time."""
_COMING: Final = "incoming"
_THREADS: Final = 8
_RETRY_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that are kept: their digest (hex) and number, and the md5 (hex) where that was wanted."""

    sha256: str
    size: int
    md5: str | None = None


class Blobs:
    """The folder of one store's files; None is a temporary one, gone at close.

    Every method that touches the disk raises StoreUnavailable when the disk does not do it.
    """

    def __init__(self, folder: Path | None) -> None:
        self._temporary = folder is None
        self._folder = folder
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="blobs")
        self._lock = threading.Lock()
        self._outage = Outage(f"The folder of files {folder or '(temporary)'}")

    @property
    def folder(self) -> Path:
        """Where the files are; made when it is first asked for."""
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="toolkit-files-"))
        return self._folder

    def place(self, sha256: str) -> Path:
        """Say where bytes are, or would be."""
        return self.folder / sha256[:2] / sha256

    def receive(self, *, md5: bool = False) -> Incoming:
        """Take in bytes: `async with`, then `write` as they come and `keep` at the end, or they are gone again."""
        return Incoming(self, md5=md5)

    async def open(self, sha256: str) -> Opened | None:
        """Open bytes to read them; None when they are not there. Whoever gets it closes it."""
        opened = Opened(self, self.place(sha256))
        return opened if await opened.begin() else None

    @asynccontextmanager
    async def held(self, sha256: str) -> AsyncGenerator[bool, None]:
        """Hold bytes as long as this is open, for a row that is to need them; gives whether they are there."""
        place = self.place(sha256)
        hold = Hold(place)
        try:
            while (there := await self.do(place.exists)) and not await self.do(lambda: hold.take(alone=False)):  # noqa: ASYNC110 - as in `keep`
                await asyncio.sleep(_RETRY_S)
            yield there and await self.do(place.exists)  # or it was these that somebody has removed
        finally:
            await self.do(hold.let_go)

    async def remove(self, sha256: str, is_used: Callable[[], Awaitable[bool]]) -> bool:
        """Remove bytes that nothing needs; False when something does, or may in a moment: then try again some time."""
        place = self.place(sha256)
        hold = Hold(place)
        try:
            if not await self.do(lambda: hold.take(alone=True)) or await is_used():
                return False
            await self.do(lambda: place.unlink(missing_ok=True))
            return True
        finally:
            await self.do(hold.let_go)

    async def names(self) -> AsyncGenerator[tuple[str, list[str]], None]:
        """List the digests of all bytes that are here, by how they begin."""
        folder = self._folder
        if folder is not None:
            for below in await self.do(lambda: sorted(folder.glob("??"))):
                yield below.name, await self.do(partial(os.listdir, below))

    async def tidy(self) -> None:
        """Remove what was being written by processes that are no more."""
        folder = self._folder
        if folder is not None:
            await self.do(lambda: _tidy(folder / _COMING))

    def close(self) -> None:
        """Let go of the threads, and of the folder if it is a temporary one."""
        self._threads.shutdown()
        if self._temporary and self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def do(self, work: Callable[[], T]) -> T:
        """Work on files in a thread; what was begun is finished, also when nobody waits for it any more."""
        try:
            done = await asyncio.shield(asyncio.wrap_future(self._threads.submit(work)))
        except OSError as error:
            fault = StoreUnavailable(f"The folder of the store's files fails: {error.strerror}. Look at its disk.")
            self._outage.goes_on(fault)
            raise fault from error
        if self._outage.under_way:
            self._outage.over()
        return done

    def sync(self, place: Path | int) -> None:
        """Have a file, or the names in a folder, written to the disk. What is temporary need not be."""
        if self._temporary:
            return
        if isinstance(place, int):
            os.fsync(place)
        elif sys.platform != "win32":  # which opens no folders, and has no need of it
            handle = os.open(place, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


class Incoming:
    """Bytes on their way in. After `keep` they stay as long as this is open, and then as long as a row needs them."""

    def __init__(self, blobs: Blobs, *, md5: bool) -> None:
        self._blobs = blobs
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False) if md5 else None
        self._size = 0
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        self._lock = threading.Lock()
        """Held by what works in a thread, which may go on when nobody waits for it any more."""
        self._closed = False
        self._file: BinaryIO | None = None
        self._path = Path()
        self._hold: Hold | None = None
        self.kept: Blob | None = None
        """What was kept, once it is."""

    async def __aenter__(self) -> Self:
        try:
            await self._blobs.do(self._begin)
        except BaseException:
            await self._blobs.do(self._close)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._blobs.do(self._close)

    async def write(self, data: bytes) -> None:
        """Add bytes. They go to the disk a piece at a time."""
        self._waiting.append(data)
        self._waiting_size += len(data)
        if self._waiting_size >= _PIECE:
            await self._flush()

    async def keep(self) -> Blob:
        """Put the bytes in their place, synced, and hold them there until this is closed."""
        await self._flush()
        place = self._blobs.place(self._sha256.hexdigest())
        await self._blobs.do(lambda: self._finish(place.parent))
        while not await self._blobs.do(lambda: self._put(place)):  # noqa: ASYNC110 - it may be another process
            await asyncio.sleep(_RETRY_S)  # somebody looks whether bytes in that folder are needed: a moment
        self.kept = Blob(place.name, self._size, self._md5.hexdigest() if self._md5 else None)
        return self.kept

    async def _flush(self) -> None:
        if self._waiting:
            data = b"".join(self._waiting)
            self._waiting, self._waiting_size = [], 0
            await self._blobs.do(lambda: self._write(data))

    def _begin(self) -> None:
        with self._lock:
            if self._closed:
                return
            folder = self._blobs.folder / _COMING
            if not folder.exists():
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._blobs.sync(folder.parent)
                self._blobs.sync(folder.parent.parent)  # a power cut must not take the folder away that rows need
            handle, name = tempfile.mkstemp(dir=folder)
            self._file, self._path = os.fdopen(handle, "wb", buffering=0), Path(name)
            locked(handle, alone=True)  # shows that whoever writes it lives

    def _write(self, data: bytes) -> None:
        with self._lock:
            if self._file is None:
                return
            left = memoryview(data)
            while left:
                left = left[self._file.write(left) :]
            self._sha256.update(data)
            if self._md5 is not None:
                self._md5.update(data)
            self._size += len(data)

    def _finish(self, folder: Path) -> None:
        with self._lock:
            if self._file is None:
                return
            self._blobs.sync(self._file.fileno())
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
                self._blobs.sync(folder.parent)

    def _put(self, place: Path) -> bool:
        with self._lock:
            if self._file is None:
                return True
            hold = Hold(place)
            if not hold.take(alone=False):
                return False
            self._hold = hold
            self._file.close()
            os.replace(self._path, place)
            self._blobs.sync(place.parent)
            return True

    def _close(self) -> None:
        with self._lock:
            self._closed = True
            if self._file is not None:
                self._file.close()
                self._file = None
                self._path.unlink(missing_ok=True)  # which it is when it was kept: it has another name then
            if self._hold is not None:
                self._hold.let_go()


class Opened:
    """Bytes that can be read, as they are until this is closed, whoever removes them."""

    def __init__(self, blobs: Blobs, place: Path) -> None:
        self._blobs, self._place = blobs, place
        self._lock = threading.Lock()
        self._closed = False
        self._file: BinaryIO | None = None

    async def begin(self) -> bool:
        """Open them; False when they are not there."""
        try:
            return await self._blobs.do(self._open)
        except BaseException:
            await self.close()
            raise

    async def pieces(self, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Read the bytes from `start` to before `stop`, a piece at a time."""
        while start < stop:
            piece = await self._blobs.do(partial(self._read, start, min(_PIECE, stop - start)))
            if not piece:
                return  # they are fewer than that
            start += len(piece)
            yield piece

    async def close(self) -> None:
        """Close them."""
        await self._blobs.do(self._close)

    def _open(self) -> bool:
        with self._lock:
            try:
                if not self._closed:
                    self._file = self._place.open("rb", buffering=0)
            except FileNotFoundError:
                return False
            return True

    def _read(self, start: int, size: int) -> bytes:
        with self._lock:
            if self._file is None:
                return b""
            self._file.seek(start)
            return self._file.read(size)

    def _close(self) -> None:
        with self._lock:
            self._closed = True
            if self._file is not None:
                self._file.close()
                self._file = None


def _tidy(folder: Path) -> None:
    """Remove half-written files: old ones that nobody has locked."""
    for path in folder.iterdir() if folder.is_dir() else ():
        with contextlib.suppress(FileNotFoundError):  # it has been kept, or dropped, or tidied away by another
            if age_s(path) > STALE_S:
                with path.open("rb") as file:
                    if locked(file.fileno(), alone=True):
                        path.unlink()
