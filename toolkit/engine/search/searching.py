"""Search in a vector store: what may be asked, and what is found.

Chunks are found by their words, and where they have vectors by what they are about. A score lies between 0 and 1. By
words it is the share of the question's words that a chunk has, where a word counts the more the fewer chunks of the
store have it, and half when it stands in the chunk once, two thirds when twice, n of n + 1 when n times; a fifth is how
near to each other the chunk has words that stand side by side in the question. With vectors that is two fifths of the
score. Three fifths are how near the chunk is to the question: 1 when they point the same way, 0 when their cosine is
what texts have that have nothing in common. Nothing in it depends on other stores.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Annotated, Any, Final, Literal, NotRequired, Protocol

from pydantic import Discriminator, Field, Tag, with_config
from typing_extensions import TypedDict

from toolkit.engine.jsontext import dump
from toolkit.engine.objects.fields import SHAPE, Request, by_type
from toolkit.engine.search.embedder import Meaning
from toolkit.engine.search.filters import Filter, matches
from toolkit.engine.search.neighbours import neighbours, together
from toolkit.engine.search.words import named, wanted
from toolkit.engine.store import Row, Tx

__all__ = ["Hit", "Nearness", "Question", "Search", "hits", "most_of", "page_of", "queries_of"]

_LOOKED_AT: Final = 4
"""How many chunks are looked at more closely, for each that is wanted: in these the words are counted."""
_WORTH: Final = 0.2
"""Less than this part of a chunk is not worth telling when the rest was told."""
_MOST_WORDS: Final = 256
"""Of all queries of a request; each is looked up by itself."""
_COMMON: Final = 2048
"""Of a word that more chunks have, no more are read: it would cost much and tell little."""
_TOGETHER: Final = 0.2
"""What part of a score by words it is to have them side by side."""
_NEARNESS: Final = 0.6
"""What part of a score is nearness, where there are vectors; the rest is words."""
_RESULTS: Final = 10
_MOST_QUERIES: Final = 32
_LONGEST_QUERY: Final = 16_384

_Query = Annotated[str, Field(min_length=1, max_length=_LONGEST_QUERY)]


@with_config(SHAPE)
class _RankingOptions(TypedDict):
    ranker: NotRequired[Literal["none", "auto", "default-2024-11-15"] | None]
    score_threshold: NotRequired[Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None]


class Search(Request):
    """The body of `POST /vector_stores/{vector_store_id}/search`."""

    query: Annotated[
        Annotated[_Query, Tag("#string")]
        | Annotated[list[_Query], Field(min_length=1, max_length=_MOST_QUERIES), Tag("#array")],
        Discriminator(by_type),
    ]
    rewrite_query: bool | None = None
    max_num_results: Annotated[int, Field(ge=1, le=50)] | None = None
    filters: Filter | None = None
    ranking_options: _RankingOptions | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found, or what is left of it where others found with it say the rest."""

    score: float
    """From 0 to 1."""
    file: str
    filename: str
    attributes: str | None
    """JSON."""
    text: str
    place: str
    """Where in its file the chunk stands; empty when that is not known."""


class Nearness(Protocol):
    """Vectors of chunks, compared with those of questions (`vectors.Matrices`)."""

    def packed(self, vectors: Sequence[Sequence[float]]) -> bytes:
        """Bring vectors into the form that is compared. Raises ValueError."""
        ...

    def nearest(
        self, tx: Tx, store: int, meaning: Meaning, most: int, files: Collection[int] | None, also: Collection[int]
    ) -> Mapping[int, float]:
        """Give the chunks of a store that are nearest, and those in `also`: chunk -> cosine."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for, and what that means to the models that the stores have vectors of."""

    text: str
    meanings: Sequence[Meaning] = ()


def queries_of(request: Search) -> Sequence[str]:
    """Give the queries of a request. `rewrite_query` reduces a question to the words in it that are looked for."""
    queries = [request.query] if isinstance(request.query, str) else request.query
    return [" ".join(wanted(query)) or query for query in queries] if request.rewrite_query else queries


def most_of(request: Search) -> int:
    """Give how many results are wanted."""
    return request.max_num_results or _RESULTS


