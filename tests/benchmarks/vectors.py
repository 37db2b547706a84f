"""A search among many chunks with vectors, against the bare calls of both indices, and what fits into no memory.

The chunks are made up: words of a Zipf-like distribution, vectors in clusters. The question has five words, none of the
thirty commonest, which would not be looked for.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tests.benchmarks.table import Row, Scale, against, ms
from toolkit.engine.search.embedder import Meaning
from toolkit.engine.search.searching import Question, hits
from toolkit.engine.search.vectors import BLOCK_CHUNKS, Matrices, numbered
from toolkit.engine.search.words import named
from toolkit.engine.store import Tx
from toolkit.engine.store.address import SQLiteAddress
from toolkit.engine.store.sqlite import SQLite
from toolkit.engine.store.statements import statements

__all__ = ["measure"]

_ROOT = Path(__file__).parents[2]
_WORDS = 100
"""In a chunk."""
_FILE = 40
"""Chunks of a file."""
_ASKED = 10
"""Results."""


_MEMORY_BYTES = 512 * 2**20
"""What an engine keeps of vectors, unless it is told otherwise."""
_BESIDES_MIB = 256
"""What comparing takes besides, at most: what is read, and what is sorted."""


def measure(scale: Scale) -> Iterator[Row]:
    count = scale.times(100_000, 200)
    with tempfile.TemporaryDirectory() as folder:
        yield from asyncio.run(_measure(Path(folder) / "a.db", count, 384, scale.times(40, 3)))
    if not Path("/proc/self/status").exists():  # no figures of memory elsewhere without another package
        return
    for count, dimensions in ((1_000_000, 384), (100_000, 1536)):
        yield from _large(scale.times(count, 200), dimensions, scale.times(5, 1))


def _large(count: int, dimensions: int, rounds: int) -> Iterator[Row]:
    """Compare more vectors than are kept in memory, in a process of its own whose memory is looked at."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [folder, *map(str, (count, dimensions, rounds))]
        for step in ("fill", "compare"):
            command = [sys.executable, "-m", "tests.benchmarks.vectors", step, *arguments]
            done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=_ROOT)
    seconds, mib = map(float, done.stdout.split())
    what = f"nearest of {count:,} vectors of {dimensions}, {_MEMORY_BYTES // 2**20} MiB of memory"
    yield Row(f"{what}: p50", ms(seconds), seconds, 30, " s")
    yield Row(f"{what}: grows by", f"{mib:.0f} MiB", mib, _MEMORY_BYTES / 2**20 + _BESIDES_MIB, " MiB")


def _fill_large(path: Path, count: int, dimensions: int) -> None:
    asyncio.run(SQLite(SQLiteAddress(path)).aclose())
    connection = sqlite3.connect(path, isolation_level=None)
    made = np.random.default_rng(1)
    for first in range(0, count, BLOCK_CHUNKS * 100):
        connection.execute("BEGIN")
        for at in range(first, min(first + BLOCK_CHUNKS * 100, count), BLOCK_CHUNKS):
            chunks = range(at + 1, min(at + BLOCK_CHUNKS, count) + 1)
            vectors = made.standard_normal((len(chunks), dimensions), dtype=np.float32)
            data = (vectors / np.linalg.norm(vectors, axis=1)[:, None]).tobytes()
            about = {"store": 1, "embedder": 1, "store_file": at + 1, "last_start": 0}
            values = {**about, "chunks": numbered(chunks), "vectors": data}
            connection.execute(statements()["vector_block.insert"], values)
        connection.execute("COMMIT")
    connection.close()


async def _compare_large(path: Path, dimensions: int, rounds: int) -> tuple[float, float]:
    """Give the median seconds of a comparison, and by how many MiB the process has grown."""
    store, matrices = SQLite(SQLiteAddress(path)), Matrices(_MEMORY_BYTES)
    took: list[float] = []
    before = _peak_mib()
    for number in range(rounds + 1):
        question = np.random.default_rng(number).standard_normal(dimensions)
        meaning = Meaning(1, 0.0, (question / np.linalg.norm(question)).astype("<f4").tobytes())
        began = time.perf_counter()
        assert await store.read(lambda tx, meaning=meaning: matrices.nearest(tx, 1, meaning, _ASKED, None, ()))
        took.append(time.perf_counter() - began)
    after = _peak_mib()
    await store.aclose()
    return median(took[1:]), after - before


def _peak_mib() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no such figure here")


