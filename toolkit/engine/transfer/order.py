"""The order of a thread: of its messages by time, and of the items that models read by its messages.

Messages have one by the times they bear, and those of one second stay as they came. An item goes where its message is.
A turn of tool calls goes before the message that its run created next, or else after the one that it created last.
Where a run created none, its turns stay behind what they stand behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Creation", "Item", "Place", "places_of_turns", "sorted_items"]

Place = tuple[int, int, int]
"""The number of a message in its thread; -1 before it, 0 it itself, 1 after it; the number of the step in its run."""


@dataclass(frozen=True, slots=True)
class Creation:
    """A step, with the message that it has created; None is a step of calls."""

    run: str
    step: str
    message: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """What is known of an item by the message and the turn that it belongs to."""

    seq: int
    message: str | None
    turn: str | None


def places_of_turns(messages: Sequence[str], steps: Iterable[Creation]) -> Mapping[str, Place]:
    """Say where turns are, by their steps, as far as messages say it. `steps` are in order, those of a run together."""
    numbers = {message: number for number, message in enumerate(messages)}
    by_run: dict[str, list[Creation]] = {}
    for step in steps:
        by_run.setdefault(step.run, []).append(step)
    places: dict[str, Place] = {}
    for those in by_run.values():
        created = [numbers.get(step.message) if step.message else None for step in those]
        for place, step in enumerate(those):
            if step.message is not None:
                continue
            later = next((number for number in created[place:] if number is not None), None)
            earlier = next((number for number in reversed(created[:place]) if number is not None), None)
            if later is not None:
                places[step.step] = (later, -1, place)
            elif earlier is not None:
                places[step.step] = (earlier, 1, place)
    return places


def sorted_items(items: Sequence[Item], messages: Sequence[str], turns: Mapping[str, Place]) -> list[Item]:
    """Sort the items of a thread; what has no place of its own stays behind what it stands behind."""
    numbers = {message: number for number, message in enumerate(messages)}
    with_text = {item.turn: numbers[item.message] for item in items if item.turn and item.message in numbers}
    last: Place = (-1, 0, 0)
    keyed: list[tuple[Place, Item]] = []
    for item in items:
        if item.message in numbers:
            last = (numbers[item.message], 0, 0)
        elif item.turn in with_text:
            last = (with_text[item.turn], 0, 1)
        elif item.turn is not None:
            last = turns.get(item.turn, last)
        keyed.append((last, item))
    return [item for _, item in sorted(keyed, key=lambda pair: pair[0])]