def page_of(request: Search, queries: Sequence[str], found: Sequence[Hit]) -> str:
    """Make the answer to a request, as JSON text; its `search_query` shows what was looked for."""
    least = (request.ranking_options or {}).get("score_threshold") or 0.0
    data = [_item(hit) for hit in found if hit.score >= least]
    page = {"object": "vector_store.search_results.page", "search_query": queries, "data": data}
    return dump({**page, "has_more": False, "next_page": None})


def hits(
    tx: Tx,
    stores: Sequence[Row],
    questions: Sequence[Question],
    filter_: Any,
    most: int,
    nearness: Nearness | None = None,
) -> Sequence[Hit]:
    """Give the chunks of some stores that answer any of the questions best, the best first."""
    best: dict[int, tuple[float, Row]] = {}
    searches = max(1, len(stores) * len(questions))
    for store in stores:
        files = None if filter_ is None else _passing(tx, store, filter_)
        within = _Within(store, files, most * _LOOKED_AT, _count(tx, store))
        for question in questions:
            words = wanted(question.text)[: _MOST_WORDS // searches]
            found = _worded(tx, within, words)
            if nearness is not None and question.meanings:
                found = _with_nearness(tx, within, question.meanings, nearness, found)
            for score, row in found:
                if row["seq"] not in best or best[row["seq"]][0] < score:
                    best[row["seq"]] = score, row
    ranked = sorted(best.values(), key=lambda found: (-found[0], found[1]["seq"]))
    return _apart(ranked, most)


def _apart(ranked: Sequence[tuple[float, Row]], most: int) -> Sequence[Hit]:
    """Take the best chunks; of one that overlaps with a better one, what only it says, if that is worth it."""
    taken: list[Hit] = []
    said: dict[int, list[tuple[int, int]]] = {}
    for score, row in ranked:
        start, end = row["start"], row["start"] + len(row["text"])
        before = said.setdefault(row["store_file"], [])
        for low, high in before:
            if low <= start < high:
                start = min(high, end)
            if low < end <= high:
                end = max(low, start)
        if end - start <= len(row["text"]) * _WORTH:
            continue
        before.append((start, end))
        text = row["text"][start - row["start"] : end - row["start"]]
        taken.append(Hit(round(score, 4), row["file"], row["filename"], row["attributes"], text, row["place"]))
        if len(taken) == most:
            break
    return taken


@dataclass(frozen=True, slots=True)
class _Within:
    """Where to look: a store, its files that pass (None: all), and how many chunks are looked at closely."""

    store: Row
    files: Sequence[int] | None
    most: int
    chunks: int
    """How many the store has."""


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of a question: the chunks that have it, as many as were read, and how many there are, about."""

    text: str
    seqs: Sequence[int]
    count: int

    @property
    def is_common(self) -> bool:
        return self.count > len(self.seqs)


def _worded(tx: Tx, within: _Within, words: Sequence[str]) -> Sequence[tuple[float, Row]]:
    """Give the chunks that have most of some words, and how much of them.

    Words that very many chunks have find none by themselves, but together, and count in those that others find.
    """
    here, chunks = _in(within.store), within.chunks
    if not chunks:
        return ()
    looked_up = [_looked_up(tx, here, word, _COMMON) for word in words]
    rarest = min(looked_up, key=lambda word: word.count, default=None)
    if rarest is not None and rarest.is_common:
        whole = _looked_up(tx, here, rarest.text, chunks + 1)
        looked_up = [whole if word is rarest else word for word in looked_up]
    weights = {word.text: log(1 + (chunks + 1) / (word.count + 1)) for word in looked_up}
    common = [word.text for word in looked_up if word.is_common]
    shares: defaultdict[int, float] = defaultdict(float)
    for word in looked_up:
        if not word.is_common:
            for seq in word.seqs:
                shares[seq] += weights[word.text]
    if len(common) > 1:
        all_of_them = " AND ".join(map(_quoted, common))
        for seq in _having(tx, f"{here} AND words : ({all_of_them})", _COMMON):
            shares[seq] += 0.0
    best = sorted(sorted(shares), key=shares.__getitem__, reverse=True)
    pairs, sum_of_weights = neighbours(weights), sum(weights.values())
    found: list[tuple[float, Row]] = []
    for row in _counting(tx, best, within):
        said: list[str] = row["words"].split(" ")
        often = Counter(said)
        again = sum(weight * (0.5 - 1 / (often[word] + 1)) for word, weight in weights.items() if often[word] > 1)
        once = shares[row["seq"]] + sum(weights[word] for word in common if often[word])
        share = (once / 2 + again) / sum_of_weights
        found.append((share * (1 - _TOGETHER) + together(said, pairs) * _TOGETHER if pairs else share, row))
    return found


def _looked_up(tx: Tx, here: str, word: str, most: int) -> _Word:
    """Look a word up; where more chunks have it than are read, their number is judged by how far reading came."""
    seqs = _having(tx, f"{here} AND words : {_quoted(word)}", most)
    if len(seqs) < most:
        return _Word(word, seqs, len(seqs))
    first, last = tx.one("chunk.first", words=here), tx.one("chunk.last", words=here)
    assert first is not None
    assert last is not None
    part = (seqs[-1] - first["seq"] + 1) / (last["seq"] - first["seq"] + 1)
    return _Word(word, seqs, max(round(len(seqs) / part), len(seqs) + 1))


def _with_nearness(
    tx: Tx, within: _Within, meanings: Sequence[Meaning], nearness: Nearness, worded: Sequence[tuple[float, Row]]
) -> Sequence[tuple[float, Row]]:
    """Add the chunks that are nearest, and to each score how near its chunk is. One without a vector keeps its own."""
    near: dict[int, float] = {}
    also = [row["seq"] for _, row in worded]
    for meaning in meanings:
        cosines = nearness.nearest(tx, within.store["seq"], meaning, within.most, within.files, also)
        for seq, cosine in cosines.items():
            near[seq] = max(near.get(seq, 0.0), (cosine - meaning.floor) / (1 - meaning.floor))
    others = sorted(near.keys() - set(also), key=lambda seq: (-near[seq], seq))
    found = [*worded, *((0.0, row) for row in _counting(tx, others, within))]
    return [
        (score if row["seq"] not in near else score * (1 - _NEARNESS) + near[row["seq"]] * _NEARNESS, row)
        for score, row in found
    ]


def _in(store: Row) -> str:
    """Write to the index that it is to look in one store."""
    return f"store : {_quoted(named(store))}"


def _count(tx: Tx, store: Row) -> int:
    """Count the chunks of a store."""
    row = tx.one("chunk.count", words=_in(store))
    assert row is not None
    count: int = row["count"]
    return count


def _having(tx: Tx, words: str, most: int) -> list[int]:
    """List the first chunks that have some words."""
    row = tx.one("chunk.with_words", words=words, limit=most)
    assert row is not None
    seqs: list[int] = json.loads(row["seqs"])
    return seqs


def _counting(tx: Tx, seqs: Sequence[int], within: _Within) -> list[Row]:
    """Read the first of some chunks that count: those of files that are completed, and may be looked in."""
    files = None if within.files is None else dump(within.files)
    rows: list[Row] = []
    at, size = 0, within.most
    while at < len(seqs) and len(rows) < within.most:
        rows += tx.all("chunk.counting", seqs=dump(seqs[at : at + size]), files=files)
        at, size = at + size, size * 2
    return rows[: within.most]


def _quoted(word: str) -> str:
    """Write a word as the index takes it; it has letters, digits and marks alone."""
    return f'"{word}"'


def _passing(tx: Tx, store: Row, filter_: Any) -> list[int]:
    """List the files of a store that pass a filter."""
    rows = tx.all("store_file.attributed", store=store["id"])
    return [row["seq"] for row in rows if matches(filter_, json.loads(row["attributes"] or "{}"))]


def _item(hit: Hit) -> dict[str, Any]:
    return {
        "file_id": hit.file,
        "filename": hit.filename,
        "score": hit.score,
        "attributes": json.loads(hit.attributes or "{}"),
        "content": [{"type": "text", "text": hit.text}],
    }
