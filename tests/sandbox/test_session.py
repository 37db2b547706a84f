"""One session from this side: calls take turns, who leaves ends it, what has ended says so."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from tests.sandbox.sessions import LIMITS, needs_wall, opened, outputs
from toolkit.sandbox.sandbox import Ended, Refusal, Result, Text

pytestmark = needs_wall


def test_calls_take_turns() -> None:
    async def both() -> list[object]:
        first = outputs(desk.session, "import time\ntime.sleep(0.1)\nx = 1\nx")
        return await asyncio.gather(first, outputs(desk.session, "x + 1"))

    with opened() as desk:
        assert desk.do(both()) == [[Result("1")], [Result("2")]]


def test_text_comes_while_the_code_runs_and_who_leaves_ends_the_session() -> None:
    async def leave() -> None:
        async with aclosing(desk.session.execute("print(1, flush=True)\nwhile True: pass", LIMITS)) as found:
            assert await anext(found) == Text("1\n")

    with opened() as desk:
        desk.do(leave())
        assert desk.session.ended is not None
        assert desk.session.ended.why == "closed"
        (ended,) = desk.run("1")
        assert isinstance(ended, Ended)


def test_who_is_cancelled_ends_the_session() -> None:
    async def cancel() -> None:
        task = asyncio.create_task(outputs(desk.session, "while True: pass"))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with opened() as desk:
        desk.do(cancel())
        assert desk.session.ended is not None


def test_what_has_ended_takes_nothing_any_more() -> None:
    with opened() as desk:
        desk.do(desk.session.aclose())
        for refused in (desk.session.put(["a"], b"a"), desk.session.read("a", 1)):
            with pytest.raises(Refusal, match="session was closed"):
                desk.do(refused)
        desk.do(desk.session.aclose())


def test_files_that_have_no_place_are_refused() -> None:
    with opened() as desk:
        with pytest.raises(Refusal, match="No such file"):
            desk.do(desk.session.put(["no/such/folder"], b"a"))
        assert desk.said("1") == "1"


def test_files_are_as_large_as_the_disk() -> None:
    limits = replace(LIMITS, disk_bytes=2**20)
    with opened(limits=limits) as desk:
        with pytest.raises(Refusal, match="No space left"):
            desk.do(desk.session.put(["a"], bytes(2**21)))
        assert desk.said("import os; os.listdir()") == "[]"


def test_what_was_printed_between_calls_comes_with_the_next() -> None:
    code = """
import os, threading, time
def say():
    while not os.path.exists("go"):
        time.sleep(0.001)
    print("late")
    open("went", "w").close()
threading.Thread(target=say).start()
"""

    async def let_it() -> None:
        await desk.session.put(["go"], b"")
        async with asyncio.timeout(30):
            while True:
                try:
                    await desk.session.read("went", 10)
                    return
                except Refusal:
                    await asyncio.sleep(0.01)

    with opened() as desk:
        assert desk.run(code) == []
        desk.do(let_it())
        assert desk.run("1") == [Text("late\n"), Result("1")]
