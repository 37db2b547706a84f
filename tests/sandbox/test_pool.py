"""Which sessions are kept, and which end. The sandbox here makes sessions that remember what was done to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from tests.sandbox.sessions import LIMITS, needs_wall, outputs, strongest
from toolkit.errors import SandboxUnavailable
from toolkit.sandbox.pool import Pool
from toolkit.sandbox.sandbox import Ended, Limits, Output, Refusal, Result


class Memory:
    """A session that runs nothing."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.ended: Ended | None = None
        self.is_busy = False
        self.memory_bytes = 100
        self.ran: list[str] = []

    async def execute(self, code: str, limits: Limits) -> AsyncGenerator[Output, None]:
        self.ran.append(code)
        yield Result(code)

    async def put(self, names: Sequence[str], data: bytes) -> None: ...

    async def read(self, path: str, most_bytes: int) -> bytes:
        raise Refusal(path)

    async def aclose(self) -> None:
        self.ended = Ended("closed", "closed")


class Memories:
    """A sandbox of those."""

    def __init__(self) -> None:
        self.made: list[Memory] = []
        self.broken = False

    async def open(self, limits: Limits) -> Memory:
        await asyncio.sleep(0)
        if self.broken:
            raise SandboxUnavailable("broken")
        self.made.append(Memory(len(self.made)))
        return self.made[-1]

    @property
    def alive(self) -> list[int]:
        return [each.number for each in self.made if each.ended is None]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_thread_has_one_session() -> None:
    async def main() -> None:
        pool = Pool(Memories(), LIMITS)
        first, again, other = [await pool.session(thread) for thread in ("a", "a", "b")]
        assert first.session is again.session
        assert other.session is not first.session
        assert [each.is_new for each in (first, again, other)] == [True, False, True]
        await pool.aclose()

    asyncio.run(main())


def test_two_at_once_get_the_same() -> None:
    async def main() -> None:
        pool = Pool(Memories(), LIMITS, spare=0)
        first, second = await asyncio.gather(pool.session("a"), pool.session("a"))
        assert first.session is second.session
        assert [first.is_new, second.is_new] == [True, False]
        await pool.aclose()

    asyncio.run(main())


def test_sessions_are_ready_before_they_are_asked_for() -> None:
    async def main() -> None:
        sandbox = Memories()
        pool = Pool(sandbox, LIMITS, spare=2)
        pool.warm()
        await asyncio.sleep(0.01)
        assert sandbox.alive == [0, 1]
        assert (await pool.session("a")).session is sandbox.made[0]
        await asyncio.sleep(0.01)
        assert sandbox.alive == [0, 1, 2]
        sandbox.made[1].ended = Ended("died", "")  # what died while it waited is not given out
        assert (await pool.session("b")).session is sandbox.made[2]
        await pool.aclose()
        assert sandbox.alive == []

    asyncio.run(main())


def test_those_that_are_ready_have_run_the_prelude() -> None:
    async def main() -> None:
        sandbox = Memories()
        pool = Pool(sandbox, LIMITS, prelude="import pandas")
        await pool.session("a")  # who could not wait has not
        await asyncio.sleep(0.01)
        await pool.session("b")
        assert [each.ran for each in sandbox.made[:2]] == [[], ["import pandas"]]
        await pool.aclose()

    asyncio.run(main())


def test_what_has_ended_is_replaced_and_said_to_be_new() -> None:
    async def main() -> None:
        pool = Pool(Memories(), LIMITS)
        first = await pool.session("a")
        await first.session.aclose()
        second = await pool.session("a")
        assert second.is_new
        assert second.session is not first.session
        await pool.end("a")
        assert (await pool.session("a")).is_new
        await pool.end("no such thread")
        await pool.aclose()

    asyncio.run(main())


def test_who_is_not_used_for_long_ends() -> None:
    async def main() -> None:
        sandbox, clock = Memories(), Clock()
        pool = Pool(sandbox, LIMITS, spare=0, idle_s=3600, clock=clock)
        await pool.session("a")
        clock.now = 3000
        await pool.session("b")
        clock.now = 3599
        await pool.tidy()
        assert sandbox.alive == [0, 1]
        clock.now = 3600
        await pool.tidy()
        assert sandbox.alive == [1]
        sandbox.made[1].is_busy = True
        clock.now = 10_000
        await pool.tidy()
        assert sandbox.alive == [1]
        await pool.aclose()

    asyncio.run(main())


def test_there_is_so_much_memory_and_the_least_recently_used_end_first() -> None:
    async def main() -> None:
        sandbox, clock = Memories(), Clock()
        pool = Pool(sandbox, LIMITS, spare=0, memory_bytes=250, clock=clock)
        for thread in ("a", "b", "c", "a"):
            await pool.session(thread)
        await pool.tidy()
        assert sandbox.alive == [0, 1, 2]  # who has just got one is about to use it
        clock.now = 5
        await pool.tidy()
        assert sandbox.alive == [0, 2]
        sandbox.made[2].memory_bytes, sandbox.made[2].is_busy = 1000, True
        await pool.tidy()
        assert sandbox.alive == [2]
        await pool.aclose()

    asyncio.run(main())


def test_a_new_one_makes_room_for_itself_and_those_that_are_ready_count() -> None:
    async def main() -> None:
        sandbox, clock = Memories(), Clock()
        pool = Pool(sandbox, LIMITS, spare=1, memory_bytes=350, clock=clock)
        for thread in ("a", "b"):
            await pool.session(thread)
            await asyncio.sleep(0.01)
        clock.now = 60
        assert sandbox.alive == [0, 1, 2]
        await pool.session("c")
        assert sandbox.alive == [0, 1, 2]  # three, and the next is not ready yet
        await asyncio.sleep(0.01)
        await pool.session("d")
        assert sandbox.alive == [1, 2, 3]
        assert (await pool.session("a")).is_new
        await pool.aclose()

    asyncio.run(main())


def test_who_is_ended_while_others_are_tidied_is_no_matter() -> None:
    class Slow(Memory):
        async def aclose(self) -> None:
            await pool.end("b")
            await super().aclose()

    async def main() -> None:
        nonlocal pool
        sandbox, clock = Memories(), Clock()
        pool = Pool(sandbox, LIMITS, spare=0, idle_s=10, clock=clock)
        for thread in ("a", "b"):
            held = await pool.session(thread)
            assert isinstance(held.session, Memory)
        sandbox.made[0].__class__ = Slow
        clock.now = 10
        await pool.tidy()
        assert sandbox.alive == []
        await pool.aclose()

    pool: Pool
    asyncio.run(main())


def test_a_sandbox_that_fails_is_tried_again() -> None:
    async def main() -> None:
        sandbox = Memories()
        sandbox.broken = True
        pool = Pool(sandbox, LIMITS)
        with pytest.raises(SandboxUnavailable):
            await pool.session("a")
        sandbox.broken = False
        assert (await pool.session("a")).is_new
        await pool.aclose()

    asyncio.run(main())


@needs_wall
def test_threads_do_not_see_each_other() -> None:
    async def main() -> None:
        pool = Pool(strongest(), LIMITS)
        try:
            for thread, code in (("a", "x = 1; open('f', 'w').write('a');"), ("b", "x = 2")):
                await outputs((await pool.session(thread)).session, code)
            shown = [
                await outputs((await pool.session(thread)).session, "import os; x, os.listdir()")
                for thread in ("a", "b")
            ]
            assert shown == [[Result("(1, ['f'])")], [Result("(2, [])")]]
        finally:
            await pool.aclose()

    asyncio.run(main())
