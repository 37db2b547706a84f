from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf, nan, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.engine.search import vectors
from toolkit.engine.search.embedder import Meaning
from toolkit.engine.search.vectors import Matrices, floor_of, numbered, packed
from toolkit.engine.store.address import SQLiteAddress
from toolkit.engine.store.opening import opened
from toolkit.engine.store.statements import statements


class Blocks:
    """The statements of vectors on a database of their own; it counts the rows that were read."""

    def __init__(self) -> None:
        [self._connection] = opened(SQLiteAddress(None), 1)
        self.read = 0

    def one(self, name: str, **values: Any) -> Mapping[str, Any] | None:
        row: Mapping[str, Any] | None = self._connection.execute(statements()[name], values).fetchone()
        return row

    def all(self, name: str, **values: Any) -> Sequence[Mapping[str, Any]]:
        rows = self._connection.execute(statements()[name], values).fetchall()
        self.read += len(rows)
        return rows

    def run(self, name: str, **values: Any) -> int:
        return self._connection.execute(statements()[name], values).rowcount

    def add(self, file: int, chunks: Mapping[int, Sequence[float]], *, store: int = 1, embedder: int = 1) -> None:
        about = {"store": store, "embedder": embedder, "store_file": file, "last_start": 0}
        self.run("vector_block.insert", **about, chunks=numbered(list(chunks)), vectors=packed(chunks.values()))

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def blocks() -> Iterator[Blocks]:
    made = Blocks()
    yield made
    made.close()


def meaning(*numbers: float, embedder: int = 1) -> Meaning:
    return Meaning(embedder, 0.0, packed([numbers]))


def near(matrices: Matrices, blocks: Blocks, *question: float, most: int = 10, **more: Any) -> dict[int, float]:
    options = {"files": None, "also": (), "store": 1, "embedder": 1, **more}
    found = matrices.nearest(
        blocks, options["store"], meaning(*question, embedder=options["embedder"]), most, options["files"],
        options["also"],
    )  # fmt: skip
    return {chunk: round(cosine, 6) for chunk, cosine in found.items()}


def test_vectors_have_the_length_one() -> None:
    assert np.frombuffer(packed([[3, 4], [0, 0]]), "<f4").tolist() == pytest.approx([0.6, 0.8, 0, 0])


@pytest.mark.parametrize("wrong", [[[1.0], [1.0, 2.0]], [[nan]], [[inf, 0.0]], [1.0, 2.0]])
def test_what_are_no_vectors(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"of one length|inhomogeneous"):
        packed(wrong)


def test_the_floor_is_the_mean_cosine() -> None:
    assert floor_of([[1, 0], [1, 1], [0, 1]]) == pytest.approx((2 * sqrt(0.5)) / 3)
    assert floor_of([[1, 0], [-1, 0]]) == 0
    assert floor_of([[1, 0], [1, 0]]) == pytest.approx(0.95)


def test_the_nearest_are_found(blocks: Blocks) -> None:
    blocks.add(1, {10: [1, 0], 11: [0, 1]})
    blocks.add(2, {12: [1, 1]})
    matrices = Matrices(2**20)
    assert near(matrices, blocks, 1, 0, most=2) == {10: 1.0, 12: round(sqrt(0.5), 6)}
    assert near(matrices, blocks, 1, 0, most=1, also=[11]) == {10: 1.0, 11: 0.0}
    assert near(matrices, blocks, 1, 0, files=[2]) == {12: round(sqrt(0.5), 6)}
    assert near(matrices, blocks, 1, 0, files=[]) == {}


def test_stores_and_models_are_kept_apart(blocks: Blocks) -> None:
    blocks.add(1, {10: [1, 0]})
    blocks.add(1, {10: [1, 0, 0]}, embedder=2)
    blocks.add(2, {12: [1, 0]}, store=2)
    matrices = Matrices(2**20)
    assert near(matrices, blocks, 1, 0) == {10: 1.0}
    assert near(matrices, blocks, 1, 0, 0, embedder=2) == {10: 1.0}
    assert near(matrices, blocks, 1, 0, store=2) == {12: 1.0}
    assert near(matrices, blocks, 1, 0, store=3) == {}


