"""The kinds of objects that go from store to store, in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from toolkit.engine.transfer import lines
from toolkit.engine.transfer.kinds import (
    assistants,
    files,
    items,
    messages,
    passages,
    runs,
    steps,
    threads,
    vector_stores,
)
from toolkit.engine.transfer.kinds.kind import Export, Kind, Written

__all__ = ["KINDS", "WRITTEN"]

KINDS: Final[Mapping[type, Kind[Any]]] = {
    lines.AssistantLine: assistants.KIND,
    lines.FileLine: files.KIND,
    lines.VectorStoreLine: vector_stores.STORES,
    lines.VectorStoreFileLine: vector_stores.FILES,
    lines.ThreadLine: threads.KIND,
    lines.MessageLine: messages.KIND,
    lines.RunLine: runs.KIND,
    lines.StepLine: steps.KIND,
    lines.PassageLine: passages.KIND,
    lines.ItemLine: items.KIND,
}
"""How lines get into a store."""

WRITTEN: Final[tuple[Callable[[Export], Iterator[Written]], ...]] = (
    files.written,
    vector_stores.written,
    assistants.written,
    threads.written,
)
"""What writes them, in the order in which they can be put back. Threads and vector stores write what is in them."""
