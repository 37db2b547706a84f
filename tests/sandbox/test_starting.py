"""A session that is being started while nobody wants it any more."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import Any

import pytest

from tests.sandbox.sessions import LIMITS, needs_wall, strongest

pytestmark = needs_wall


def test_who_leaves_while_a_session_is_being_started_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first process may just have started others, which the kill of that one alone would leave."""
    begin, begun = asyncio.create_subprocess_exec, list[asyncio.subprocess.Process]()

    async def slow(*command: str, **options: Any) -> asyncio.subprocess.Process:
        begun.append(await begin(*command, **options))
        await asyncio.sleep(0.02)
        return begun[-1]

    async def leave() -> None:
        opening = asyncio.create_task(strongest().open(LIMITS))
        while not begun:
            await asyncio.sleep(0.001)
        opening.cancel()
        async with asyncio.timeout(20):
            with pytest.raises(asyncio.CancelledError):
                await opening
            assert begun[0].returncode == -signal.SIGKILL
            with suppress(ProcessLookupError):
                while True:  # until the others are gone, too
                    os.killpg(begun[0].pid, 0)
                    await asyncio.sleep(0.01)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", slow)
    asyncio.run(leave())
