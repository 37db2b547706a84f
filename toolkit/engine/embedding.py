"""The chunks of files get their vectors here, from the model that the engine was given for that.

A model that does not answer holds no file up for long: it is completed with its words alone, and gets its vectors when
the model answers again. So does every file that has those of another model, when this one was chosen after it; until
then the older ones are looked in.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from toolkit.engine.model import ModelError
from toolkit.engine.search.embedder import Embedder
from toolkit.engine.search.vectors import BLOCK_CHUNKS, floor_of, numbered, packed
from toolkit.engine.store import Row, Store, Tx

__all__ = ["Embedding"]

_log = logging.getLogger("toolkit.engine")

_PATIENCE_S: Final = 20.0
"""How long a file that is being processed waits for a model that does not answer."""
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 5.0
_REST_S: Final = 30.0
"""How long a model that did not answer is left alone."""

_UNRELATED: Final = (
    "The recipe asks for two eggs, flour and a spoon of sugar.",
    "Interest on the loan is paid on the last day of each quarter.",
    "def main(): parse the arguments and start the server",
    "The team scored twice in the second half and won the cup.",
    "Glaciers in the northern valleys have shrunk since 1950.",
    "Take one tablet in the morning with a glass of water.",
    "The violin concerto was first performed in Vienna.",
    "Press and hold the button for five seconds to reset the router.",
)
"""Texts that have nothing in common, to learn what cosine a model gives to such."""


class Embedding:
    """Makes the vectors of one engine's files: `model` is what the embedder knows the model by."""

    def __init__(self, store: Store, embedder: Embedder, model: str) -> None:
        self._store, self._embedder, self.model = store, embedder, model
        self._row: Row | None = None
        """The model's in the store, once it was chosen. An engine chooses once, or two with two models never end."""
        self._rests_until = 0.0
        self._learning = asyncio.Lock()

    @property
    def rests_s(self) -> float:
        """For how many seconds the model is left alone, since it did not answer."""
        return max(0.0, self._rests_until - time.monotonic())

    def rest(self) -> None:
        """Leave the model alone for a while."""
        self._rests_until = time.monotonic() + _REST_S

    def number_in(self, tx: Tx) -> int:
        """Give the model's number in a store, or the one that it will get."""
        newest = self._row or tx.one("embedder.newest")
        if newest is None:
            return 1
        number: int = newest["seq"]
        return number if newest["name"] == self.model else number + 1

    async def embed(self, file: Row) -> int | None:
        """Give the chunks of a file the vectors that they lack; the model's number, or None if it does not answer."""
        if self.rests_s:
            return None
        try:
            return await self._embed(file)
        except (ModelError, ValueError) as error:
            self.rest()
            why = error.code if isinstance(error, ModelError) else "its answer has no vectors"
            _log.warning("the embedding model does not answer (%s): files are found by their words alone for now", why)
            return None

    async def _embed(self, file: Row) -> int:
        model = await self._chosen()
        while rows := await self._store.read(partial(_without_vectors, file=file, model=model)):
            texts = [f"{row['place']}\n{row['text']}" if row["place"] else row["text"] for row in rows]
            vectors = await self._embedded(texts)
            if len(vectors[0]) != model["dimensions"]:  # another model has the same name now
                self._row = model = await self._learned()
                continue
            if not await self._store.write(partial(_write, file=file, model=model, chunks=rows, data=packed(vectors))):
                break
        return int(model["seq"])

    async def _chosen(self) -> Row:
        """Give the row of the model in the store. Raises ModelError when it is new there and does not answer."""
        async with self._learning:
            if self._row is None:
                newest = await self._store.read(lambda tx: tx.one("embedder.newest"))
                known = newest is not None and newest["name"] == self.model
                self._row = newest if known else await self._learned()
            assert self._row is not None
            return self._row

    async def _learned(self) -> Row:
        """Get to know the model, and give its row in the store. Raises ModelError."""
        vectors = await self._embedded(_UNRELATED)
        about = {"model": self.model, "dimensions": len(vectors[0]), "floor": floor_of(vectors)}
        return await self._store.write(partial(_choose, about=about))

    async def _embedded(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Ask the model, again and again for a while. Raises ModelError."""
        pause_s, left_s = _FIRST_PAUSE_S, _PATIENCE_S
        while True:
            try:
                return await self._embedder.embed(self.model, texts)
            except ModelError as error:
                wait_s = max(pause_s, error.retry_after_s or 0)
                if not error.retry or wait_s > left_s:
                    raise
            await asyncio.sleep(wait_s)
            left_s -= wait_s
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def _without_vectors(tx: Tx, file: Row, model: Row) -> Sequence[Row]:
    about = {"store_file": file["seq"], "embedder": model["seq"]}
    return tx.all("chunk.without_vectors", limit=BLOCK_CHUNKS, **about)


def _write(tx: Tx, file: Row, model: Row, chunks: Sequence[Row], data: bytes) -> bool:
    """Write the vectors of some chunks; False when their file is not there any more."""
    store = tx.one("vector_store.number", id=file["store"])
    if store is None or tx.one("store_file.there", seq=file["seq"]) is None:
        return False
    tx.run(
        "vector_block.insert",
        store=store["seq"],
        embedder=model["seq"],
        store_file=file["seq"],
        last_start=chunks[-1]["start"],
        chunks=numbered([chunk["seq"] for chunk in chunks]),
        vectors=data,
    )
    return True


def _choose(tx: Tx, about: Mapping[str, Any]) -> Row:
    """Give the row of a model: the newest, if it is the same, else a new one."""
    newest = tx.one("embedder.newest")
    if newest is not None and (newest["name"], newest["dimensions"]) == (about["model"], about["dimensions"]):
        return newest
    inserted = tx.one("embedder.insert", **about)
    assert inserted is not None
    return inserted
