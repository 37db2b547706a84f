from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.engine.transfer.objects import file, jsonl, line
from tests.engine.transfer.stores import AT, exported, imported, in_store
from toolkit.engine.blobs import Blobs
from toolkit.engine.filing import Filing
from toolkit.engine.objects import files
from toolkit.engine.store import Store, Tx
from toolkit.engine.transfer.contents import Folder
from toolkit.engine.transfer.exporting import lines_of
from toolkit.engine.transfer.kinds.kind import Export
from toolkit.errors import Refused

DATA = b"abc"
SHA = hashlib.sha256(DATA).hexdigest()


def piece(data: bytes, at: int = 0, name: str = "file-a") -> dict[str, Any]:
    return {"kind": "bytes", "file": name, "at": at, "data": base64.b64encode(data).decode()}


def whole(name: str = "file-a", data: bytes = DATA, **more: Any) -> list[dict[str, Any]]:
    sha256 = hashlib.sha256(data).hexdigest()
    pieces = [piece(data, name=name)] if data else []
    return [line("file", file(name, bytes=len(data), **more), sha256=sha256), *pieces]


async def content(store: Store, blobs: Blobs, name: str = "file-a") -> bytes:
    stored, opened = await Filing(store, blobs).open("default", name, AT)
    try:
        return b"".join([data async for data in opened.pieces(0, stored.bytes)])
    finally:
        await opened.close()


async def put(store: Store, blobs: Blobs, data: bytes, name: str) -> str:
    async with Filing(store, blobs).receive() as incoming:
        await incoming.write(data)
        blob = await incoming.keep()
        made = await store.write(
            lambda tx: files.create(tx, "default", blob, AT, filename=name, purpose="assistants", expires_after=None)
        )
    return json.loads(made)["id"]


@pytest.mark.parametrize("size", [0, 1, 3 * 2**16, 3 * 2**16 + 1, 700_000])
def test_bytes_come_over(size: int, tmp_path: Path) -> None:
    data = os.urandom(size)

    async def before(store: Store, blobs: Blobs) -> tuple[list[str], str]:
        names = [await put(store, blobs, data, name) for name in ("a", "b")] + [await put(store, blobs, b"other", "c")]
        return names, await exported(store, blobs)

    names, text = in_store(before)
    assert len(text) < 1.4 * size + 3000, "bytes that two files have are there once"
    assert max(map(len, text.splitlines())) < 4 * 2**16 + 200

    async def after(store: Store, blobs: Blobs) -> None:
        first = await imported(store, blobs, text)
        assert (first.told, first.counts("new"), first.tally.lacking) == ([], {"file": 3}, 0)
        assert first.tally.bytes == 2 * size + 5
        assert [await content(store, blobs, name) for name in names] == [data, data, b"other"]
        assert (await imported(store, blobs, text)).counts("there") == {"file": 3}

    in_store(after, tmp_path / "store.db")


def test_an_export_without_contents() -> None:
    async def before(store: Store, blobs: Blobs) -> tuple[str, str, str]:
        name = await put(store, blobs, DATA, "a")
        return name, await exported(store), await exported(store, blobs)

    name, without, with_them = in_store(before)
    assert (SHA in without, SHA in with_them) == (False, True)

    async def after(store: Store, blobs: Blobs) -> None:
        first = await imported(store, blobs, without)
        assert (first.told, first.tally.lacking, first.tally.bytes) == ([], 1, 0)
        with pytest.raises(Refused, match="are not here: it was imported without them") as refused:
            await content(store, blobs, name)
        assert (refused.value.status, refused.value.code) == (404, "file_content_missing")
        assert await Filing(store, blobs).read("default", name, 100, AT) is None, "what a model is shown"
        again = await imported(store, blobs, with_them)
        assert (again.told, again.counts("new"), again.tally.lacking) == ([], {"file": 1}, 0)
        assert await content(store, blobs, name) == DATA
        assert (await imported(store, blobs, without)).counts("there") == {"file": 1}
        assert await content(store, blobs, name) == DATA, "what is there stays"
        await Filing(store, blobs).delete("default", name, AT)

    in_store(after)


