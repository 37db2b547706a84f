from __future__ import annotations

import asyncio
from collections import Counter

from toolkit.engine.queue import LocalQueue


def test_every_run_is_advanced_and_no_more_at_once_than_there_is_room() -> None:
    async def main() -> None:
        running = most = 0
        done: Counter[str] = Counter()

        async def advance(run_id: str) -> None:
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

        async def advance(run_id: str) -> None:
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

        async def advance(run_id: str) -> None:
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
