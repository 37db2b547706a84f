"""Documents are read in processes of their own: what goes wrong there goes wrong for that document alone.

One process per engine waits for documents and forks for each (`reader.py`); the fork is sealed before it reads, and has
bounds on memory, time and what it may answer. Nothing of our environment goes there but where Python's packages are.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from typing import Any, Final

from toolkit.engine.search.reading import MOST_BYTES, Text, Unreadable
from toolkit.engine.search.sealing import can_seal

__all__ = ["Documents"]

_MEMORY_BYTES: Final = 2 * 2**30
_CPU_S: Final = 60
_WALL_S: Final = 120.0
_LENGTH: Final = 8
_MOST_ANSWER: Final = 8 * MOST_BYTES
"""JSON of text: a character may be written as six."""


class Documents:
    """Reads documents, one at a time, in a process that is started when it is first needed."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    async def read(self, data: bytes) -> Text:
        """Give the text of a PDF, Word, PowerPoint, Excel or HTML document. Raises Unreadable."""
        if not can_seal():
            said = "Documents are read in sealed processes, which need Linux on x86-64 or arm64."
            raise Unreadable("unsupported_file", said)
        async with self._turn:
            try:
                async with asyncio.timeout(_WALL_S):
                    answer = await self._ask(data)
            except TimeoutError:
                await self.aclose()
                raise Unreadable("invalid_file", f"Reading the file takes more than {_WALL_S:.0f} seconds.") from None
            except BaseException:
                await self.aclose()  # who is in the middle of something answers the next one wrongly
                raise
        return _text(answer)

    async def aclose(self) -> None:
        """End the process, and what it has begun."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def _ask(self, data: bytes) -> bytes:
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "toolkit.engine.search.reader"),
                *map(str, (_MEMORY_BYTES, _CPU_S, MOST_BYTES)),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                cwd="/",
                start_new_session=True,
            )
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(len(data).to_bytes(_LENGTH))
        stdin.write(data)
        await stdin.drain()
        length = int.from_bytes(await stdout.readexactly(_LENGTH))
        if length > _MOST_ANSWER:
            raise Unreadable("invalid_file", "The file has too much text.")
        return await stdout.readexactly(length)


def _text(answer: bytes) -> Text:
    said: dict[str, Any] = json.loads(answer)
    if "code" in said:
        raise Unreadable(said["code"], said["message"])
    return Text(said["text"], tuple((int(at), str(place)) for at, place in said["places"]))
