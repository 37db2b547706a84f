"""Threads that things were put into, put in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from toolkit.engine.store import Tx
from toolkit.engine.transfer.order import Creation, Item, places_of_turns, sorted_items

__all__ = ["out_of_order", "put_in_order"]


class _Orders(NamedTuple):
    """The `seq` of the messages and of the items of a thread, in the order in which they belong."""

    messages: Sequence[int]
    items: Sequence[int]


def out_of_order(threads: Sequence[str], tx: Tx) -> list[str]:
    """Give the threads whose messages or items do not stand where they belong."""
    return [thread_id for thread_id in threads if any(map(_misplaced, _orders(tx, thread_id)))]


def put_in_order(thread_id: str, tx: Tx) -> None:
    """Put the messages and items of a thread where they belong: behind all others, from the first that is misplaced."""
    orders = _orders(tx, thread_id)
    for noun, seqs in (("message", orders.messages), ("item", orders.items)):
        newest = tx.one(f"transfer.newest_{noun}") or {"seq": 0}
        for number, was in enumerate(_misplaced(seqs), start=1):
            tx.run(f"transfer.place_{noun}", was=was, seq=(newest["seq"] or 0) + number)


def _orders(tx: Tx, thread_id: str) -> _Orders:
    said = tx.all("transfer.order_of_messages", thread=thread_id)
    done = tx.all("transfer.order_of_steps", thread=thread_id)
    read = tx.all("transfer.order_of_items", thread=thread_id)
    said = sorted(said, key=lambda row: (row["created_at"], row["seq"]))
    messages = [row["id"] for row in said]
    turns = places_of_turns(messages, [Creation(row["run"], row["id"], row["message"]) for row in done])
    items = [Item(row["seq"], row["message"], row["turn"]) for row in read]
    return _Orders([row["seq"] for row in said], [item.seq for item in sorted_items(items, messages, turns)])


def _misplaced(seqs: Sequence[int]) -> Sequence[int]:
    """Give what has to move, so that numbers go up: all from the first that a later one is less than."""
    least = 2**63
    start = len(seqs)
    for place in range(len(seqs) - 1, -1, -1):
        if seqs[place] > least:
            start = place
        least = min(least, seqs[place])
    return seqs[start:]
