"""Each whole answer of `servers.py` over a real socket: in one piece, byte by byte, cut anywhere, in any framing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.endpoint.listener import Said, serving
from tests.engine.endpoint.servers import WHOLE
from tests.engine.endpoint.shapes import Whole, call_deltas
from toolkit.engine.model import CallBegan, Delta, Ended, ModelRequest, Text

ASK = ModelRequest("m", ['{"role":"user","content":"Hello"}'])
EVERY_PLACE = 250
"""Bytes up to which an answer is cut at every place here, and longer ones at some; the slow tests cut those too."""

FRAMINGS = ("chunked", "length", "close")

each = pytest.mark.parametrize("shape", WHOLE, ids=lambda shape: shape.server)


def answers(saids: Iterable[Said], request: ModelRequest = ASK) -> list[list[Delta]]:
    """Ask once for each of the answers, all on one connection where it stays open."""
    saids = list(saids)

    async def main() -> list[list[Delta]]:
        async with serving(saids) as (_, endpoint):
            return [[delta async for delta in endpoint.complete(request)] for _ in saids]

    return asyncio.run(main())


def cut(body: bytes, *places: int) -> Sequence[bytes]:
    edges = [0, *sorted({min(place, len(body)) for place in places}), len(body)]
    return [body[a:b] for a, b in pairwise(edges) if a < b]


def check(shape: Whole, deltas: list[Delta]) -> None:
    """The deltas add up to what is handed over, and that is what the server said."""
    *before, ended = deltas
    assert isinstance(ended, Ended)
    assert not any(isinstance(delta, Ended) for delta in before)
    assert (ended.reason, ended.usage) == (shape.reason, shape.usage)
    assert "".join(delta.value for delta in before if isinstance(delta, Text)) == shape.text
    assert [(call.name, call.arguments) for call in ended.calls] == [call[1:] for call in shape.calls]
    ids = [call.id for call in ended.calls]
    assert [told or made for (told, *_), made in zip(shape.calls, ids, strict=True)] == ids
    assert len(set(ids)) == len(ids)
    assert all(ids)
    message: dict[str, Any] = json.loads(ended.message)
    assert message["content"] == (shape.text or (None if ids else ""))
    assert [call["id"] for call in message.get("tool_calls", [])] == ids
    assert {key: message[key] for key in message.keys() - {"role", "content", "tool_calls"}} == dict(shape.back)
    if shape.reason == "stop":
        assert call_deltas(before) == [(call.id, call.name, call.arguments) for call in ended.calls]


@each
def test_in_one_piece_and_byte_by_byte(shape: Whole) -> None:
    single = cut(shape.body, *range(len(shape.body)))
    for deltas in answers(Said(pieces, framing=f) for pieces in ([shape.body], single) for f in FRAMINGS):
        check(shape, deltas)


@pytest.mark.parametrize("shape", [shape for shape in WHOLE if len(shape.body) <= EVERY_PLACE], ids=lambda s: s.server)
def test_cut_at_every_place(shape: Whole) -> None:
    for deltas in answers(Said(cut(shape.body, at)) for at in range(1, len(shape.body))):
        check(shape, deltas)


@pytest.mark.slow
@each
def test_long_answers_cut_at_every_place(shape: Whole) -> None:
    for deltas in answers(Said(cut(shape.body, at)) for at in range(1, len(shape.body))):
        check(shape, deltas)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([shape for shape in WHOLE if len(shape.body) > EVERY_PLACE]),
    st.lists(st.integers(1, 2000), min_size=1, max_size=8),
    st.sampled_from(["chunked", "close"]),
)
def test_long_answers_cut_somewhere(shape: Whole, places: list[int], framing: str) -> None:
    [deltas] = answers([Said(cut(shape.body, *places), framing=framing)])
    check(shape, deltas)


@each
def test_line_ends_do_not_matter(shape: Whole) -> None:
    plain = shape.body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for deltas in answers(Said([plain.replace(b"\n", end)]) for end in (b"\n", b"\r\n", b"\r")):
        check(shape, deltas)


@each
def test_ids_the_run_has_had_are_not_given_again(shape: Whole) -> None:
    taken = frozenset(told for told, *_ in shape.calls if told)
    [deltas] = answers([Said([shape.body])], ModelRequest("m", ASK.messages, taken=taken))
    ended = deltas[-1]
    assert isinstance(ended, Ended)
    ids = [call.id for call in ended.calls]
    assert not taken.intersection(ids)
    assert len(set(ids)) == len(shape.calls)
    assert [call["id"] for call in json.loads(ended.message).get("tool_calls", [])] == ids
    if shape.reason == "stop":
        assert [delta.id for delta in deltas if isinstance(delta, CallBegan)] == ids
    assert [(call.name, call.arguments) for call in ended.calls] == [call[1:] for call in shape.calls]
    if shape.server.startswith("Mistral: a whole call"):
        assert all(len(made) == 9 and made.isalnum() for made in ids)
    if shape.server.startswith("Kimi"):
        assert ids == ["functions.weather:1"]


def test_nothing_waits_for_what_follows() -> None:
    """Each piece of text is passed on before the server sends another byte."""

    async def main() -> None:
        pieces = [f'data: {{"choices":[{{"delta":{{"content":"{letter}"}}}}]}}\n\n'.encode() for letter in "abc"]
        for count in (1, 2, 3):
            async with serving([Said([*pieces[:count], None])]) as (_, endpoint):  # then silence
                deltas = endpoint.complete(ASK)
                for letter in "abc"[:count]:
                    assert await asyncio.wait_for(anext(deltas), 10) == Text(letter)
                await deltas.aclose()

    asyncio.run(main())
