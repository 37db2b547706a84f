"""Vectors by the thousand: how they are kept, and which of them are nearest to a question's.

Every vector is compared, so that what is found is exact with filters too: 100,000 of 384 numbers take some 10 ms, which
is reading them from memory. They are kept there, stores that were used last first, within a bound in bytes; those of a
store that has more than the bound are read from the database a few at a time for every question.

numpy is imported here and nowhere else (extra `[files]`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from toolkit.engine.search.embedder import Meaning
from toolkit.engine.store import Tx

__all__ = ["BLOCK_CHUNKS", "Matrices", "floor_of", "numbered", "packed"]

_Numbers = npt.NDArray[np.int64]
_Vectors = npt.NDArray[np.float32]

BLOCK_CHUNKS: Final = 64
"""How many chunks have their vectors in one row of the database, at most."""
_PART_BYTES: Final = 2**24
"""What is read from the database together, about."""
_LARGEST_BYTES: Final = 2**28
"""What is kept in one piece at most, to be compared in one call, which all processors share; joining copies it."""
_BESIDES: Final = 16
"""Bytes that are kept with each vector: its chunk and its file."""
_HIGHEST_FLOOR: Final = 0.95


def packed(vectors: Iterable[Sequence[float]]) -> bytes:
    """Bring vectors to length 1 and write them one after the other, 4 bytes a number. Raises ValueError.

    A vector of zeros stays one: it is near to nothing.
    """
    matrix = np.asarray(list(vectors), dtype="<f8")
    if matrix.ndim != 2 or not np.isfinite(matrix).all():
        raise ValueError("vectors of one length, with finite numbers, are needed")
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return (matrix / np.where(lengths > 0, lengths, 1)).astype("<f4").tobytes()


def numbered(chunks: Sequence[int]) -> bytes:
    """Write the numbers of chunks, 8 bytes each."""
    return np.asarray(chunks, dtype="<i8").tobytes()


def floor_of(vectors: Sequence[Sequence[float]]) -> float:
    """Give the mean cosine of vectors of texts that have nothing in common: many models give them far more than 0."""
    matrix = np.frombuffer(packed(vectors), dtype="<f4").reshape(len(vectors), -1)
    between = (matrix @ matrix.T)[np.triu_indices(len(vectors), 1)]
    return float(np.clip(between.mean(), 0, _HIGHEST_FLOOR))


@dataclass(frozen=True, slots=True)
class _Part:
    """Some vectors: row for row the chunk and the file that each is of."""

    chunks: _Numbers
    files: _Numbers
    vectors: _Vectors

    @property
    def size(self) -> int:
        return self.chunks.nbytes + self.files.nbytes + self.vectors.nbytes


@dataclass(frozen=True, slots=True)
class _Kept:
    """The vectors of a store by one model, as of when it had so many blocks and the newest was this."""

    blocks: int
    newest: int
    parts: tuple[_Part, ...]

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)


_NOTHING: Final = _Kept(0, 0, ())


class Matrices:
    """The vectors of vector stores, in memory as far as `most_bytes` go. Threads may share it."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[tuple[int, int], _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def packed(self, vectors: Iterable[Sequence[float]]) -> bytes:
        """See `packed`, the function."""
        return packed(vectors)

    @property
    def bytes_kept(self) -> int:
        """How much of the memory is used."""
        with self._lock:
            return sum(kept.size for kept in self._kept.values())

    def nearest(
        self, tx: Tx, store: int, meaning: Meaning, most: int, files: Collection[int] | None, also: Collection[int]
    ) -> Mapping[int, float]:
        """Give the chunks of a store whose vectors are nearest, and those in `also`: chunk -> cosine.

        `files` are those to look in, None all of them.
        """
        question = np.frombuffer(meaning.vector, dtype="<f4")
        wanted = None if files is None else np.fromiter(files, dtype=np.int64)
        others = np.fromiter(also, dtype=np.int64)
        best: list[tuple[float, int]] = []
        found: dict[int, float] = {}
        for part in self._parts(tx, store, meaning):
            cosines = part.vectors @ question
            if others.size:
                asked = np.isin(part.chunks, others)
                found.update(zip(part.chunks[asked].tolist(), cosines[asked].tolist(), strict=True))
            chunks = part.chunks
            if wanted is not None:
                inside = np.isin(part.files, wanted)
                cosines, chunks = cosines[inside], chunks[inside]
            if len(cosines) > most:
                top = np.argpartition(cosines, -most)[-most:]
                cosines, chunks = cosines[top], chunks[top]
            best = sorted([*best, *zip(cosines.tolist(), chunks.tolist(), strict=True)], reverse=True)[:most]
        return found | {chunk: cosine for cosine, chunk in best}

    def _parts(self, tx: Tx, store: int, meaning: Meaning) -> Generator[_Part, None, None]:
        """Walk the vectors of a store: those in memory that are still there, then the others, kept if they fit."""
        key, about = (store, meaning.embedder), {"store": store, "embedder": meaning.embedder}
        with self._lock:
            kept = self._kept.get(key, _NOTHING)
        now = tx.one("vector_block.version", known=kept.newest, **about)
        assert now is not None
        if now["known"] != kept.blocks:  # some have gone
            kept = _NOTHING
        yield from kept.parts
        if now["blocks"] == kept.blocks:
            return self._keep(key, kept)
        width, parts = len(meaning.vector), list(kept.parts)
        fits = (tx.one("vector_block.chunks", **about) or {"chunks": 0})["chunks"] * (width + _BESIDES) <= self._most
        if not fits:
            self._keep(key, _NOTHING)
        for part in _read(tx, about, kept.newest, width):
            yield part
            if fits:
                _add(parts, part)
        if fits:
            self._keep(key, _Kept(now["blocks"], now["newest"], tuple(parts)))
        return None

    def _keep(self, key: tuple[int, int], kept: _Kept) -> None:
        """Keep what was used last; what was used longest ago goes when there is no room."""
        with self._lock:
            self._kept.pop(key, None)
            if kept.blocks:
                self._kept[key] = kept
            size = sum(each.size for each in self._kept.values())
            while size > self._most:
                size -= self._kept.popitem(last=False)[1].size


def _read(tx: Tx, about: Mapping[str, Any], after: int, width: int) -> Iterator[_Part]:
    """Walk the vectors of the blocks after one, some blocks at a time; `width` is the bytes of a vector."""
    limit = max(1, _PART_BYTES // (width * BLOCK_CHUNKS))
    while rows := tx.all("vector_block.after", after=after, limit=limit, **about):
        after = rows[-1]["seq"]
        chunks = np.frombuffer(b"".join(row["chunks"] for row in rows), dtype="<i8")
        files = np.repeat([row["store_file"] for row in rows], [len(row["chunks"]) // 8 for row in rows])
        vectors = np.frombuffer(b"".join(row["vectors"] for row in rows), dtype="<f4").reshape(len(chunks), -1)
        yield _Part(chunks, files, vectors)


def _add(parts: list[_Part], part: _Part) -> None:
    """Add a part, and join it with those before it that are no larger, or twice as large: so that they stay few."""
    while parts and parts[-1].size <= 2 * part.size and parts[-1].size + part.size <= _LARGEST_BYTES:
        last = parts.pop()
        part = _Part(
            np.concatenate((last.chunks, part.chunks)),
            np.concatenate((last.files, part.files)),
            np.concatenate((last.vectors, part.vectors)),
        )
    parts.append(part)
