"""Every field may be missing or of another type: such an answer is whole, or a ModelError, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.endpoint.refusals import BROKEN, REFUSED
from tests.engine.endpoint.servers import WHOLE
from tests.engine.endpoint.shapes import call_deltas
from toolkit.engine.endpoint.dialects import Answer
from toolkit.engine.endpoint.failures import judged, told_by
from toolkit.engine.endpoint.listing import windows_in
from toolkit.engine.model import Ended, ModelError

BODIES = [shape.body for shape in [*WHOLE, *BROKEN, *REFUSED]]
MISSING = object()
ODD: list[Any] = [
    MISSING, None, "", "x", "null", "\ud83d", 0, -1, 1.5, 10**400, True, [], {}, [None], [[]], [{}], [1, "x"],
    {"a": None}, {"message": {}}, {"error": []},
]  # fmt: skip
LISTING = {"data": [{"id": "m", "context_length": 9, "meta": {"n_ctx": 8}, "top_provider": {"context_length": 7}}]}


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*at, key))


def replaced(value: Any, at: tuple[Any, ...], odd: Any) -> Any:
    """Put something odd in place of what stands somewhere, or take it out."""
    if not at:
        return None if odd is MISSING else odd
    inner = {key: value[key] for key in value} if isinstance(value, dict) else list(value)
    if odd is MISSING and len(at) == 1:
        del inner[at[0]]
    else:
        inner[at[0]] = replaced(value[at[0]], at[1:], odd)
    return inner


def spoiled(data: st.DataObject, text: str) -> str:
    """Spoil a field of the JSON in a line, if there is any."""
    start = text.find("{")
    try:
        value = json.loads(text[start:]) if start >= 0 else None
    except ValueError:
        return text
    if value is None:
        return text
    at = data.draw(st.sampled_from(list(places(value))))
    return text[:start] + json.dumps(replaced(value, at, data.draw(st.sampled_from(ODD))))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_answers(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from(BODIES)).decode().split("\n")
    for _ in range(data.draw(st.integers(1, 3))):
        number = data.draw(st.integers(0, len(lines) - 1))
        lines[number] = spoiled(data, lines[number])
    body = "\n".join(lines).encode()
    answer = Answer("w", "m")
    try:
        deltas = [*answer.feed(body[:99]), *answer.feed(body[99:]), *answer.end()]
    except ModelError:
        return
    *before, ended = deltas
    assert isinstance(ended, Ended)
    assert ended.message.encode()
    message = json.loads(ended.message)
    assert isinstance(message["content"], str | None)
    assert [each["id"] for each in message.get("tool_calls", [])] == [call.id for call in ended.calls]
    assert len({call.id for call in ended.calls}) == len(ended.calls)
    assert all(call.id and call.name and call.arguments for call in ended.calls)
    if ended.reason == "stop":
        assert call_deltas(before) == [(call.id, call.name, call.arguments) for call in ended.calls]


@settings(max_examples=100, deadline=None)
@given(st.data(), st.sampled_from([None, 200, 308, 400, 401, 404, 413, 429, 500]))
def test_refusals(data: st.DataObject, status: int | None) -> None:
    body = spoiled(data, data.draw(st.sampled_from([failing.body for failing in REFUSED])).decode(errors="replace"))
    error = judged(told_by(body.encode()), status=status, where="w", model="m")
    assert isinstance(error, ModelError)
    assert len(error.message.splitlines()) == 1


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_listings(data: st.DataObject) -> None:
    for name, window in windows_in(json.loads(spoiled(data, json.dumps(LISTING)))).items():
        assert isinstance(name, str)
        assert window is None or (type(window) is int and window > 0)
