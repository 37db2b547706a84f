from __future__ import annotations

import asyncio

from toolkit.engine.logs import about, ids


def test_ids_add_up_and_stay_with_their_task() -> None:
    async def one(number: str) -> dict[str, str]:
        about(request_id=number)
        await asyncio.sleep(0)
        about(run_id=f"run_{number}")
        inherited = await asyncio.create_task(inside())
        assert inherited == {**ids(), "step_id": "s"}
        return dict(ids())

    async def inside() -> dict[str, str]:
        about(step_id="s")
        return dict(ids())

    async def both() -> None:
        assert ids() == {}
        assert await asyncio.gather(one("a"), one("b")) == [
            {"request_id": "a", "run_id": "run_a"},
            {"request_id": "b", "run_id": "run_b"},
        ]
        assert ids() == {}

    asyncio.run(both())