def test_only_what_is_new_is_read(blocks: Blocks) -> None:
    matrices = Matrices(2**20)
    for number in range(5):
        blocks.add(number, {number: [1, number]})
        before = blocks.read
        assert near(matrices, blocks, 1, 0).keys() == set(range(number + 1))
        assert blocks.read == before + 1
    assert near(matrices, blocks, 1, 0).keys() == set(range(5))
    assert blocks.read == 5


def test_what_is_gone_is_not_found(blocks: Blocks) -> None:
    blocks.add(1, {10: [1, 0]})
    blocks.add(2, {11: [1, 0]})
    matrices = Matrices(2**20)
    assert near(matrices, blocks, 1, 0).keys() == {10, 11}
    blocks.run("vector_block.remove_of_file", store_file=1, limit=9)
    assert near(matrices, blocks, 1, 0).keys() == {11}
    blocks.add(3, {12: [1, 0]})  # gone and come, so that there are as many
    blocks.run("vector_block.remove_of_file", store_file=2, limit=9)
    assert near(matrices, blocks, 1, 0).keys() == {12}
    blocks.run("vector_block.remove_of_file", store_file=3, limit=9)
    assert near(matrices, blocks, 1, 0) == {}
    assert matrices.bytes_kept == 0


def test_memory_is_bounded_by_what_was_used_last(blocks: Blocks) -> None:
    for store in (1, 2, 3):
        blocks.add(store, {store: [1, 0]}, store=store)
    one = 8 + 8 + 8  # a vector of two, its chunk and its file
    matrices = Matrices(2 * one)
    for store in (1, 2, 1, 3):
        near(matrices, blocks, 1, 0, store=store)
    assert matrices.bytes_kept == 2 * one
    before = blocks.read
    near(matrices, blocks, 1, 0, store=1)
    assert blocks.read == before
    near(matrices, blocks, 1, 0, store=2)
    assert blocks.read == before + 1


def test_more_than_the_memory_is_read_each_time(blocks: Blocks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "_PART_BYTES", 2 * 8 * vectors.BLOCK_CHUNKS)
    for file in range(7):
        blocks.add(file, {file: [1, file]})
    matrices = Matrices(100)
    for _ in range(2):
        assert list(near(matrices, blocks, 1, 3, most=2)) == [3, 4]
        assert matrices.bytes_kept == 0
    assert blocks.read == 14


NUMBERS = st.lists(st.integers(-3, 3), min_size=3, max_size=3)


@settings(max_examples=60)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(1, 4), st.lists(NUMBERS, min_size=1, max_size=5)),
            st.tuples(st.just("remove"), st.integers(1, 4), st.none()),
            st.tuples(st.just("ask"), st.integers(1, 6), NUMBERS),
        )
    ),
    most_bytes=st.sampled_from([0, 200, 2**20]),
)
def test_as_if_every_vector_was_looked_at(steps: list[Any], most_bytes: int) -> None:
    blocks, matrices = Blocks(), Matrices(most_bytes)
    there: dict[int, tuple[int, list[int]]] = {}
    number = 0
    try:
        for step, value, more in steps:
            if step == "add":
                added = {number + at: numbers for at, numbers in enumerate(more, 1)}
                number += len(more)
                blocks.add(value, added)
                there |= {chunk: (value, numbers) for chunk, numbers in added.items()}
            elif step == "remove":
                blocks.run("vector_block.remove_of_file", store_file=value, limit=99)
                there = {chunk: about for chunk, about in there.items() if about[0] != value}
            else:
                found = near(matrices, blocks, *more, most=value)
                wanted = {chunk: _cosine(more, numbers) for chunk, (_, numbers) in there.items()}
                assert len(found) == min(value, len(wanted))
                assert found == pytest.approx({chunk: wanted[chunk] for chunk in found}, abs=1e-5)
                best = sorted(wanted.values(), reverse=True)[:value]
                assert sorted(found.values(), reverse=True) == pytest.approx(best, abs=1e-5)
                assert matrices.bytes_kept <= most_bytes
    finally:
        blocks.close()


def _cosine(a: list[int], b: list[int]) -> float:
    length = sqrt(sum(x * x for x in a)) * sqrt(sum(x * x for x in b))
    return sum(x * y for x, y in zip(a, b, strict=True)) / length if length else 0.0
