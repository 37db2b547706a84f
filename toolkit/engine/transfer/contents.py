"""The bytes of files that come with an import: first they, held in their place, then the row that needs them.

A file whose bytes do not come, or come damaged, is there all the same, and whoever asks for them is told.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from toolkit.engine.blobs import Blobs, Incoming
from toolkit.engine.objects.files import LACKING
from toolkit.engine.store import Store
from toolkit.engine.transfer.importing import Import
from toolkit.engine.transfer.lines import BytesLine, FileLine
from toolkit.engine.transfer.taking import Placed

__all__ = ["Contents", "Folder"]

_PIECE: Final = 2**18


class Folder:
    """Files that people have saved beside their dump: named by the file's id, or as the file was called."""

    def __init__(self, path: Path) -> None:
        self._by_name = {entry.name: entry for entry in path.iterdir() if entry.is_file()}
        self._by_stem = {entry.stem: entry for entry in self._by_name.values()}

    def find(self, line: FileLine) -> Path | None:
        """Look for the bytes of a file; one that is only called like it must have as many."""
        found = self._by_name.get(line.id) or self._by_stem.get(line.id)
        named = self._by_name.get(line.object["filename"])
        if found is None and named is not None and named.stat().st_size == line.object["bytes"]:
            return named
        return found


@dataclass(slots=True)
class _Coming:
    """A file whose bytes are on their way."""

    placed: Placed
    line: FileLine
    incoming: Incoming
    size: int = 0


class Contents:
    """Takes files and their bytes into an import, in the order of an export: `async with`."""

    def __init__(
        self, store: Store, blobs: Blobs, into: Import, tell: Callable[[str], None], folder: Folder | None = None
    ) -> None:
        self._store, self._blobs, self._into, self._tell, self._folder = store, blobs, into, tell, folder
        self._coming: _Coming | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def file(self, placed: Placed, line: FileLine) -> None:
        """Take a file. Its bytes may follow."""
        await self.end()
        if line.sha256 is None:
            await self._take_saved(placed, line)
            return
        async with self._blobs.held(line.sha256) as there:
            if there:
                await self._into.put(placed)
                return
        incoming = await self._stack.enter_async_context(self._blobs.receive())
        self._coming = _Coming(placed, line, incoming)
        await self._go_on()

    async def piece(self, line: BytesLine, place: str) -> None:
        """Take a piece of the file that came last; those of one whose bytes are here already are passed over."""
        coming = self._coming
        if coming is None or line.file != coming.line.id:
            return
        try:
            data = base64.b64decode(line.data, validate=True)
        except binascii.Error:
            data = b""
        if line.at != coming.size or not data:
            self._tell(f"{place}: the bytes of {line.file} are damaged here.")
            await self.end()
            return
        await coming.incoming.write(data)
        coming.size += len(data)
        await self._go_on()

    async def end(self) -> None:
        """Take the file whose bytes were on their way without them: no more of them come."""
        if self._coming is not None:
            await self._take_without(self._coming.placed, "the bytes of {} did not come whole")

    async def _go_on(self) -> None:
        coming = self._coming
        if coming is None or coming.size < coming.line.object["bytes"]:
            return
        blob = await coming.incoming.keep()
        if blob.sha256 != coming.line.sha256:
            await self._take_without(coming.placed, "the bytes of {} are damaged")
            return
        await self._into.put(coming.placed)
        await self._let_go()

    async def _take_without(self, placed: Placed, why: str) -> None:
        await self._let_go()
        line = placed.line.model_copy(update={"sha256": None})
        self._tell(f"{placed.place}: {why.format(line.id)}, so it is there without them.")
        await self._into.put(Placed(line, placed.place))

    async def _let_go(self) -> None:
        self._coming = None
        await self._stack.aclose()

    async def _take_saved(self, placed: Placed, line: FileLine) -> None:
        """Take a file with the bytes that were saved beside the dump, if they are and nobody has them yet."""
        path = self._folder.find(line) if self._folder is not None else None
        row = await self._store.read(lambda tx: tx.one("transfer.file", id=line.id)) if path is not None else None
        if path is None or (row is not None and row["sha256"] != LACKING):
            await self._into.take(placed)
            return
        async with self._blobs.receive() as incoming:
            try:
                async for data in _read(path):
                    await incoming.write(data)
            except OSError as error:
                await self._take_without(placed, f"{path.name} cannot be read ({error.strerror}), for {{}}")
                return
            blob = await incoming.keep()
            if blob.size != (line.object["bytes"] or blob.size):
                sizes = f"has {blob.size:,} bytes, and {{}} has {line.object['bytes']:,}"
                await self._take_without(placed, f"what was saved as {path.name} {sizes}")
                return
            whole = line.model_copy(update={"sha256": blob.sha256, "object": {**line.object, "bytes": blob.size}})
            await self._into.put(Placed(whole, placed.place))


async def _read(path: Path) -> AsyncGenerator[bytes, None]:
    file = await asyncio.to_thread(path.open, "rb")
    with file:
        while data := await asyncio.to_thread(file.read, _PIECE):
            yield data