async def _measure(path: Path, count: int, dimensions: int, rounds: int) -> list[Row]:
    store = SQLite(SQLiteAddress(path))
    try:
        vectors = _vectors(count, dimensions)
        row = await _fill(store, vectors)
        questions = [_question(number, vectors) for number in range(rounds)]
        there, none = Matrices(2**32), Matrices(0)
        took: dict[str, list[float]] = {"whole": [], "bare": [], "read": []}
        await _search(store, row, questions[0], there)  # it is read into memory once
        for question in questions:
            for name, matrices in (("whole", there), ("read", none)):
                began = time.perf_counter()
                assert await _search(store, row, question, matrices)
                took[name].append(time.perf_counter() - began)
            began = time.perf_counter()
            await store.read(partial(_bare, vectors=vectors, question=question))
            took["bare"].append(time.perf_counter() - began)
    finally:
        await store.aclose()
    whole, bare, read = (median(took[name]) for name in ("whole", "bare", "read"))
    chunks = f"{count:,} chunks of {dimensions}"
    return [
        against(f"search by words and vectors, {chunks}, against both indices alone", whole, bare, 3, ms),
        Row(f"search by words and vectors, {chunks}, p50", ms(whole), whole * 1000, 50, " ms"),
        against(f"search of {chunks} that are read for each question, against memory", read, whole, 20, ms),
    ]


def _vectors(count: int, dimensions: int) -> Any:
    made = np.random.default_rng(1)
    centres = made.standard_normal((200, dimensions))
    vectors = centres[made.integers(0, 200, count)] + made.standard_normal((count, dimensions))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("<f4")


def _words(random_: random.Random, count: int, least: int = 0) -> str:
    return " ".join(f"w{(int(random_.paretovariate(0.7)) + least) % 50_000}" for _ in range(count))


async def _fill(store: SQLite, vectors: Any) -> Any:
    """Put chunks with these vectors into a vector store; its row."""
    made = random.Random(1)

    def begin(tx: Any) -> None:
        execute = tx._connection.execute
        execute("INSERT INTO embedder (name, dimensions, floor) VALUES ('m', ?, 0)", (vectors.shape[1],))
        execute(
            "INSERT INTO vector_store (id, project, created_at, last_active_at, about) VALUES ('vs_a', 'p', 1, 1, '{}')"
        )
        execute(
            "INSERT INTO file (id, project, created_at, purpose, filename, bytes, sha256, body) "
            "VALUES ('file-a', 'p', 1, 'assistants', 'a.txt', 1, 'a', '{}')"
        )

    def file(tx: Any, first: int) -> None:
        execute = tx._connection.execute
        [[seq]] = execute(
            "INSERT INTO store_file (store, id, project, created_at, status, chunking) "
            "VALUES ('vs_a', ?, 'p', 1, 'completed', '{}') RETURNING seq",
            ("file-a" if first == 0 else f"file-{first}",),
        ).fetchall()
        if first:
            execute(
                "INSERT INTO file (id, project, created_at, purpose, filename, bytes, sha256, body) "
                "VALUES (?, 'p', 1, 'assistants', 'a.txt', 1, 'a', '{}')",
                (f"file-{first}",),
            )
        numbers: list[int] = []
        for at in range(first, min(first + _FILE, len(vectors))):
            text = _words(made, _WORDS)
            inserted = tx.one("chunk.insert", store_file=seq, start=at * 1000, text=text, place="")
            numbers.append(inserted["seq"])
            tx.run("chunk.insert_words", seq=inserted["seq"], store="s1", words=text)
        data = {"chunks": numbered(numbers), "vectors": vectors[first : first + _FILE].tobytes()}
        tx.run("vector_block.insert", store=1, embedder=1, store_file=seq, last_start=first, **data)

    await store.write(begin)
    for first in range(0, len(vectors), _FILE):
        await store.write(lambda tx, first=first: file(tx, first))
    row = await store.read(lambda tx: tx.one("vector_store.get", id="vs_a", project="p"))
    assert row is not None
    assert named(row) == "s1"
    assert _FILE <= BLOCK_CHUNKS
    return row


def _question(number: int, vectors: Any) -> Question:
    made = random.Random(number)
    near = vectors[made.randrange(len(vectors))]
    return Question(_words(made, 5, 30), [Meaning(1, 0.0, near.tobytes())])


async def _search(store: SQLite, row: Any, question: Question, matrices: Matrices) -> Any:
    def work(tx: Tx) -> Any:
        return hits(tx, [row], [question], None, _ASKED, matrices)

    return await store.read(work)


def _bare(tx: Any, vectors: Any, question: Question) -> Any:
    """Ask both indices and nothing more: FTS5 for the best by its own ranking, numpy for the nearest."""
    words = " OR ".join(f'"{word}"' for word in dict.fromkeys(question.text.split()))
    ranked = "SELECT rowid FROM chunk_words WHERE chunk_words MATCH ? ORDER BY rank LIMIT ?"
    best = tx._connection.execute(ranked, (f'store : "s1" AND words : ({words})', _ASKED)).fetchall()
    cosines = vectors @ np.frombuffer(question.meanings[0].vector, "<f4")
    return best, np.argpartition(cosines, -_ASKED)[-_ASKED:]


if __name__ == "__main__":
    step, folder, count, dimensions, rounds = sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:])
    if step == "fill":
        _fill_large(folder / "a.db", count, dimensions)
    else:
        print(*asyncio.run(_compare_large(folder / "a.db", dimensions, rounds)))
