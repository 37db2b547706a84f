"""The bytes of files: there whole or not at all, and removed when nothing needs them, whatever happens at once."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from toolkit.engine.blobs import Blob, Blobs
from toolkit.errors import StoreUnavailable

ROOT = Path(__file__).parents[2]


@pytest.fixture
def blobs(tmp_path: Path) -> Iterator[Blobs]:
    blobs = Blobs(tmp_path / "files")
    yield blobs
    blobs.close()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def everything(blobs: Blobs) -> list[Path]:
    return [path for path in blobs.folder.rglob("*") if path.is_file()]


async def kept(blobs: Blobs, *pieces: bytes) -> Blob:
    async with blobs.receive() as incoming:
        for piece in pieces:
            await incoming.write(piece)
        return await incoming.keep()


async def contents(blobs: Blobs, sha256: str, start: int = 0, stop: int = 2**40) -> bytes | None:
    opened = await blobs.open(sha256)
    if opened is None:
        return None
    data = b"".join([piece async for piece in opened.pieces(start, stop)])
    await opened.close()
    return data


async def needed() -> bool:
    return True


async def not_needed() -> bool:
    return False


def test_bytes_come_back_as_they_went_in(blobs: Blobs) -> None:
    data = os.urandom(3_000_001)

    async def main() -> None:
        blob = await kept(blobs, data[:1], data[1:2_000_000], b"", data[2_000_000:])
        assert blob == Blob(sha(data), len(data))
        assert await contents(blobs, blob.sha256) == data
        assert await contents(blobs, blob.sha256, 5, 1_500_000) == data[5:1_500_000]
        empty = await kept(blobs)
        assert (await contents(blobs, empty.sha256), empty.size) == (b"", 0)
        assert await contents(blobs, "ab" * 32) is None

    asyncio.run(main())
    assert {path.name for path in everything(blobs)} == {sha(data), sha(b"")}


def test_the_same_bytes_are_there_once(blobs: Blobs) -> None:
    async def main() -> None:
        made = await asyncio.gather(*(kept(blobs, b"same") for _ in range(20)))
        assert len(set(made)) == 1

    asyncio.run(main())
    assert len(everything(blobs)) == 1


def test_md5_is_told_when_asked_for(blobs: Blobs) -> None:
    async def main() -> str | None:
        async with blobs.receive(md5=True) as incoming:
            await incoming.write(b"abc")
            return (await incoming.keep()).md5

    assert asyncio.run(main()) == "900150983cd24fb0d6963f7d28e17f72"


def test_what_is_not_kept_leaves_nothing(blobs: Blobs) -> None:
    async def main() -> None:
        with contextlib.suppress(ZeroDivisionError):
            async with blobs.receive() as incoming:
                await incoming.write(b"x" * 2_000_000)
                raise ZeroDivisionError
        async with blobs.receive():
            pass
        for begun in range(8):  # whatever it is that is interrupted
            task = asyncio.create_task(kept(blobs, *[b"x" * 1_100_000] * 3))
            for _ in range(begun * 2):
                await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await asyncio.sleep(0.1)

    asyncio.run(main())
    blobs.close()
    assert [path for path in everything(blobs) if path.parent.name == "incoming"] == []
    assert len(os.listdir("/proc/self/fd")) < 100


def test_bytes_that_something_needs_are_not_removed(blobs: Blobs) -> None:
    async def main() -> None:
        blob = await kept(blobs, b"abc")
        assert not await blobs.remove(blob.sha256, needed)
        assert await contents(blobs, blob.sha256) == b"abc"
        assert await blobs.remove(blob.sha256, not_needed)
        assert not await blobs.remove(blob.sha256, not_needed)
        assert await contents(blobs, blob.sha256) is None

    asyncio.run(main())


def test_bytes_that_are_being_brought_are_not_removed(blobs: Blobs) -> None:
    async def main() -> None:
        async with blobs.receive() as incoming:
            await incoming.write(b"abc")
            blob = await incoming.keep()
            assert not await blobs.remove(blob.sha256, not_needed), "its row may come in a moment"
        assert await blobs.remove(blob.sha256, not_needed)

    asyncio.run(main())


def test_who_brings_bytes_waits_for_who_removes_them(blobs: Blobs) -> None:
    """Else they would be taken away between the rename and the row."""

    async def main() -> None:
        blob = await kept(blobs, b"abc")
        looking, looked = asyncio.Event(), asyncio.Event()

        async def look() -> bool:
            looking.set()
            await looked.wait()
            return False

        removing = asyncio.create_task(blobs.remove(blob.sha256, look))
        await looking.wait()
        bringing = asyncio.create_task(kept(blobs, b"abc"))
        await asyncio.sleep(0.1)
        assert not bringing.done()
        looked.set()
        assert await removing
        await bringing
        assert await contents(blobs, blob.sha256) == b"abc"

    asyncio.run(main())


def test_bytes_that_are_held_are_not_removed(blobs: Blobs) -> None:
    async def main() -> None:
        blob = await kept(blobs, b"abc")
        async with blobs.held(blob.sha256) as there:
            assert there
            assert not await blobs.remove(blob.sha256, not_needed)
        assert await blobs.remove(blob.sha256, not_needed)
        async with blobs.held(blob.sha256) as there:
            assert not there
        async with blobs.held("0" * 64) as there:
            assert not there

    asyncio.run(main())


def test_who_holds_bytes_waits_for_who_removes_them(blobs: Blobs) -> None:
    """And then they are not there."""

    async def main() -> None:
        blob = await kept(blobs, b"abc")
        looking, go_on = asyncio.Event(), asyncio.Event()

        async def look() -> bool:
            looking.set()
            await go_on.wait()
            return False

        async def hold() -> bool:
            async with blobs.held(blob.sha256) as there:
                return there

        removing = asyncio.create_task(blobs.remove(blob.sha256, look))
        await looking.wait()
        holding = asyncio.create_task(hold())
        await asyncio.sleep(0.05)
        assert not holding.done()
        go_on.set()
        assert (await removing, await holding) == (True, False)

    asyncio.run(main())


def test_who_leaves_in_the_middle_holds_up_nobody(blobs: Blobs) -> None:
    async def main() -> None:
        blob = await kept(blobs, b"abc")
        for ticks in range(6):
            for work in (blobs.remove(blob.sha256, needed), kept(blobs, b"abc")):
                task: asyncio.Task[Any] = asyncio.create_task(work)
                for _ in range(ticks):
                    await asyncio.sleep(0.0005)
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        assert await asyncio.wait_for(kept(blobs, b"abc"), 10) == blob
        assert await blobs.remove(blob.sha256, not_needed)

    asyncio.run(main())


def test_a_reader_reads_on_what_is_removed_meanwhile(blobs: Blobs) -> None:
    data = os.urandom(1_000_000)

    async def main() -> None:
        blob = await kept(blobs, data)
        opened = await blobs.open(blob.sha256)
        assert opened is not None
        pieces = opened.pieces(0, blob.size)
        read = await anext(pieces)
        assert await blobs.remove(blob.sha256, not_needed)
        assert read + b"".join([piece async for piece in pieces]) == data
        await opened.close()
        assert [piece async for piece in opened.pieces(0, 1)] == []

    asyncio.run(main())


def test_names_are_listed_by_how_they_begin(blobs: Blobs) -> None:
    async def main() -> None:
        made = {(await kept(blobs, bytes([number]))).sha256 for number in range(40)}
        listed: set[str] = set()
        async for prefix, names in blobs.names():
            assert all(name.startswith(prefix) for name in names)
            listed |= set(names)
        assert listed == made

    asyncio.run(main())


def test_a_folder_in_memory_goes_at_close() -> None:
    blobs = Blobs(None)
    asyncio.run(kept(blobs, b"abc"))
    folder = blobs.folder
    assert folder.is_dir()
    blobs.close()
    assert not folder.exists()


def test_a_full_disk_is_said_and_leaves_nothing_half(blobs: Blobs) -> None:
    """The kernel refuses to let files grow, as it does on a full disk."""

    async def main() -> None:
        await kept(blobs, b"before")
        with pytest.raises(StoreUnavailable, match=r"The folder of the store's files fails: File too large\. Look"):
            await kept(blobs, b"x" * 3_000_000)
        await kept(blobs, b"small")

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, hard))
    try:
        asyncio.run(main())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert {path.name for path in everything(blobs)} == {sha(b"before"), sha(b"small")}


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("no folder")
    blobs = Blobs(tmp_path / "files")
    with pytest.raises(StoreUnavailable):
        asyncio.run(kept(blobs, b"abc"))
    blobs.close()


KILLED = """
import asyncio, os, sys
from pathlib import Path
from toolkit.engine.blobs import Blobs

async def main():
    blobs = Blobs(Path(sys.argv[1]))
    async with blobs.receive() as incoming:
        await incoming.write(b"half" * 500_000)
        if sys.argv[2] == "kept":
            await incoming.keep()
        print("there", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("moment", ["half", "kept"])
def test_what_a_killed_process_leaves_is_removed(blobs: Blobs, moment: str) -> None:
    command = [sys.executable, "-c", KILLED, str(blobs.folder), moment]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        [left] = everything(blobs)
        old = time.time() - 7200
        os.utime(left, (old, old))
        if moment == "half":
            asyncio.run(blobs.tidy())
            assert left.exists(), "whoever writes it lives"
        else:
            assert not asyncio.run(blobs.remove(left.name, not_needed)), "its row may come in a moment"
        process.kill()
        process.wait(30)
    asyncio.run(blobs.tidy())
    if moment == "kept":
        assert asyncio.run(blobs.remove(left.name, not_needed))
    assert everything(blobs) == []


def test_what_has_just_begun_is_not_tidied_away(blobs: Blobs) -> None:
    young = blobs.folder / "incoming" / "young"
    young.parent.mkdir(parents=True)
    young.write_bytes(b"x")
    asyncio.run(blobs.tidy())
    assert young.exists()
