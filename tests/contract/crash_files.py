"""The kinds of work on files that are killed at every write, and what must hold of files, bytes and stores after it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from openai import NotFoundError

from tests.contract.crash_client import Client, Object
from tests.contract.crash_kinds import Kind
from toolkit.engine.search import chunking

__all__ = ["KINDS", "file_problems"]

_SETTLED_S = 20
SMALL: Any = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}}


def _text(word: str) -> bytes:
    """A text of a few transactions, with a word that no other has."""
    return f"A line about {word}, as there are many.\n".encode() * 1200


DATA: Mapping[str, bytes] = {
    "apples.txt": _text("apples"),
    "pears.txt": _text("pears"),
    "plums.txt": b"A short text about plums.",
    "same.txt": b"A short text about plums.",
    "grapes.pdf": b"%PDF-1.7 of grapes",
}


def _file(client: Client, name: str) -> str:
    file_id: str = client.file(name, DATA[name])["id"]
    return file_id


def _store(client: Client, *names: str) -> str:
    body = {"name": "fruit", "chunking_strategy": SMALL, "file_ids": [_file(client, name) for name in names]}
    return f"/vector_stores/{client.post('store', '/vector_stores', body)['id']}"


def files(client: Client) -> None:
    """Upload files, two of the same bytes, and delete one of these."""
    gone = [_file(client, name) for name in ("plums.txt", "same.txt", "apples.txt")][1]
    client.delete("take same.txt", f"/files/{gone}")


def upload(client: Client, *, cancel: bool = False) -> None:
    """Upload a file in parts, in another order than theirs, and complete it or not."""
    data = DATA["apples.txt"]
    about = {"filename": "apples.txt", "purpose": "assistants", "mime_type": "text/plain", "bytes": len(data)}
    made = client.post("upload", "/uploads", about)
    parts = [client.part(f"part {at}", made, data[at : at + 9000])["id"] for at in range(0, len(data), 9000)]
    if cancel:
        client.post("cancel upload", f"/uploads/{made['id']}/cancel")
    else:
        done = client.post("complete", f"/uploads/{made['id']}/complete", {"part_ids": parts})
        assert client.content(done["file"]) == data


def store(client: Client) -> None:
    """Make a store with files, add another, change it, and search."""
    place = _store(client, "apples.txt", "grapes.pdf")
    client.repeat("add", f"{place}/files", {"file_id": _file(client, "plums.txt"), "attributes": {"kind": "stone"}})
    client.processed(place)
    client.repeat("change", f"{place}/files/{_file(client, 'plums.txt')}", {"attributes": {"kind": "pome"}})
    client.repeat("rename", place, {"name": "more fruit"})
    found = client.repeat("search", f"{place}/search", {"query": "apples"})
    assert found["data"]


def added_again(client: Client) -> None:
    """Add a file that is being processed, to be cut otherwise."""
    place = _store(client, "apples.txt")
    client.repeat(
        "again", f"{place}/files", {"file_id": _file(client, "apples.txt"), "chunking_strategy": {"type": "auto"}}
    )
    client.processed(place)


def _under_way(client: Client, step: str, place: str) -> None:
    """Wait until some chunks of a file are written, unless the step that follows was begun already."""
    if step in client.notes.begun:
        return
    with closing(sqlite3.connect(client.notes.path.with_name("store.db"))) as store:
        while client.get(place)["status"] == "in_progress" and not store.execute("SELECT 1 FROM chunk").fetchone():
            time.sleep(0.002)


def taken_out(client: Client) -> None:
    """Take a file out of its store that is in it whole."""
    place = _store(client, "apples.txt", "plums.txt")
    client.processed(place)
    client.delete("take", f"{place}/files/{_file(client, 'apples.txt')}")


def deleted(client: Client) -> None:
    """Delete a file while it is processed for a store."""
    place = _store(client, "apples.txt", "plums.txt")
    _under_way(client, "take apples.txt", place)
    client.delete("take apples.txt", f"/files/{_file(client, 'apples.txt')}")
    client.processed(place)


def store_deleted(client: Client) -> None:
    """Delete a store while its files are processed."""
    place = _store(client, "apples.txt", "pears.txt")
    _under_way(client, "take store", place)
    client.delete("take store", place)


def batch(client: Client, *, cancel: bool = False) -> None:
    """Put files into a store at once; perhaps think better of it."""
    place = _store(client)
    listed = [{"file_id": _file(client, name)} for name in ("apples.txt", "pears.txt", "grapes.pdf")]
    made = client.post("batch", f"{place}/file_batches", {"files": listed})
    if cancel:
        client.post("cancel batch", f"{place}/file_batches/{made['id']}/cancel")
    client.processed(f"{place}/file_batches/{made['id']}")


def attached(client: Client) -> None:
    """Attach a file to a message, for which the thread's store is made."""
    client.post("assistant", "/assistants", {"model": "m"})
    attachments = [{"file_id": _file(client, "apples.txt"), "tools": [{"type": "file_search"}]}]
    message = {"role": "user", "content": "hello", "attachments": attachments}
    thread = client.post("thread", "/threads", {"messages": [message]})
    [store_id] = thread["tool_resources"]["file_search"]["vector_store_ids"]
    client.processed(f"/vector_stores/{store_id}")


