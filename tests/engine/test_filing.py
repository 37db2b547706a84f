"""Files and uploads as they come, expire and go, with their bytes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from openai import APIStatusError

from tests.contract.raw import post, raw, read
from tests.contract.talk import until
from toolkit.engine import Engine
from toolkit.engine.blobs import Blob, Blobs
from toolkit.engine.filing import Filing
from toolkit.engine.jsontext import id_of
from toolkit.engine.objects import files, uploads
from toolkit.engine.objects.uploads import CompleteUpload, CreateUpload
from toolkit.engine.store import Tx
from toolkit.engine.store.address import SQLiteAddress
from toolkit.engine.store.sqlite import SQLite
from toolkit.errors import Refused, StoreUnavailable

ROOT = Path(__file__).parents[2]
NOW = 1_800_000_000
HOUR = 3600


class Cabinet:
    """A store with its files."""

    def __init__(self, folder: Path) -> None:
        self.store = SQLite(SQLiteAddress(folder / "store.db"))
        self.blobs = Blobs(self.store.files)
        self.filing = Filing(self.store, self.blobs)

    async def add(self, data: bytes, *, seconds: int | None = None) -> str:
        after: Any = {"anchor": "created_at", "seconds": seconds} if seconds else None
        async with self.filing.receive() as incoming:
            await incoming.write(data)
            blob = await incoming.keep()
            return id_of(
                await self.store.write(
                    lambda tx: files.create(tx, "p", blob, NOW, filename="a", purpose="assistants", expires_after=after)
                )
            )

    async def upload(self, *parts: bytes) -> tuple[str, list[str]]:
        request = CreateUpload(filename="a", purpose="vision", bytes=sum(map(len, parts)), mime_type="x")
        upload_id = id_of(await self.store.write(lambda tx: uploads.create(tx, "p", request, NOW)))
        ids: list[str] = []
        for data in parts:
            async with self.filing.receive() as incoming:
                await incoming.write(data)
                blob = await incoming.keep()
                made = await self.store.write(
                    lambda tx, blob=blob: uploads.add_part(tx, "p", upload_id, blob, NOW)  # type: ignore[misc]
                )
                ids.append(id_of(made))
        return upload_id, ids

    @property
    def bytes_kept(self) -> int:
        return len([path for path in self.blobs.folder.glob("??/*") if path.is_file()])

    @property
    def left_half(self) -> list[Path]:
        return list(self.blobs.folder.glob("incoming/*"))


def cabinet(folder: Path, work: Callable[[Cabinet], Awaitable[None]]) -> None:
    async def main() -> None:
        made = Cabinet(folder)
        try:
            await work(made)
        finally:
            await made.store.aclose()
            made.blobs.close()

    asyncio.run(main())


def test_a_deleted_file_takes_its_bytes_along_unless_another_has_them(tmp_path: Path) -> None:
    async def work(here: Cabinet) -> None:
        first, second = await here.add(b"same"), await here.add(b"same")
        await here.filing.delete("p", first, NOW)
        assert here.bytes_kept == 1
        assert await here.filing.read("p", second, 100, NOW) == b"same"
        assert await here.filing.read("other", second, 100, NOW) is None
        assert await here.filing.read("p", second, 3, NOW) is None
        await here.filing.delete("p", second, NOW)
        assert here.bytes_kept == 0

    cabinet(tmp_path, work)


def test_files_expire_when_they_are_read_and_are_swept(tmp_path: Path) -> None:
    async def work(here: Cabinet) -> None:
        short, long = await here.add(b"short", seconds=HOUR), await here.add(b"long", seconds=2 * HOUR)
        assert await here.filing.read("p", short, 100, NOW + HOUR - 1) == b"short"
        at = NOW + HOUR
        for call in (here.filing.open, here.filing.delete):
            with pytest.raises(Refused, match="No such File object"):
                await call("p", short, at)
        listed = json.loads(await here.store.read(lambda tx: files.list_(tx, "p", files.ListFiles(), at)))
        assert [file["id"] for file in listed["data"]] == [long]
        assert here.bytes_kept == 2
        await here.filing.sweep(at)
        assert here.bytes_kept == 1
        assert await here.filing.read("p", long, 100, at) == b"long"
        for _ in range(205):  # more than a sweep takes at once
            await here.add(b"many", seconds=HOUR)
        await here.filing.sweep(NOW + 2 * HOUR)
        assert here.bytes_kept == 0
        assert await here.store.read(lambda tx: tx.all("file.expired", now=2**60, limit=10)) == []

    cabinet(tmp_path, work)


def test_uploads_expire_with_their_parts(tmp_path: Path) -> None:
    async def work(here: Cabinet) -> None:
        upload_id, ids = await here.upload(b"one", b"two")
        keep, kept_ids = await here.upload(b"two")
        await here.filing.complete("p", keep, CompleteUpload(part_ids=kept_ids), NOW)
        at = NOW + HOUR
        for call in (
            here.filing.complete("p", upload_id, CompleteUpload(part_ids=ids), at),
            here.filing.cancel("p", upload_id, at),
        ):
            with pytest.raises(Refused, match="has status 'expired'"):
                await call
        await here.filing.sweep(at)
        assert here.bytes_kept == 1, "the file that was completed"
        with pytest.raises(Refused, match="has status 'expired'"):
            await here.filing.cancel("p", upload_id, at)
        await here.filing.sweep(at + 25 * HOUR)
        with pytest.raises(Refused, match="No such Upload"):
            await here.filing.cancel("p", upload_id, at)

    cabinet(tmp_path, work)


def test_the_bytes_of_parts_go_when_the_upload_ends(tmp_path: Path) -> None:
    async def work(here: Cabinet) -> None:
        upload_id, ids = await here.upload(b"one", b"two", b"one")
        assert here.bytes_kept == 2
        await here.filing.complete("p", upload_id, CompleteUpload(part_ids=ids), NOW)
        assert here.bytes_kept == 1
        upload_id, ids = await here.upload(b"one", b"two")
        with pytest.raises(Refused, match="md5"):
            await here.filing.complete("p", upload_id, CompleteUpload(part_ids=ids, md5="0" * 32), NOW)
        assert here.bytes_kept == 3
        await here.filing.cancel("p", upload_id, NOW)
        assert here.bytes_kept == 1

    cabinet(tmp_path, work)


def test_a_row_that_cannot_be_written_takes_its_bytes_back(tmp_path: Path) -> None:
    async def work(here: Cabinet) -> None:
        with pytest.raises(Refused):
            async with here.filing.receive() as incoming:
                await incoming.write(b"abc")
                await incoming.keep()
                raise Refused("no")
        assert (here.bytes_kept, here.left_half) == (0, [])
        await here.add(b"abc")
        with contextlib.suppress(Refused):
            async with here.filing.receive() as incoming:
                await incoming.write(b"abc")
                await incoming.keep()
                raise Refused("no")
        assert here.bytes_kept == 1, "somebody else's file has them"

    cabinet(tmp_path, work)


def test_a_row_that_is_written_while_its_client_leaves_keeps_its_bytes(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    async def work(here: Cabinet) -> None:
        def create(tx: Tx, blob: Blob) -> str:
            begun.set()
            assert go_on.wait(30)
            return files.create(tx, "p", blob, NOW, filename="a", purpose="assistants", expires_after=None)

        async def add() -> None:
            async with here.filing.receive() as incoming:
                await incoming.write(b"kept")
                blob = await incoming.keep()
                await here.store.write(lambda tx: create(tx, blob))

        adding = asyncio.create_task(add())
        assert await asyncio.to_thread(begun.wait, 30)
        adding.cancel()
        await asyncio.sleep(0.1)
        go_on.set()
        await asyncio.wait([adding])
        listed = json.loads(await here.store.read(lambda tx: files.list_(tx, "p", files.ListFiles(), NOW)))
        assert await here.filing.read("p", listed["data"][0]["id"], 100, NOW) == b"kept"

    cabinet(tmp_path, work)


def test_bytes_without_a_row_are_swept_and_others_are_not(tmp_path: Path) -> None:
    async def work(here: Cabinet) -> None:
        file = await here.add(b"needed")
        _, ids = await here.upload(b"part")
        assert len(ids) == 1
        async with here.blobs.receive() as incoming:
            await incoming.write(b"orphan")
            await incoming.keep()
            await here.filing.sweep(NOW)
            assert here.bytes_kept == 3, "its row may come in a moment"
        await here.filing.sweep(NOW)
        assert here.bytes_kept == 2
        assert await here.filing.read("p", file, 10, NOW) == b"needed"

    cabinet(tmp_path, work)


def test_files_that_come_and_go_at_once_keep_their_bytes(tmp_path: Path) -> None:
    """The same bytes again and again, deleted and swept meanwhile: who has a row can read."""

    async def work(here: Cabinet) -> None:
        other = Filing(here.store, Blobs(here.store.files))
        rounds = 0

        async def come_and_go(number: int) -> None:
            nonlocal rounds
            for _ in range(15):
                file = await here.add(b"same" if number % 2 else b"also")
                assert await here.filing.read("p", file, 10, NOW) is not None
                await (other if number % 3 else here.filing).delete("p", file, NOW)
                rounds += 1

        async def sweep() -> None:
            while rounds < 90:
                await other.sweep(NOW)
                await asyncio.sleep(0)

        await asyncio.gather(*(come_and_go(number) for number in range(6)), sweep())
        await other.sweep(NOW)
        assert here.bytes_kept == 0

    cabinet(tmp_path, work)


def test_bytes_that_are_missing_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def work(here: Cabinet) -> None:
        file = await here.add(b"abc")
        shutil.rmtree(here.blobs.folder)
        with pytest.raises(StoreUnavailable, match="are missing"):
            await here.filing.open("p", file, NOW)
        assert file in caplog.text
        upload_id, ids = await here.upload(b"abc")
        shutil.rmtree(here.blobs.folder)
        with pytest.raises(Refused, match="was ended meanwhile"):
            await here.filing.complete("p", upload_id, CompleteUpload(part_ids=ids), NOW)

    cabinet(tmp_path, work)


KILLED = """
import asyncio, sys
from pathlib import Path
from tests.engine.test_filing import Cabinet