def test_a_file_that_lacks_its_bytes_can_be_deleted_and_exported() -> None:
    async def work(store: Store, blobs: Blobs) -> None:
        await imported(store, blobs, jsonl(line("file", file())))
        assert '"sha256"' not in await exported(store, blobs)
        await Filing(store, blobs).sweep(AT)
        assert json.loads(await Filing(store, blobs).delete("default", "file-a", AT))["deleted"]
        assert list(blobs.folder.glob("??/*")) == []

    in_store(work)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([*whole()[:1], piece(b"ab")], "the bytes of file-a did not come whole"),
        ([*whole()[:1], piece(b"abd")], "the bytes of file-a are damaged"),
        ([*whole()[:1], piece(b"ab"), piece(b"c", at=1)], "the bytes of file-a did not come whole"),
        ([*whole()[:1], {**piece(b"abc"), "data": "!"}], "the bytes of file-a did not come whole"),
        ([*whole()[:1], *whole("file-b")], "the bytes of file-a did not come whole"),
        ([*whole()[:1], piece(b"abc", name="file-x")], "the bytes of file-a did not come whole"),
    ],
)
def test_bytes_that_do_not_come_whole(lines: list[dict[str, Any]], why: str) -> None:
    """The file is there, and says that its bytes are not; what comes after it is taken."""

    async def work(store: Store, blobs: Blobs) -> None:
        done = await imported(store, blobs, jsonl(*lines, *whole("file-c", b"")))
        assert f"file 1, line 1: {why}, so it is there without them." in done.told
        assert done.counts("new")["file"] == sum(one["kind"] == "file" for one in lines) + 1
        with pytest.raises(Refused):
            await content(store, blobs)
        assert await content(store, blobs, "file-c") == b""
        again = await imported(store, blobs, jsonl(*whole()))
        assert (again.told, await content(store, blobs)) == ([], DATA)

    in_store(work)


def test_bytes_that_a_server_removes_meanwhile() -> None:
    """Two files have the same bytes; the first is deleted while the second comes: they stay, or they come again."""

    async def work(store: Store, blobs: Blobs) -> None:
        filing = Filing(store, blobs)
        first = await put(store, blobs, DATA, "a")

        async def delete() -> None:
            await filing.delete("default", first, AT)

        deleting = asyncio.create_task(delete())
        done = await imported(store, blobs, jsonl(*whole()))
        await deleting
        await filing.sweep(AT)
        assert done.told == []
        assert await content(store, blobs) == DATA

    for _ in range(20):
        in_store(work)


def test_other_bytes_are_other_content() -> None:
    async def work(store: Store, blobs: Blobs) -> None:
        await imported(store, blobs, jsonl(*whole()))
        done = await imported(store, blobs, jsonl(*whole(data=b"xyz")))
        assert done.told == ["file 1, line 1: file-a is there with other content, and stays as it is."]
        assert await content(store, blobs) == DATA
        assert (await imported(store, blobs, jsonl(*whole(data=b"xyz")), replace=True)).counts("replaced") == {
            "file": 1
        }
        assert await content(store, blobs) == b"xyz"
        await Filing(store, blobs).sweep(AT)
        assert [path.name for path in blobs.folder.glob("??/*")] == [hashlib.sha256(b"xyz").hexdigest()]

    in_store(work)


def test_files_that_were_saved_beside_a_dump(tmp_path: Path) -> None:
    for name, data in {
        "file-a": b"abc",
        "file-b.pdf": b"abcd",
        "c.txt": b"abc",
        "d.txt": b"not it",
        "file-e": b"no",
    }.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "file-f").mkdir()
    dump = [
        file("file-a"),
        file("file-b", bytes=0),
        file("file-c", filename="c.txt"),
        file("file-d", filename="d.txt"),
        file("file-e"),
        file("file-f"),
    ]

    async def work(store: Store, blobs: Blobs) -> None:
        done = await imported(store, blobs, json.dumps(dump), folder=Folder(tmp_path))
        assert done.told == [
            "file 1, line 1: what was saved as file-e has 2 bytes, and file-e has 3, so it is there without them."
        ]
        assert (done.counts("new"), done.tally.lacking, done.tally.bytes) == ({"file": 6}, 3, 10)
        found = [await content(store, blobs, f"file-{letter}") for letter in "abc"]
        assert found == [b"abc", b"abcd", b"abc"]
        (tmp_path / "d.txt").write_bytes(b"xyz")
        assert (await imported(store, blobs, json.dumps(dump), folder=Folder(tmp_path))).counts("new") == {"file": 1}
        assert await content(store, blobs, "file-d") == b"xyz"

    in_store(work)


def test_a_file_whose_bytes_the_store_has_lost() -> None:
    async def work(store: Store, blobs: Blobs) -> tuple[str, int]:
        await put(store, blobs, DATA, "a")
        blobs.place(SHA).unlink()
        missing: list[int] = []

        def read(tx: Tx) -> None:
            export = Export(tx, AT, contents=blobs.folder)
            for _ in lines_of(export, "a test"):
                pass
            missing.append(export.missing)

        await store.read(read)
        return await exported(store, blobs), missing[0]

    text, missing = in_store(work)
    assert ('"kind":"file"' in text, '"kind":"bytes"' in text, SHA in text, missing) == (True, False, False, 1)
