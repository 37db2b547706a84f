"""The chunks of a collection and the words in them, cut and indexed by the engine's own code."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks.search.questions import Collection
from toolkit.engine.objects.store_files import AUTO
from toolkit.engine.search import chunking
from toolkit.engine.search.reading import text_of
from toolkit.engine.search.words import indexed
from toolkit.engine.store.statements import migrations, statements

__all__ = ["Index", "Piece"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk: its page, where in it it starts and ends, and its text with the headings above."""

    page: str
    start: int
    end: int
    text: str


class Index:
    """The chunks of a collection, numbered from 0, in an index of words as a store has it."""

    def __init__(self, collection: Collection) -> None:
        self.pieces = [piece for page in collection.pages for piece in _pieces(page.name, page.text)]
        self.words = [indexed(piece.text).split(" ") for piece in self.pieces]
        self._connection, self._asked = _empty(), _empty()
        insert = statements()["chunk.insert_words"]
        for number, words in enumerate(self.words):
            self._connection.execute(insert, {"seq": number, "store": "s1", "words": " ".join(words)})

    def having(self, word: str) -> Sequence[int]:
        """List the chunks that have a word, in any of its forms."""
        rows = self._connection.execute("SELECT rowid FROM chunk_words(?)", [f'words : "{word}"'])
        return [number for (number,) in rows]

    def bm25(self, words: Sequence[str]) -> Mapping[int, float]:
        """Give the chunks that have any of these words, and how well they fit as FTS5 has it."""
        any_of = " OR ".join(f'"{word}"' for word in words)
        rows = self._connection.execute("SELECT rowid, -rank FROM chunk_words(?)", [f"words : ({any_of})"])
        return dict(rows.fetchall())

    def terms(self) -> Sequence[Mapping[str, int]]:
        """Count the stems of each chunk."""
        counted: list[dict[str, int]] = [{} for _ in self.pieces]
        counts = "SELECT doc, term, count(*) FROM term WHERE col = 'words' GROUP BY doc, term"
        for number, term, times in self._connection.execute(counts):
            counted[number][term] = times
        return counted

    def stems(self, words: Sequence[str]) -> Sequence[str]:
        """Give the stems of words."""
        self._asked.execute("INSERT INTO chunk_words (words) VALUES (?)", [" ".join(words)])
        rows = self._asked.execute("SELECT term FROM term").fetchall()
        self._asked.rollback()
        return [term for (term,) in rows]

    def close(self) -> None:
        self._connection.close()
        self._asked.close()


def _empty() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    for _, script in migrations("sqlite"):
        connection.executescript(script)
    connection.execute("CREATE VIRTUAL TABLE term USING fts5vocab(chunk_words, instance)")
    connection.commit()
    return connection


def _pieces(page: str, text: str) -> Sequence[Piece]:
    if not text.strip():
        return []
    read = text_of(text.encode(), page)
    static = AUTO["static"]
    cut = chunking.chunks(read.value, static["max_chunk_size_tokens"], static["chunk_overlap_tokens"])
    placed = [(chunk, read.place(chunk.start)) for chunk in cut]
    return [
        Piece(page, chunk.start, chunk.start + len(chunk.text), f"{place} {chunk.text}" if place else chunk.text)
        for chunk, place in placed
    ]
