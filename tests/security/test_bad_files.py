"""Files that people and attackers really send, in one batch: each ends for itself, and the good ones are found."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.engine.search import documents
from toolkit.engine import Engine
from toolkit.engine.search.sealing import can_seal

pytestmark = pytest.mark.skipif(not can_seal(), reason="documents are read on Linux alone")

LOCKED = documents.pdf("secret").replace(
    b"/Root 1 0 R",
    b"/Root 1 0 R /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <" + b"41" * 32 + b"> /U <" + b"42" * 32 + b"> >> "
    b"/ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>]",
)


def many_pages() -> bytes:
    """Write a PDF of 100,000 pages in a kilobyte: the ten children of each node are one and the same."""
    page = 4
    objects = {1: b"<< /Type /Catalog /Pages 2 0 R >>", page + 5: b"<< /Type /Page /MediaBox [0 0 9 9] >>"}
    objects[2] = b"<< /Type /Pages /Kids [%s] /Count 100000 >>" % (b"%d 0 R " % page * 10)
    for level in range(1, 5):
        kids = b"%d 0 R " % (page + level if level < 4 else page + 5) * 10
        objects[page + level - 1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, 10 ** (5 - level))
    made, offsets = b"%PDF-1.4\n", dict[int, int]()
    for number, body in sorted(objects.items()):
        offsets[number] = len(made)
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%d 1\n%010d 00000 n \n" % (number, at) for number, at in sorted(offsets.items()))
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (page + 6, len(made))
    return made + b"xref\n0 1\n0000000000 65535 f \n" + table + end


def fetching(url: str) -> bytes:
    """Write HTML that asks for things of a server."""
    return f'<html><body><img src="{url}/a"><link rel=stylesheet href="{url}/b"><p>quartz</p></body></html>'.encode()


def bad() -> dict[str, tuple[bytes, str, str]]:
    """Make name -> bytes, the code of `last_error`, and what its message says."""
    return {
        "empty.txt": (b"", "invalid_file", "no text"),
        "blank.md": (b" \n\t\n", "invalid_file", "no text"),
        "locked.pdf": (LOCKED, "invalid_file", "password"),
        "half.pdf": (documents.pdf("Roses")[:300], "invalid_file", "damaged"),
        "pages.pdf": (many_pages(), "invalid_file", "pages; at most 20000"),
        "pictures.pdf": (documents.pdf(""), "invalid_file", "no text"),
        "half.docx": (documents.docx()[:2000] + b"word/document.xml", "invalid_file", "damaged"),
        "bomb.docx": (documents.bomb(513), "invalid_file", "unpacks to more"),
        "some.zip": (documents.zipped(**{"a.txt": b"x"}), "unsupported_file", "no document of a kind"),
        "locked.xlsx": (documents.doc("secret", stream="EncryptedPackage"), "invalid_file", "password"),
        "sums.xls": (documents.doc("1 2 3", stream="Workbook"), "unsupported_file", "old Office file"),
        "picture.txt": (b"\x89PNG\r\n\x1a\n", "unsupported_file", "PNG"),
        "bytes.json": (bytes(range(256)) * 9, "unsupported_file", "no text has"),
        "half16.txt": ("quartz".encode("utf-16")[:-1], "invalid_file", "UTF-16"),
    }


GOOD: dict[str, bytes] = {
    "text.pdf": b"quartz in a file of text that is called a PDF",
    "pdf.txt": documents.pdf("quartz in a PDF that is called a text"),
    "both.pdf": documents.pdf("quartz and more") + documents.zipped(**{"word/document.xml": b"<evil/>"}),
    "mark.txt": b"\xef\xbb\xbfquartz with a mark of UTF-8 before it",
    "old.txt": "quartz and a caf\u00e9 in an old encoding".encode("latin-1"),
    "wide.txt": "quartz in UTF-16".encode("utf-16"),
    "../../name.txt": b"quartz under a name that would like to be a path",
}


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.setblocking(False)
        yield server


def test_each_ends_for_itself(listener: socket.socket) -> None:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    broken, good = bad(), {**GOOD, "page.html": fetching(url)}
    with Engine("sqlite:///:memory:") as engine:
        client = engine.client()
        store = client.vector_stores.create(name="s")
        files = [(name, data) for name, (data, _, _) in broken.items() if data]
        batch = client.vector_stores.file_batches.upload_and_poll(store.id, files=[*files, *good.items()])
        assert (batch.file_counts.failed, batch.file_counts.completed) == (len(files), len(good))
        failed: dict[str, Any] = {}
        for file in client.vector_stores.files.list(store.id, filter="failed", limit=100):
            failed[client.files.retrieve(file.id).filename] = file.last_error
        for name, (data, code, said) in broken.items():
            if data:
                assert (failed[name].code, said in failed[name].message) == (code, True), (name, failed[name])
        found = client.vector_stores.search(store.id, query="quartz", max_num_results=50)
        assert len({hit.file_id for hit in found}) == len(good)
    with pytest.raises(BlockingIOError):
        listener.accept()  # nobody asked it for anything
