"""What models read of a thread that comes from elsewhere: an item for each message, and for each turn of tool calls.

Text that a model wrote along with calls is a message of its own, whose step comes right before the step of the calls.
To the model they are one chat message, as they were.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from toolkit.engine.transfer.order import Creation, Place, places_of_turns
from toolkit.engine.transfer.remembered import message_chat, turn_chats
from toolkit.engine.transfer.shapes import Object, as_object

__all__ = ["Remembered", "history"]


@dataclass(frozen=True, slots=True)
class Remembered:
    """Chat messages that are never sent apart, and what they are of."""

    run: str | None
    message: str | None
    turn: str | None
    chats: list[Object]


def history(messages: Sequence[Object], steps: Sequence[Object]) -> list[Remembered]:
    """Give what models read of a thread, oldest first, by its messages and steps, oldest first."""
    ids = [message["id"] for message in messages]
    numbers = {message_id: number for number, message_id in enumerate(ids)}
    chats = {message["id"]: chat for message in messages if (chat := message_chat(message)) is not None}
    creations = [Creation(step["run_id"], step["id"], _created(step)) for step in steps]
    places = places_of_turns(ids, creations)
    times = [message["created_at"] for message in messages]
    placed: list[tuple[Place, Remembered]] = []
    with_calls: set[str] = set()
    for number, (step, spoken) in enumerate(zip(steps, _spoken_before(creations), strict=True)):
        turn = turn_chats(step)
        if turn is None:
            continue
        message_id = spoken if spoken in chats else None
        if message_id is not None:
            with_calls.add(message_id)
            turn[0] = {**turn[0], "content": chats[message_id]["content"]}
            place: Place = (numbers[message_id], 0, 0)
        else:
            place = places.get(step["id"]) or (bisect_right(times, step["created_at"]) - 1, 1, number)
        placed.append((place, Remembered(step["run_id"], message_id, step["id"], turn)))
    for number, message in enumerate(messages):
        if message["id"] in chats and message["id"] not in with_calls:
            remembered = Remembered(message["run_id"], message["id"], None, [chats[message["id"]]])
            placed.append(((number, 0, 0), remembered))
    return [remembered for _, remembered in sorted(placed, key=lambda pair: pair[0])]


def _created(step: Object) -> str | None:
    created = as_object(step["step_details"].get("message_creation"))
    return created.get("message_id") if step["type"] == "message_creation" else None


def _spoken_before(creations: Sequence[Creation]) -> Iterator[str | None]:
    """Give for each step the message that its run created right before it."""
    last: dict[str, str | None] = {}
    for step in creations:
        yield last.get(step.run)
        last[step.run] = step.message
