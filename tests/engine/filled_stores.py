"""Vector stores with files in them, put into a store by the engine's own moves, as a worker would."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from toolkit.engine.blobs import Blob
from toolkit.engine.jsontext import id_of
from toolkit.engine.objects import files, references, store_files, vector_stores
from toolkit.engine.objects.store_files import CreateStoreFile, Failure
from toolkit.engine.search.searching import Question, Search, hits, most_of, page_of, queries_of
from toolkit.engine.search.words import indexed, named
from toolkit.engine.store import Tx

__all__ = ["NOW", "Do", "add", "claim", "counts", "end", "new_file", "new_store", "search", "write"]

Do = Callable[[Callable[..., Any]], Any]

NOW = 1_800_000_000


def new_file(do: Do, name: str = "a.txt", *, project: str = "p", purpose: str = "assistants") -> str:
    blob = Blob("ab" * 32, 7)
    return id_of(
        do(lambda tx: files.create(tx, project, blob, NOW, filename=name, purpose=purpose, expires_after=None))
    )


def new_store(do: Do, *file_ids: str, project: str = "p", **settings: Any) -> str:
    made: str = do(lambda tx: vector_stores.new(tx, project, NOW, file_ids=file_ids, **settings))
    return made


def search(tx: Tx, project: str, store_id: str, request: Search, now: int) -> str:
    """Search by words alone, in one transaction."""
    store = references.live_store(tx, project, store_id, now)
    queries = queries_of(request)
    found = hits(tx, [store], [Question(query) for query in queries], request.filters, most_of(request))
    return page_of(request, queries, found)


def claim(tx: Tx, store_id: str, file_id: str, *, project: str = "p", owner: str = "worker") -> Any:
    """Take a file, and give its row."""
    row = tx.one("store_file.get", store=store_id, id=file_id, project=project)
    assert row is not None
    return tx.one("store_file.claim", seq=row["seq"], owner=owner)


def write(tx: Tx, row: Any, texts: Sequence[str], start: int = 0) -> None:
    """Add chunks to a file, one after the other."""
    store = tx.one("vector_store.number", id=row["store"])
    assert store is not None
    for text in texts:
        inserted = tx.one("chunk.insert", store_file=row["seq"], start=start, text=text, place="")
        assert inserted is not None
        tx.run("chunk.insert_words", seq=inserted["seq"], store=named(store), words=indexed(text))
        start += len(text)
    store_files.cut(tx, row, len(texts))


def end(do: Do, store_id: str, file_id: str, *texts: str, project: str = "p", failure: Failure | None = None) -> None:
    """Process a file: it has these chunks, or fails."""

    def work(tx: Tx) -> None:
        row = claim(tx, store_id, file_id, project=project)
        write(tx, row, texts)
        size = sum(len(text.encode()) for text in texts)
        event: Any = "fail" if failure else "complete"
        assert store_files.move(tx, row, event, owner="worker", usage_bytes=size, failure=failure)

    do(work)


def add(do: Do, store_id: str, *texts: str, name: str = "a.txt", project: str = "p", **settings: Any) -> str:
    """Add a file with these chunks, which is processed; gives its id."""
    file_id = new_file(do, name, project=project)
    request = CreateStoreFile(file_id=file_id, **settings)
    do(lambda tx: store_files.create(tx, project, store_id, request, NOW))
    end(do, store_id, file_id, *texts, project=project)
    return file_id


def counts(answer: str) -> list[int]:
    """Give the counts of a store or batch: in progress, completed, failed, cancelled; and check their total."""
    found = json.loads(answer)["file_counts"]
    assert found.pop("total") == sum(found.values())
    return [found[name] for name in ("in_progress", "completed", "failed", "cancelled")]
