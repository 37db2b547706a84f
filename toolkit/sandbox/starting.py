"""Starts the process of a session, and leaves nothing of it behind when that comes to nothing."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence

from toolkit.sandbox.inside.wire import LONGEST_LINE
from toolkit.sandbox.sandbox import Limits
from toolkit.sandbox.session import Look, WalledSession
from toolkit.sandbox.watch import usage

__all__ = ["start"]


async def start(
    command: Sequence[str],
    word: bytes,
    limits: Limits,
    *,
    environment: Mapping[str, str] | None,
    folder: str = "/",
    told: int | None = None,
    look: Look = usage,
    leave: Callable[[], Awaitable[None]] | None = None,
) -> WalledSession:
    """Start a session by a command, which may read the descriptor `told`. Raises OSError.

    `environment` is the command's; ours when None. `leave` is called once, when all is over, for what is to be cleared
    away.
    """
    printed, printing = os.pipe()
    os.set_blocking(printed, False)
    begun = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=printing,
            env=environment,
            cwd=folder,
            pass_fds=() if told is None else (told,),
            start_new_session=True,
            limit=LONGEST_LINE,
        )
    )
    try:
        process = await _to_its_end(begun)
    except BaseException:
        os.close(printed)
        if leave is not None:
            await leave()
        raise
    finally:
        os.close(printing)
    session = WalledSession(process, printed, word, limits, look, leave)
    try:
        await asyncio.sleep(0)  # for who has left meanwhile
        await session.ready()
    except BaseException:
        await session.aclose()
        raise
    return session


async def _to_its_end(begun: asyncio.Future[Process]) -> Process:
    """Wait for a process that is being started, also when nobody wants it any more: then it can be ended as a whole.

    What asyncio would kill is the first process alone, and not those that it has just started.
    """
    left = False
    task = asyncio.current_task()
    assert task is not None
    while not begun.done():
        try:
            await asyncio.shield(begun)
        except asyncio.CancelledError:
            left = True
            task.uncancel()
    if left:
        asyncio.get_running_loop().call_soon(task.cancel)
    return begun.result()