_DONE, _FAILED = ("completed",), ("failed",)
_EITHER = ("completed", "failed", "cancelled")

KINDS: Mapping[str, Kind] = {
    "files": Kind(files, ()),
    "upload": Kind(upload, ()),
    "upload cancelled": Kind(lambda client: upload(client, cancel=True), ()),
    "store": Kind(store, (), files={"apples.txt": _DONE, "grapes.pdf": _FAILED, "plums.txt": _DONE}),
    "store, file added again": Kind(added_again, (), files={"apples.txt": _DONE}),
    "store, file taken out": Kind(taken_out, (), files={"plums.txt": _DONE}),
    "store, file deleted": Kind(deleted, (), files={"plums.txt": _DONE}),
    "store deleted": Kind(store_deleted, ()),
    "batch": Kind(batch, (), files={"apples.txt": _DONE, "pears.txt": _DONE, "grapes.pdf": _FAILED}),
    "batch cancelled": Kind(
        lambda client: batch(client, cancel=True),
        (),
        files=dict.fromkeys(("apples.txt", "pears.txt", "grapes.pdf"), _EITHER),
    ),
    "file attached": Kind(attached, (), files={"apples.txt": _DONE}),
}


# What must hold


def file_problems(client: Client, kind: Kind, folder: Path) -> Iterator[str]:
    """List what is wrong with files, their bytes, vector stores and chunks, once nothing is on its way any more."""
    _settle(folder)
    yield from _of_files(client)
    yield from _of_bytes(folder)
    yield from _of_stores(client, kind)
    yield from _of_batches(client)
    yield from _of_chunks(folder)


def _settle(folder: Path) -> None:
    """Wait until what is not needed is removed: it is by itself."""
    deadline = time.monotonic() + _SETTLED_S
    while time.monotonic() < deadline and (list(_of_bytes(folder)) or list(_of_chunks(folder))):
        time.sleep(0.05)


def _of_files(client: Client) -> Iterator[str]:
    """Each file that was made is there once, whole, and those that were deleted are not."""
    there = [file for file in client.all("/files") if file["purpose"] == "assistants"]
    begun = client.notes.begun
    wanted = {step.removeprefix("file ") for step in begun if step.startswith("file ")}
    wanted |= {"apples.txt"} if "complete" in begun else set()
    wanted -= {step.removeprefix("take ") for step in begun if step.startswith("take ")}
    if Counter(file["filename"] for file in there) != Counter(wanted):
        yield f"files {[file['filename'] for file in there]}, not {wanted}"
    for file in there:
        if client.content(file) != DATA[file["filename"]]:
            yield f"the bytes of {file['filename']} are others"
    for step, noted in client.notes.answers.items():
        if noted.get("object") == "file" and not noted.get("deleted") and noted["filename"] in wanted:
            if client.get(f"/files/{noted['id']}") != noted:
                yield f"what {step!r} made is otherwise"


def _of_bytes(folder: Path) -> Iterator[str]:
    """The bytes that are kept are those that rows need, each under its digest; none are half there."""
    with closing(sqlite3.connect(folder / "store.db")) as store:
        rows = store.execute("SELECT sha256 FROM file UNION SELECT sha256 FROM upload_part").fetchall()
    place = folder / "store.db-files"
    kept = {path.name: path for path in place.glob("??/*")}
    if set(kept) != {row[0] for row in rows}:
        yield f"bytes of {set(kept)}, and rows of {rows}"
    for digest, path in kept.items():
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            yield f"bytes {digest} are others"


