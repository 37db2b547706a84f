from __future__ import annotations

import asyncio
from collections import Counter

from toolkit.engine.queue import LocalQueue, Pause


def test_every_run_is_advanced_and_no_more_at_once_than_there_is_room() -> None:
    async def main() -> None:
        running = most = 0
        done: Counter[str] = Counter()

        async def advance(run_id: str, pause: Pause) -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.005)
            running -= 1
            done[run_id] += 1

        queue = LocalQueue(advance, concurrency=3)
        for number in range(10):
            queue.put(f"run_{number}")
        assert queue.busy
        assert "run_9" in queue
        while queue.busy:
            await asyncio.sleep(0.005)
        assert most == 3
        assert set(done.values()) == {1}
        assert "run_9" not in queue

    asyncio.run(main())


def test_a_run_put_again_while_it_is_on_its_way_out_is_advanced_again_after() -> None:
    async def main() -> None:
        order: list[str] = []

        async def advance(run_id: str, pause: Pause) -> None:
            order.append("in")
            await asyncio.sleep(0.01)
            order.append("out")

        queue = LocalQueue(advance, concurrency=5)
        queue.put("run_a")
        await asyncio.sleep(0.005)
        queue.put("run_a")
        while queue.busy:
            await asyncio.sleep(0.005)
        assert order == ["in", "out", "in", "out"]

    asyncio.run(main())


def test_abort_and_close_cancel_what_is_under_way() -> None:
    async def main() -> None:
        cancelled: list[str] = []

        async def advance(run_id: str, pause: Pause) -> None:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.append(run_id)
                raise

        queue = LocalQueue(advance, concurrency=5)
        for name in ("a", "b", "c"):
            queue.put(name)
        await asyncio.sleep(0.01)
        queue.abort("b")
        queue.abort("nobody")
        await asyncio.sleep(0.01)
        assert cancelled == ["b"]
        await queue.aclose()
        assert sorted(cancelled) == ["a", "b", "c"]
        assert not queue.busy

    asyncio.run(main())


def test_resumed_runs_come_before_those_that_have_not_begun() -> None:
    async def main() -> None:
        order: list[str] = []

        async def advance(run_id: str, pause: Pause) -> None:
            order.append(run_id)
            await asyncio.sleep(0.002)

        queue = LocalQueue(advance, concurrency=1)
        for name in ("new 1", "new 2"):
            queue.put(name)
        for name in ("resumed 1", "resumed 2"):
            queue.put(name, resumed=True)
        await asyncio.sleep(0)
        assert (queue.working, queue.waiting) == (1, 3)
        while queue.busy:
            await asyncio.sleep(0.002)
        assert order == ["new 1", "resumed 1", "resumed 2", "new 2"]
        assert (queue.working, queue.waiting) == (0, 0)

    asyncio.run(main())


def test_a_place_that_comes_at_the_moment_of_leaving_is_given_on() -> None:
    async def main() -> None:
        order: list[str] = []
        release = asyncio.Event()

        async def advance(run_id: str, pause: Pause) -> None:
            order.append(run_id)
            if run_id == "a":
                await release.wait()

        queue = LocalQueue(advance, concurrency=1)
        for name in ("a", "b", "c"):
            queue.put(name)
        await asyncio.sleep(0)
        release.set()
        await asyncio.sleep(0)  # a ends, and b has the place
        queue.abort("b")
        while queue.busy:
            await asyncio.sleep(0.002)
        assert order in (["a", "c"], ["a", "b", "c"])
        queue.put("d")
        while queue.busy:
            await asyncio.sleep(0.002)
        assert order[-1] == "d"

    asyncio.run(main())


def test_a_queue_that_closes_lets_what_is_under_way_end_and_begins_nothing() -> None:
    async def main() -> None:
        ended: list[str] = []

        async def advance(run_id: str, pause: Pause) -> None:
            await asyncio.sleep(0.05 if run_id == "short" else 60)
            ended.append(run_id)

        queue = LocalQueue(advance, concurrency=2)
        for name in ("short", "long", "waiting"):
            queue.put(name)
        await asyncio.sleep(0.01)
        await queue.aclose(drain_s=0.3)
        assert ended == ["short"]
        queue.put("late")
        assert not queue.busy

    asyncio.run(main())


def test_a_run_that_pauses_lets_others_have_its_place() -> None:
    async def main() -> None:
        order: list[str] = []

        async def advance(run_id: str, pause: Pause) -> None:
            order.append(f"{run_id} begins")
            if run_id == "a":
                await pause(0.02)
            order.append(f"{run_id} ends")

        queue = LocalQueue(advance, concurrency=1)
        for name in ("a", "b"):
            queue.put(name)
        await asyncio.sleep(0.01)
        assert (queue.working, queue.waiting) == (0, 0), "b has come and gone"
        while queue.busy:
            await asyncio.sleep(0.005)
        assert order == ["a begins", "b begins", "b ends", "a ends"]

    asyncio.run(main())


def test_to_abort_a_run_that_waits_for_the_one_before_aborts_that_too() -> None:
    async def main() -> None:
        cancelled: list[str] = []

        async def advance(run_id: str, pause: Pause) -> None:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.append(run_id)
                raise

        queue = LocalQueue(advance, concurrency=2)
        queue.put("a")
        await asyncio.sleep(0.005)
        queue.put("a")
        await asyncio.sleep(0.005)
        queue.abort("a")
        await asyncio.sleep(0.02)
        assert cancelled == ["a"]
        assert (queue.working, queue.busy) == (0, False)

    asyncio.run(main())
