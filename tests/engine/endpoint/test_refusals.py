"""Each failure of `refusals.py` over a real socket, cut anywhere: what it is taken for, and nothing half is whole."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from tests.engine.endpoint.listener import Said, serving
from tests.engine.endpoint.refusals import BEGUN, BROKEN, REFUSED, Failing
from toolkit.engine.model import ContextExceeded, Delta, Ended, ModelError, ModelRequest, Text

ASK = ModelRequest("m", ['{"role":"user","content":"Hello"}'])


def failures(saids: Sequence[Said]) -> list[tuple[ModelError, list[Delta]]]:
    """Ask once for each of the answers: how each failed, and what came before."""

    async def main() -> list[tuple[ModelError, list[Delta]]]:
        found: list[tuple[ModelError, list[Delta]]] = []
        async with serving(saids, key="sk-secret") as (_, endpoint):
            for _said in saids:
                deltas: list[Delta] = []
                with pytest.raises(ModelError) as error:
                    async for delta in endpoint.complete(ASK):
                        deltas.append(delta)
                found.append((error.value, deltas))
        return found

    return asyncio.run(main())


def check(failing: Failing, error: ModelError) -> None:
    assert (error.retry, error.code) == (failing.retry, failing.code), error.message
    assert isinstance(error, ContextExceeded) is failing.too_long
    assert failing.says in error.message
    assert error.retry_after_s == (None if failing.wait_s is None else pytest.approx(failing.wait_s))
    assert "sk-secret" not in error.message
    assert len(error.message.splitlines()) == 1


@pytest.mark.parametrize("failing", BROKEN, ids=lambda failing: failing.server)
def test_failures_in_a_stream(failing: Failing) -> None:
    whole = BEGUN + failing.body
    alone = [Said([failing.body])] if failing.body else []
    at_once = [Said([whole], framing="close")]
    in_two = [Said([whole[:at], whole[at:]]) for at in range(len(BEGUN), len(whole), 11)]
    byte_by_byte = [Said([whole[at : at + 1] for at in range(len(whole))])]
    for error, deltas in failures([*alone, *at_once, *in_two, *byte_by_byte]):
        check(failing, error)
        assert not any(isinstance(delta, Ended) for delta in deltas)
        texts = [delta for delta in deltas if isinstance(delta, Text)]
        assert texts in ([], [Text("Half an ans")])  # none of it, when the failure came in the same packet
    assert texts == [Text("Half an ans")]


@pytest.mark.parametrize("failing", REFUSED, ids=lambda failing: failing.server)
def test_answers_that_are_none(failing: Failing) -> None:
    def said(pieces: Sequence[bytes], kind: str, framing: str) -> Said:
        return Said(pieces, failing.status, {"Content-Type": kind, **failing.headers}, framing)

    saids = [
        said([failing.body], kind, framing)
        for kind in ("application/json", "text/event-stream", "")
        for framing in ("chunked", "length", "close")
    ]
    saids.append(said([failing.body[at : at + 1] for at in range(len(failing.body))], "text/plain", "chunked"))
    for error, deltas in failures(saids):
        check(failing, error)
        assert deltas == []


@pytest.mark.parametrize("begun", [b"", BEGUN], ids=["before the first delta", "after it"])
@pytest.mark.parametrize("framing", ["chunked", "close", "reset"])
def test_a_connection_that_ends_or_breaks(begun: bytes, framing: str) -> None:
    for error, deltas in failures([Said([begun], framing=framing)]):
        assert error.retry
        assert deltas == ([Text("Half an ans")] if begun else [])


def test_a_body_shorter_than_it_said() -> None:
    [(error, deltas)] = failures([Said([BEGUN], headers={"Content-Length": "9999"}, framing="close")])
    assert (error.retry, deltas) == (True, [Text("Half an ans")])