def _of_stores(client: Client, kind: Kind) -> Iterator[str]:
    """There is one store, or none; its counts and bytes are those of its files, and its files are found."""
    stores = client.all("/vector_stores")
    if len(stores) != (kind.files is not None):
        yield f"{len(stores)} vector stores"
    for store in stores:
        place = f"/vector_stores/{store['id']}"
        files = client.all(f"{place}/files")
        counts = Counter(file["status"] for file in files)
        if store["file_counts"] != {**dict.fromkeys(store["file_counts"], 0), **counts, "total": len(files)}:
            yield f"counts {store['file_counts']} of {counts}"
        if store["usage_bytes"] != sum(file["usage_bytes"] for file in files):
            yield f"{store['usage_bytes']} bytes used, of {[file['usage_bytes'] for file in files]}"
        if store["status"] != "completed":
            yield f"a store is {store['status']}"
        named = {client.get(f"/files/{file['id']}")["filename"]: file for file in files}
        if named.keys() != (kind.files or {}).keys():
            yield f"files {set(named)} in the store"
        for name, file in named.items():
            yield from _of_store_file(client, kind, place, name, file)
        if client.notes.answers.get("rename") and store["name"] != "more fruit":
            yield f"a store is called {store['name']}"


def _of_store_file(client: Client, kind: Kind, place: str, name: str, file: Object) -> Iterator[str]:
    if file["status"] not in (kind.files or {}).get(name, ()):
        yield f"{name} is {file['status']}"
    word = name.partition(".")[0]
    found = {item["filename"] for item in client.post(f"look for {word}", f"{place}/search", {"query": word})["data"]}
    if (file["status"] == "completed") != (name in found):
        yield f"{name} is {file['status']}, and a search for it finds {found}"
    if file["status"] == "completed":
        content = client.get(f"{place}/files/{file['id']}/content")["data"][0]["text"]
        if content.encode() != DATA[name]:
            yield f"the content of {name} is another"
    if "change" in client.notes.answers and name == "plums.txt" and file["attributes"] != {"kind": "pome"}:
        yield f"the attributes of {name} are {file['attributes']}"


def _of_batches(client: Client) -> Iterator[str]:
    """A batch that was made counts all that it was made of, and has ended."""
    made = client.notes.answers.get("batch")
    if made is None:
        return
    place = f"/vector_stores/{made['vector_store_id']}/file_batches/{made['id']}"
    try:
        now = client.get(place)
    except NotFoundError:
        yield "a batch is lost"
        return
    counts = Counter(file["status"] for file in client.all(f"{place}/files"))
    if now["file_counts"] != {**dict.fromkeys(now["file_counts"], 0), **counts, "total": 3}:
        yield f"a batch counts {now['file_counts']}, of {counts}"
    if now["status"] != ("cancelled" if "cancel batch" in client.notes.answers else "completed"):
        yield f"a batch is {now['status']}"


def _of_chunks(folder: Path) -> Iterator[str]:
    """Chunks are those of the files that are completed, once, each with its words; none are left over."""
    with closing(sqlite3.connect(folder / "store.db")) as store:
        store.execute("BEGIN")
        rows = store.execute(
            "SELECT store_file.seq, chunking, filename FROM store_file JOIN file ON file.id = store_file.id "
            "WHERE store_file.status = 'completed'"
        ).fetchall()
        left: dict[int, list[tuple[int, str]]] = {}
        for seq, start, text in store.execute("SELECT store_file, start, text FROM chunk ORDER BY store_file, start"):
            left.setdefault(seq, []).append((start, text))
        words = store.execute("SELECT rowid FROM chunk_words ORDER BY rowid").fetchall()
        chunks = store.execute("SELECT seq FROM chunk ORDER BY seq").fetchall()
        given_up = store.execute("SELECT count(*) FROM chunk_gone").fetchone()[0]
        store.execute("ROLLBACK")
        store.execute("INSERT INTO chunk_words (chunk_words) VALUES ('integrity-check')")  # raises what is wrong
    for seq, cut, name in rows:
        static = json.loads(cut)["static"]
        size, overlap = static["max_chunk_size_tokens"], static["chunk_overlap_tokens"]
        wanted = [(chunk.start, chunk.text) for chunk in chunking.chunks(DATA[name].decode(), size, overlap)]
        if (there := left.pop(seq, [])) != wanted:
            yield f"{name} has {len(there)} chunks, not {len(wanted)}"
    if left or given_up:
        yield f"{[len(there) for there in left.values()]} chunks of no file; {given_up} files to be cleared away"
    if words != chunks:
        yield f"{len(chunks)} chunks, with {len(words)} rows of words"
