"""Vectors that need no model: fitted on the chunks themselves, or made of the letters of words."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import log, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.search.index import Index
from toolkit.engine.search.words import wanted

__all__ = ["grams", "latent"]

Matrix = NDArray[np.float32]
Vectors = tuple[Matrix, Callable[[str], Matrix]]
"""A row of length 1 for each chunk, and what makes one of a question."""

_TOO_COMMON: Final = 0.5
_BUCKETS: Final = 4096
_SIZES: Final = (3, 4, 5)


def latent(index: Index, dimensions: int) -> Vectors:
    """Fit latent semantic vectors: the best few dimensions of what words stand in which chunks."""
    counted = index.terms()
    chunks = Counter(term for terms in counted for term in terms)
    known = [term for term, having in chunks.items() if 2 <= having <= len(counted) * _TOO_COMMON]
    column = {term: number for number, term in enumerate(known)}
    rare = np.array([log((len(counted) + 1) / (chunks[term] + 1)) for term in known], np.float32)
    table = np.zeros((len(counted), len(known)), np.float32)
    for number, terms in enumerate(counted):
        for term, times in terms.items():
            if term in column:
                table[number, column[term]] = 1 + log(times)
    table = _unit(table * rare)
    values, rows = np.linalg.eigh(table @ table.T)
    strongest = np.argsort(-values)[:dimensions]
    turn = (table.T @ rows[:, strongest]) / np.sqrt(np.maximum(values[strongest], 1e-9))

    def vector(question: str) -> Matrix:
        row = np.zeros(len(known), np.float32)
        for term in index.stems(wanted(question)):
            if term in column:
                row[column[term]] = rare[column[term]]
        return _unit(row @ turn)

    return _unit(table @ turn), vector


def grams(index: Index) -> Vectors:
    """Make vectors of the pieces of words, three to five characters long, each in a bucket by its hash."""
    counted = [Counter(words) for words in index.words]
    chunks = Counter(word for words in counted for word in words)
    rare = {word: log((len(counted) + 1) / (having + 0.5)) for word, having in chunks.items()}
    unknown = log(2 * (len(counted) + 1))

    def row(words: Mapping[str, int]) -> Matrix:
        made = np.zeros(_BUCKETS, np.float32)
        for word, times in words.items():
            pieces = _letters(word)
            for piece in pieces:
                drawn = zlib.crc32(piece.encode())
                weight = rare.get(word, unknown) * (1 + log(times)) / sqrt(len(pieces))
                made[drawn % _BUCKETS] += weight if drawn >> 31 else -weight
        return _unit(made)

    return np.stack([row(words) for words in counted]), lambda question: row(dict.fromkeys(wanted(question), 1))


def _letters(word: str) -> Sequence[str]:
    whole = f"<{word}>"
    return [whole[at : at + size] for size in _SIZES for at in range(len(whole) - size + 1)]


def _unit(rows: Matrix) -> Matrix:
    unit: Matrix = rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), np.float32(1e-9))
    return unit
