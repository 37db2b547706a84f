"""Search in a vector store: what may be asked, and what is found.

Chunks are found by their words. A score lies between 0 and 1: it is the share of the question's words that a chunk has,
less up to a fifth where they are common ones in the index or rare in the chunk (by BM25, as SQLite's FTS5 computes it).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import Discriminator, Field, Tag, with_config
from typing_extensions import TypedDict

from toolkit.engine.jsontext import dump
from toolkit.engine.objects import references
from toolkit.engine.objects.fields import SHAPE, Request, by_type
from toolkit.engine.search.filters import Filter, matches
from toolkit.engine.search.words import named, wanted
from toolkit.engine.store import Row, Tx

__all__ = ["Hit", "Search", "hits", "search"]

_RARITY: Final = 0.2
"""How much of a score depends on the rank by BM25."""
_LOOKED_AT: Final = 4
"""How many chunks of the best rank are looked at, for each that is wanted."""
_WORTH: Final = 0.2
"""Less than this part of a chunk is not worth telling when the rest was told."""
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


def search(tx: Tx, project: str, store_id: str, request: Search, now: int) -> str:
    """Give the chunks of a store that answer a query best, as JSON text. Raises Refused.

    A list of queries is answered by what any of them finds, each chunk with its best score. `rewrite_query` reduces a
    question to the words in it that are looked for; the answer's `search_query` shows them.
    """
    store = references.live_store(tx, project, store_id, now)
    queries = [request.query] if isinstance(request.query, str) else request.query
    if request.rewrite_query:
        queries = [" ".join(wanted(query)) or query for query in queries]
    options = request.ranking_options or {}
    most, least = request.max_num_results or 10, options.get("score_threshold") or 0.0
    found = [_item(hit) for hit in hits(tx, [store], queries, request.filters, most) if hit.score >= least]
    page = {"object": "vector_store.search_results.page", "search_query": queries, "data": found}
    return dump({**page, "has_more": False, "next_page": None})


def hits(tx: Tx, stores: Sequence[Row], queries: Sequence[str], filter_: Any, most: int) -> Sequence[Hit]:
    """Give the chunks of some stores that answer any of the queries best, the best first."""
    best: dict[int, tuple[float, Row]] = {}
    for store in stores:
        files = None if filter_ is None else dump(_passing(tx, store, filter_))
        for query in queries:
            for score, row in _ranked(tx, store, wanted(query), files, most):
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
        taken.append(Hit(round(score, 4), row["file"], row["filename"], row["attributes"], text))
        if len(taken) == most:
            break
    return taken


def _ranked(tx: Tx, store: Row, words: Sequence[str], files: str | None, most: int) -> Iterator[tuple[float, Row]]:
    """Give the chunks that have most of some words, and how much of them."""
    if not words:
        return
    here, any_word = _quoted(named(store)), " OR ".join(map(_quoted, words))
    match = f"store : {here} AND words : ({any_word})"
    rows = tx.all("chunk.search", words=match, files=files, limit=most * _LOOKED_AT)
    seqs = dump([row["seq"] for row in rows])
    has = Counter(
        hit["seq"] for word in words for hit in tx.all("chunk.with_word", word=f"words : {_quoted(word)}", seqs=seqs)
    )
    for row in rows:
        rank = max(0.0, row["rank"])
        yield has[row["seq"]] / len(words) * (1 - _RARITY / (1 + rank)), row


def _quoted(word: str) -> str:
    """Write a word as the index takes it; it has letters and digits alone."""
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
