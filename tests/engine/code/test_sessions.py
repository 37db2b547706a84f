from __future__ import annotations

import asyncio
from typing import Any

import pytest

from toolkit.engine.code.sessions import Sessions, Unsettled
from toolkit.errors import Refused, SandboxUnavailable
from toolkit.sandbox.sandbox import Limits, Session


class Nothing:
    async def open(self, limits: Limits) -> Session:
        raise SandboxUnavailable("Not now.")


def test_what_kept_code_from_being_run_is_looked_at_again_after_a_while() -> None:
    now, tries = [0.0], list[int]()

    async def choose() -> Any:
        tries.append(1)
        if len(tries) < 3:
            raise SandboxUnavailable("The machine has much to do.")
        return Nothing()

    async def look() -> None:
        sessions = Sessions(choose, memory_bytes=0, clock=lambda: now[0])
        for _ in range(2):
            with pytest.raises(Unsettled):
                sessions.require()
            await sessions.settle()
            with pytest.raises(Refused, match=r"cannot run the tool 'code_interpreter'\. The machine has much to do\."):
                sessions.require()
            now[0] += 30
        with pytest.raises(Unsettled):
            sessions.require()
        await sessions.settle()
        sessions.require()
        await sessions.aclose()

    asyncio.run(look())