async def main():
    here = Cabinet(Path(sys.argv[1]))
    upload_id, ids = await here.upload(b"one", b"two")
    print(upload_id, *ids, flush=True)
    async with here.filing.receive() as incoming:
        await incoming.write(b"without a row")
        await incoming.keep()
        print("kept", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def test_a_process_killed_between_bytes_and_row_leaves_nothing_half(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        upload_id, *ids = process.stdout.readline().split()
        assert process.stdout.readline() == "kept\n"
        process.send_signal(signal.SIGKILL)

    async def work(here: Cabinet) -> None:
        assert here.bytes_kept == 3
        await here.filing.sweep(NOW)
        assert here.bytes_kept == 2, "the parts of the upload, which goes on"
        done = json.loads(await here.filing.complete("p", upload_id, CompleteUpload(part_ids=ids), NOW))
        assert await here.filing.read("p", done["file"]["id"], 10, NOW) == b"onetwo"
        assert here.bytes_kept == 1

    cabinet(tmp_path, work)


FORM = (
    b'--XX\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
    b'--XX\r\ncontent-disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
)
TYPE = {"content_type": "multipart/form-data; boundary=XX"}


def test_a_client_that_hangs_up_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "store.db-files"
    body = FORM + b"x" * 3_000_000 + b"\r\n--XX--\r\n"
    whole = post("/v1/files", body, **TYPE)
    with Engine(f"sqlite:///{tmp_path}/store.db") as engine, raw(engine.app) as server:
        assert server.ask(whole).status == 200
        tasks, descriptors = server.quiet()
        for cut in (len(whole) - len(body), len(whole) - 3_000_000, 2_000_000, len(whole) - 5):
            with server.connect() as line:
                line.sendall(whole[:cut])
        until(lambda: server.quiet()[0] == tasks)
        assert server.quiet()[1] <= descriptors, "what earlier tests left may go meanwhile"
        until(lambda: not list(folder.glob("incoming/*")))
        assert len(list(folder.glob("??/*"))) == 1
        assert len(engine.client().files.list().data) == 1


def test_an_upload_in_tiny_pieces_and_chunks_arrives(tmp_path: Path) -> None:
    sent = os.urandom(3000)
    body = FORM + sent + b"\r\n--XX--\r\n"
    with Engine("sqlite:///:memory:") as engine, raw(engine.app) as server, server.connect() as line:
        line.sendall(post("/v1/files", b"", transfer_encoding="chunked", **TYPE))
        for start in range(0, len(body), 7):
            piece = body[start : start + 7]
            line.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        line.sendall(b"0\r\n\r\n")
        made = read(line).json
        assert engine.client().files.content(made["id"]).read() == sent


def test_a_store_that_does_not_take_the_row_leaves_no_bytes(tmp_path: Path) -> None:
    """A full disk, as it shows itself to the database: nothing half, a 503, and then it works again."""
    import sqlite3

    folder = tmp_path / "store.db-files"
    with Engine(f"sqlite:///{tmp_path}/store.db?busy_s=0.1") as engine:
        client = engine.client(max_retries=0)
        client.files.list()
        with contextlib.closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Exception, match="cannot use its store") as error:
                client.files.create(file=b"abc", purpose="vision")
            assert error.value.status_code == 503  # type: ignore[attr-defined]
            assert list(folder.glob("??/*")) == []
            other.execute("ROLLBACK")
        assert client.files.create(file=b"abc", purpose="vision").bytes == 3


def test_a_disk_without_room_is_a_503_and_leaves_nothing_half(tmp_path: Path) -> None:
    folder = tmp_path / "store.db-files"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with Engine(f"sqlite:///{tmp_path}/store.db") as engine:
        client = engine.client(max_retries=0)
        client.files.list()
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000_000, hard))
        try:
            with pytest.raises(APIStatusError) as error:
                client.files.create(file=b"x" * 6_000_000, purpose="vision")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, before)
        assert error.value.status_code == 503
        assert [path for path in folder.rglob("*") if path.is_file()] == []
        assert client.files.list().data == []
        assert client.files.create(file=b"x" * 6_000_000, purpose="vision").bytes == 6_000_000


def test_many_large_files_at_once_take_little_memory() -> None:
    program = """
import os, resource, sys, threading
from toolkit.engine import Engine
class Zeros:
    name = "zeros.bin"
    left = 64 * 2**20
    def read(self, size=-1):
        size = min(size if size >= 0 else self.left, self.left)
        self.left -= size
        return bytes(size)
with Engine("sqlite:///:memory:") as engine:
    client = engine.client(max_retries=0)
    client.files.create(file=b"x", purpose="vision")
    import httpx2
    http = client._client
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    def send():
        made = http.post("http://engine/v1/files", data={"purpose": "vision"}, files={"file": ("z", Zeros())})
        assert made.json()["bytes"] == 64 * 2**20, made.text
    threads = [threading.Thread(target=send) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 48, done.stdout
