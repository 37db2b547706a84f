"""A session as seen from this side of the wall: it asks, bounds what comes back, and ends what goes over its limits.

Nothing that comes from behind the wall is believed: an answer of another call is dropped, one that is too long or is
none ends the session.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import signal
from asyncio.subprocess import Process
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from toolkit.sandbox.answers import head_of, output_of
from toolkit.sandbox.inside.wire import packed
from toolkit.sandbox.printed import Mark, Printed
from toolkit.sandbox.sandbox import (
    Ended,
    Image,
    Limits,
    Output,
    Refusal,
    Text,
    Why,
)
from toolkit.sandbox.watch import Usage

__all__ = ["Look", "WalledSession"]

Look = Callable[[int, int], Usage]
"""Looks at what a session takes: its outermost process, and above how many bytes to look closely -> Usage."""

_PIPE: Final = 64 * 1024
_SLOWED_S: Final = 0.01
_LOOK_S, _LOOK_IDLE_S = 0.2, 2.0
_GRACE_S: Final = 2.0
"""How long after its time code may take to stop by itself."""
_START_S: Final = 30.0
_FILE_S: Final = 60.0
_MOST_ANSWERED: Final = 64 * 2**20
"""How much all answers of one call may have."""
_MOST_ANSWERS: Final = 1000
"""How many answers a call may have; a worker that is as we wrote it stays below."""

_Answer = tuple[dict[str, Any], bytes]

_TEXTS: Final[Mapping[Why, str]] = {
    "time": "The code ran for more than {call.call_s:g} seconds and did not stop.",
    "memory": "The code took more memory than the {session.memory_bytes:,} bytes that it may have.",
    "files": "The code made more than the {session.files:,} files that it may have.",
    "idle": "What the code had left running took more than {session.idle_cpu_s} seconds of a processor between calls.",
    "died": "The Python process has ended: the code ended it, or it was killed.",
    "protocol": "The code has written to what its answers are sent by.",
    "closed": "The session was closed.",
}
_GONE: Final = " The session was ended: its variables and files are gone, and the next call begins a new one."


class WalledSession:
    """A session over a process that has been started.

    `printed` is the end of the pipe that its text comes by, `word` what marks begin with there; `look` and `leave` as
    `start`'s.
    """

    def __init__(
        self,
        process: Process,
        printed: int,
        word: bytes,
        limits: Limits,
        look: Look,
        leave: Callable[[], Awaitable[None]] | None,
    ) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.ended: Ended | None = None
        self.memory_bytes = 0
        self.layers: Mapping[str, Any] = {}
        """What of the wall depends on the kernel: `landlock` is its version."""
        self._process, self._requests, self._answers = process, process.stdin, process.stdout
        self._printed = printed
        self._look, self._leave = look, leave
        self._limits = self._call_limits = limits
        self._call = 0
        self._turn = asyncio.Lock()
        self._text = Printed(word)
        self._came: deque[bytes | Mark] = deque()
        """Text, and where answers belong in it."""
        self._answered: dict[str, _Answer] = {}
        """Answers that have come, by their marks."""
        self._news = asyncio.Event()
        self._stands, self._begun = asyncio.Event(), asyncio.Event()
        """Whether the wall stands; whether a call has begun."""
        self._hears = False
        """Whether text is taken as it comes."""
        self._room = _PIPE
        """How much of the text of this call is still taken."""
        self._left = _MOST_ANSWERED
        """How much the answers of this call may still have."""
        self._counted = self._marks = 0
        """How many answers this call has had, and places for them."""
        self._listening = asyncio.create_task(self._listen())
        self._watching = asyncio.create_task(self._watch())

    @property
    def pid(self) -> int:
        """The process that holds all the others of the session."""
        return self._process.pid

    @property
    def is_busy(self) -> bool:
        """Whether a call is under way."""
        return self._turn.locked()

    async def usage(self) -> Usage:
        """Look at what all of the session takes now."""
        return await asyncio.to_thread(self._look, self.pid, self._limits.memory_bytes)

    async def ready(self) -> None:
        """Wait until the wall stands. Raises OSError with what was said when it does not."""
        said = b""
        self._hear(True)
        try:
            while (each := await self._next(asyncio.get_running_loop().time() + _START_S)) is not None:
                if not isinstance(each, bytes):
                    self.layers = {"landlock": each[0].get("landlock", 0)}
                    self._stands.set()
                    return
                said += each
        except TimeoutError:
            raise OSError("it took too long to start") from None
        finally:
            self._hear(False)
        raise OSError(said.decode("utf-8", "replace").strip()[-2000:] or "the process ended without a word")

    async def execute(self, code: str, limits: Limits) -> AsyncGenerator[Output, None]:
        """Run code; its outputs come as they are made."""
        async with self._turn:
            pictures = limits.pictures
            decoder = codecs.getincrementaldecoder("utf-8")("replace")
            ask = {"do": "run", "seconds": limits.call_s}
            answers = self._ask(ask, code.encode("utf-8", "replace"), limits, limits.call_s + _GRACE_S)
            try:
                async for each in answers:
                    if isinstance(each, bytes):
                        if text := decoder.decode(each):
                            yield Text(text)
                        continue
                    if rest := decoder.decode(b"", final=True):
                        yield Text(rest)
                    output = output_of(*each, limits)
                    if isinstance(output, Image):
                        pictures -= 1
                    if output is not None and not (isinstance(output, Image) and pictures < 0):
                        yield output
            finally:
                await answers.aclose()
            if rest := decoder.decode(b"", final=True):
                yield Text(rest)
            if self._room < 0:
                yield Text(f"\n[{-self._room:,} more bytes were printed, and are not shown]\n")
            if self.ended is not None:
                yield self.ended

    async def put(self, names: Sequence[str], data: bytes) -> None:
        """Put a file under /mnt/data, under each of these names."""
        await self._answer({"do": "put", "names": list(names)}, data)

    async def read(self, path: str, most_bytes: int) -> bytes:
        """Read a file under /mnt/data."""
        answer = await self._answer({"do": "get", "path": path, "most": most_bytes}, b"")
        if answer is None or len(answer) > most_bytes:
            raise Refusal(f"{path!r} could not be read")
        return answer

    async def aclose(self) -> None:
        """End the session, and every process of it."""
        await self.end("closed")

    async def end(self, why: Why) -> None:
        """End the session for a reason. The first one counts."""
        self._end(why)
        self._watching.cancel()
        self._requests.close()  # a process that was not of the group yet when that was killed ends without requests
        leave, self._leave = self._leave, None
        if leave is not None:
            await leave()
        await self._listening
        await self._process.wait()
        printed, self._printed = self._printed, -1
        if printed >= 0:
            os.close(printed)

    async def _answer(self, asked: dict[str, Any], body: bytes) -> bytes | None:
        file: bytes | None = None
        refused, printed = "", b""
        async with self._turn:
            answers = self._ask(asked, body, self._limits, _FILE_S)
            try:
                async for each in answers:
                    if isinstance(each, bytes):
                        printed += each
                    elif each[0]["kind"] == "refused":
                        refused = each[1].decode("utf-8", "replace")[:500]
                    elif each[0]["kind"] == "file":
                        file = each[1]
            finally:
                await answers.aclose()
            if printed:
                self._came.appendleft(printed[:_PIPE])  # the next code's, as all that is printed between calls
        if self.ended is not None:
            refused = self.ended.text
        if refused:
            raise Refusal(refused)
        return file

    async def _ask(
        self, asked: dict[str, Any], body: bytes, limits: Limits, most_s: float
    ) -> AsyncGenerator[bytes | _Answer, None]:
        """Send a request, and give what comes, until it is done or the session has ended."""
        self._call += 1
        self._call_limits = limits
        self._room, self._left = limits.output_bytes, asked.get("most", 0) + _MOST_ANSWERED
        self._counted = self._marks = 0
        loop = asyncio.get_running_loop()
        by = loop.time() + most_s
        done = False
        self._hear(True)
        self._begun.set()
        try:
            if self.ended is None:
                self._requests.write(packed({**asked, "call": self._call}, body))
                async with asyncio.timeout_at(by):
                    await self._requests.drain()
            while not done and (each := await self._next(by)) is not None:
                if isinstance(each, bytes):
                    yield each
                elif each[0]["call"] == self._call:
                    done = each[0]["kind"] == "done"
                    if not done:
                        yield each
            done = True
        except TimeoutError:
            await self.end("time")
        except ConnectionError:  # nobody is there any more to be asked
            await self.end("died")
        finally:
            self._hear(False)
            if not done and self.ended is None:
                await self.end("closed")  # who asked has left, and what it asked for still runs

    async def _next(self, by: float) -> bytes | _Answer | None:
        """Give the next piece of text or answer; None when no more comes. Raises TimeoutError."""
        while True:
            if self._came:
                first = self._came[0]
                if isinstance(first, bytes) or first.number in self._answered or self.ended is not None:
                    self._came.popleft()
                    found = first if isinstance(first, bytes) else self._answered.pop(first.number, None)
                    if found is not None:
                        return found
                    continue
            elif self.ended is not None:
                return None
            if asyncio.get_running_loop().time() >= by:  # there may always be news
                raise TimeoutError
            async with asyncio.timeout_at(by):
                await self._news.wait()
            self._news.clear()

    async def _listen(self) -> None:
        """Read answers as long as there are any."""
        try:
            while True:
                head = head_of(await self._answers.readuntil(b"\n"))
                self._left -= head["size"]
                if self._left < 0:
                    raise ValueError
                body = await self._answers.readexactly(head["size"])
                self._counted += 1
                if self._counted > _MOST_ANSWERS or len(self._answered) > _MOST_ANSWERS:
                    raise ValueError
                self._answered[head["mark"]] = head, body
                self._news.set()
        except asyncio.IncompleteReadError:
            self._end("died")
        except (ValueError, RecursionError, asyncio.LimitOverrunError):
            self._end("protocol")
        while await self._answers.read(_PIPE):
            pass  # a process is only waited for when all that it sent is read

    async def _watch(self) -> None:
        """Look at what all of the session takes, and end it when that is too much."""
        await self._stands.wait()
        idle_s, before_s, before = 0.0, 0.0, -1
        while self.ended is None:
            self.memory_bytes, files, cpu_s = await self.usage()
            if not self.is_busy and self._call == before:
                idle_s += max(cpu_s - before_s, 0)
            before_s, before = cpu_s, -1 if self.is_busy else self._call
            if self._process.returncode is not None:  # what it has started may hold open what answers come by
                self._end("died")
            elif self.memory_bytes > self._limits.memory_bytes + self._limits.disk_bytes:
                self._end("memory")
            elif files > self._limits.files:
                self._end("files")
            elif idle_s > self._limits.idle_cpu_s:
                self._end("idle")
            self._begun.clear()
            if not self.is_busy:
                try:
                    async with asyncio.timeout(_LOOK_IDLE_S):
                        await self._begun.wait()
                except TimeoutError:
                    continue
            await asyncio.sleep(_LOOK_S)

    def _drain(self) -> None:
        """Take what has been printed, as much as a pipe holds. Who prints more than is shown has to wait."""
        for _ in range(2):
            try:
                data = os.read(self._printed, _PIPE)
            except OSError:  # there is nothing
                return
            if not data:
                self._hear(False)
                return
            for each in self._text.feed(data):
                self._keep(each)
            if self._marks > _MOST_ANSWERS:
                self._end("protocol")
                return
        if self._room < 0 and self._hears:
            self._hear(False)
            asyncio.get_running_loop().call_later(_SLOWED_S, self._hear_again, self._call)

    def _keep(self, each: bytes | Mark) -> None:
        """Keep what is printed, as long as there is room."""
        if isinstance(each, bytes):
            room, self._room = max(self._room, 0), self._room - len(each)
            each = each[:room]
        else:
            self._marks += 1
        if each:
            self._came.append(each)
            self._news.set()

    def _hear(self, yes: bool) -> None:
        """Take what is printed as it comes, or no more."""
        loop = asyncio.get_running_loop()
        if yes and not self._hears and self.ended is None:
            loop.add_reader(self._printed, self._drain)
        elif not yes and self._hears:
            loop.remove_reader(self._printed)
        self._hears = yes and self.ended is None

    def _hear_again(self, call: int) -> None:
        if self._turn.locked() and call == self._call:
            self._hear(True)

    def _end(self, why: Why) -> None:
        if self.ended is None:
            self.ended = Ended(why, _TEXTS[why].format(call=self._call_limits, session=self._limits) + _GONE)
            self._drain()
            self._keep(self._text.end())
            self._hear(False)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._news.set()
