"""Search through the engine, as an application does: files put into a vector store, and the store searched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks.search.index import Piece
from tests.benchmarks.search.measures import Search
from tests.benchmarks.search.questions import Collection
from toolkit.engine import Engine

__all__ = ["searched"]

_AT_ONCE = 100
_RESULTS = 20


@contextmanager
def searched(collection: Collection) -> Iterator[Search]:
    """Have an engine with the collection in a vector store."""
    with Engine("sqlite:///:memory:") as engine:
        client = engine.client()
        store = client.vector_stores.create(name=collection.name)
        texts = {f"{number}-{page.name.replace('/', '-')}": page for number, page in enumerate(collection.pages)}
        files = [(name, page.text.encode()) for name, page in texts.items() if page.text.strip()]
        for at in range(0, len(files), _AT_ONCE):
            client.vector_stores.file_batches.upload_and_poll(store.id, files=files[at : at + _AT_ONCE])
        assert client.vector_stores.retrieve(store.id).file_counts.completed == len(files)

        def search(question: str) -> list[Piece]:
            found = client.vector_stores.search(store.id, query=question, max_num_results=_RESULTS)
            pieces = list[Piece]()
            for result in found:
                page, text = texts[result.filename], result.content[0].text
                start = page.text.index(text)
                pieces.append(Piece(page.name, start, start + len(text), text))
            return pieces

        yield search
