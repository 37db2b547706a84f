"""Search in a vector store: what may be asked, and what is found.

Chunks are found by their words. A score lies between 0 and 1: it is the share of the question's words that a chunk has,
where a word counts the more the fewer chunks of the store have it, and a tenth less when it stands there once. Nothing
in it depends on other stores.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log
from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import Discriminator, Field, Tag, with_config
from typing_extensions import TypedDict

from toolkit.engine.jsontext import dump
from toolkit.engine.objects import references
from toolkit.engine.objects.fields import SHAPE, Request
from toolkit.engine.search.filters import Filter, matches
from toolkit.engine.search.words import named, wanted
from toolkit.engine.store import Row, Tx

__all__ = ["Hit", "Search", "hits", "search"]

_ONCE: Final = 0.1
"""How much less a word counts that stands in a chunk once; half of it when it stands there twice."""
_LOOKED_AT: Final = 4
"""How many chunks are looked at more closely, for each that is wanted."""
_WORTH: Final = 0.2
"""Less than this part of a chunk is not worth telling when the rest was told."""
_MOST_WORDS: Final = 256
"""Of all queries of a request; each is looked up by itself."""
_MOST_HITS: Final = 1_000_000
"""Of words in chunks, for all queries of a request; when there are more, the last words are not looked for."""
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
        Discriminator(lambda value: "#array" if isinstance(value, list) else "#string"),
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
    searches = len(stores) * len(queries)
    for store in stores:
        files = None if filter_ is None else dump(_passing(tx, store, filter_))
        for query in queries:
            words = wanted(query)[: _MOST_WORDS // searches]
            for score, row in _ranked(tx, store, words, files, most, _MOST_HITS // searches):
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


def _ranked(
    tx: Tx, store: Row, words: Sequence[str], files: str | None, most: int, hits: int
) -> Iterator[tuple[float, Row]]:
    """Give the chunks that have most of some words, and how much of them."""
    here = f"store : {_quoted(named(store))}"
    chunks = tx.one("chunk.count", words=here)
    assert chunks is not None
    weights: dict[str, float] = {}
    shares: defaultdict[int, float] = defaultdict(float)
    for word in words:
        seqs = _having(tx, f"{here} AND words : {_quoted(word)}")
        weights[word] = weight = log(1 + (chunks["count"] + 1) / (len(seqs) + 1))
        for seq in seqs:
            shares[seq] += weight
        hits -= len(seqs)
        if hits < 0:
            break
    whole = sum(weights.values())
    best = sorted(shares, key=lambda seq: (-shares[seq], seq))
    for row in _counting(tx, best, files, most * _LOOKED_AT):
        often = Counter[str](row["words"].split(" "))
        again = sum(weight * (1 - 1 / often[word]) for word, weight in weights.items() if often[word] > 1)
        yield (shares[row["seq"]] * (1 - _ONCE) + again * _ONCE) / whole, row


def _having(tx: Tx, words: str) -> list[int]:
    """List the chunks that have some words."""
    row = tx.one("chunk.with_words", words=words)
    assert row is not None
    seqs: list[int] = json.loads(row["seqs"])
    return seqs


def _counting(tx: Tx, seqs: Sequence[int], files: str | None, most: int) -> list[Row]:
    """Read the first so many of some chunks that count: those of files that are completed, and may be looked in."""
    rows: list[Row] = []
    at, size = 0, most
    while at < len(seqs) and len(rows) < most:
        rows += tx.all("chunk.counting", seqs=dump(seqs[at : at + size]), files=files)
        at, size = at + size, size * 2
    return rows[:most]


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
