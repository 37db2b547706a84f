"""Files on their way into a vector store with vectors, against the slower of two things: reading, or embedding.

The embedding model takes its time, a text after the other, as one on a machine of its own does. It is set to be about
as slow as reading, which is the hardest case.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Sequence

from tests.benchmarks.table import Row, Scale, against, ms
from toolkit.engine import Engine
from toolkit.engine.search.embedder import Embedder

__all__ = ["measure"]

_VECTOR = [float(number % 17) for number in range(384)]
_FILE_BYTES = 60_000


class _Slow:
    """Takes so long for each text, one request after the other."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.texts = 0
        self._locks: dict[asyncio.AbstractEventLoop, asyncio.Lock] = {}

    async def embed(self, model: str, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        async with self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
            await asyncio.sleep(self._seconds * len(texts))
        self.texts += len(texts)
        return [_VECTOR] * len(texts)

    async def aclose(self) -> None:
        pass


def measure(scale: Scale) -> Iterator[Row]:
    files = _files(scale.times(60, 2))
    counted = _Slow(0)
    reading_s = _ingest(files, None)
    _ingest(files, counted)
    slow = _Slow(reading_s / counted.texts)
    both_s = _ingest(files, slow)
    floor_s = max(reading_s, slow.texts * reading_s / counted.texts)
    yield against(
        f"{len(files)} files with vectors, against the slower of reading and embedding", both_s, floor_s, 1.2, ms
    )


def _files(count: int) -> list[tuple[str, bytes]]:
    made = random.Random(1)
    words = [f"word{number}" for number in range(5000)]
    return [(f"{number}.txt", " ".join(made.choices(words, k=_FILE_BYTES // 9)).encode()) for number in range(count)]


def _ingest(files: list[tuple[str, bytes]], embedder: Embedder | None) -> float:
    """Put files into a store, and give the seconds from their being added to the last one's being completed."""
    model = "slow" if embedder is not None else None
    with Engine("sqlite:///:memory:", embeddings=embedder, embeddings_model=model) as engine:
        client = engine.client()
        ids = [client.files.create(file=file, purpose="assistants").id for file in files]
        began = time.perf_counter()
        store = client.vector_stores.create(file_ids=ids)
        while (counts := client.vector_stores.retrieve(store.id).file_counts).in_progress:
            time.sleep(0.01)
        took = time.perf_counter() - began
        assert counts.completed == len(files)
    return took
