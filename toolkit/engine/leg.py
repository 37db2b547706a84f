"""One leg of a run, from its claim to the next wait or end: context -> model -> moves.

A model call that breaks is made again as long as the run has time: many programs know no other end than `completed`,
and would wait for ever on a failure that the next second would have healed. Before a delta has left, it starts over
unseen; after it, the message that was begun becomes `incomplete`, and the answer is written anew in the same run.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import Final, Literal

from toolkit.engine import context as contexts
from toolkit.engine import moves, own_tools
from toolkit.engine.calls import Held, Turn, cleaned, remembered
from toolkit.engine.code.interpreting import Stage, input_files, pictures, start_over
from toolkit.engine.code.naming import names_of
from toolkit.engine.drafting import Drafting
from toolkit.engine.events import code_delta
from toolkit.engine.feeds import Feed
from toolkit.engine.images import shown
from toolkit.engine.jsontext import clean
from toolkit.engine.listening import heard
from toolkit.engine.model import (
    ContextExceeded,
    Delta,
    Ended,
    Model,
    ModelError,
    ModelRequest,
)
from toolkit.engine.objects import references
from toolkit.engine.objects.runs import Event, LastError, Run, Tokens
from toolkit.engine.patience import Patience
from toolkit.engine.rooms import Rooms
from toolkit.engine.search.tool import searched
from toolkit.engine.store import Tx
from toolkit.engine.telling import Telling
from toolkit.errors import SandboxUnavailable

__all__ = ["Leg"]

_log = logging.getLogger("toolkit.engine")

_Cut = Literal["max_completion_tokens", "max_prompt_tokens"]

_FIRST_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 15.0
_INDEXING_S: Final = 60.0
"""How long a run waits for files to be processed, as the API's guide says."""
_FIRST_LOOK_S, _LONGEST_LOOK_S = 0.02, 0.5
_SPARE_S: Final = 2.0
"""Time kept before expiry to say that the run failed, instead of letting it expire without a reason."""
_TOO_MANY_TURNS: Final = "The model asked for tools more than {} times in one run, the most allowed (--run-max-turns)."


class Leg:
    """Executes one leg of a claimed run: first `read`, in the transaction of the claim, then `go`."""

    def __init__(self, rooms: Rooms, run: Run, worker: str) -> None:
        self.run = run
        self.earlier = 0
        """How many steps the run had before."""
        self.opened: set[str] = set()
        """The ids of the steps that listeners have seen begin in this leg."""
        self._rooms, self._worker = rooms, worker
        self._feed: Feed | None = None
        self._pause: Callable[[float], Awaitable[None]] = asyncio.sleep
        self._store = Patience(rooms.store, run.id, self._left_s, self._wait)
        self._settings = run.settings
        self._window = rooms.context_tokens or rooms.models.window(self._settings["model"])
        self._context: contexts.Context
        self._taken: frozenset[str] = frozenset()
        self._drafting = Drafting(rooms.store)
        self._own = contexts.own_names(self._settings)
        """The names under which the model has tools of the engine's own, and their kinds."""
        self._runs_code = "code_interpreter" in self._own.values()
        self._links: Mapping[str, str] = {}
        """The files that an answer can link, by path."""
        self._pictures: Sequence[str] = ()
        """What the next message begins with."""
        self._files: Sequence[str] = ()
        """The names of the files that code finds."""
        self._held: Held | None = None
        """The turn that a worker before this one has left in the middle."""
        self._begin_turn()

    def take_over(self, tx: Tx) -> None:
        """Read what the run needs at its claim: a turn that was left in the middle, and what goes to the model."""
        self._held = moves.held(tx, self.run) if self._own else None
        self.read(tx)

    def read(self, tx: Tx) -> None:
        """Read what goes to the model."""
        per_token = self._rooms.scale.bytes_per_token(self._settings["model"])
        budget = contexts.budget_of(self.run, self._settings, self._window, per_token)
        self._context = contexts.read(tx, self.run, budget)
        if self.run.turns:
            self._taken = frozenset(row["id"] for row in tx.all("call.of_run", run=self.run.id))
        if self._runs_code:
            now = self._now()
            rows = tx.all("code.files", thread=self.run.thread, project=self.run.project, now=now)
            self._links = {row["path"]: row["file"] for row in rows}
            steps = (json.loads(row["body"])["step_details"] for row in tx.all("code.answered", run=self.run.id))
            self._pictures = pictures(steps)
            self._files = list(names_of(input_files(tx, self.run, now)).values())

    async def go(self, feed: Feed | None, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> Run:
        """Take the run as far as it gets by itself, and return it. Raises Fenced when somebody else has moved it.

        `feed` is None when nobody asked for a stream; then no deltas are made. `pause` waits for so many seconds, in
        which others may have this run's place.
        """
        self._feed, self._pause = feed, pause
        self._begin_turn()
        try:
            model, name = self._rooms.models.pick(self._settings["model"])
            model = heard(model, self.run)
            if self._runs_code:
                self._rooms.interpreting.sessions.expect()
            await self._indexed()
            if (held := self._held) is not None:
                self._held = None
                await self._go_on(await self._store.write(lambda tx: start_over(tx, self.run, held, self._now())))
            while self.run.status == "in_progress":
                if cut := self._spent():
                    await self._complete(Tokens(), cut)
                else:
                    await self._answer(model, name)
        except ModelError as error:
            await self._fail(LastError(error.code, clean(error.message)))
        finally:
            self._drafting.stop()
        return self.run

    async def _indexed(self) -> None:
        """Wait a while for files on their way into vector stores. Raises ModelError: one has expired."""
        pause_s, left_s = _FIRST_LOOK_S, _INDEXING_S
        while self.run.stores and not self.run.turns:
            stores = await self._store.read(partial(searched, run=self.run))
            for store in stores:
                if references.is_expired(store.row, self._now()):
                    said = f"Vector store {store.row['id']} has expired. Make a new one with the same files."
                    raise ModelError(said, code="invalid_prompt")
            if left_s <= 0 or not any(store.awaited for store in stores):
                return
            await self._wait(pause_s)
            left_s -= pause_s
            pause_s = min(pause_s * 2, _LONGEST_LOOK_S)

    @property
    def text(self) -> str:
        """What has been written so far of the message under way."""
        return self._turn.text

    @property
    def begun(self) -> Collection[str]:
        """The ids of the message and the steps that listeners have seen begin, and not end."""
        return self._turn.begun

    def _spent(self) -> _Cut | None:
        """Say which limit on tokens the run's earlier turns have used up."""
        used = self.run.used
        spent: dict[_Cut, int] = {"max_prompt_tokens": used.prompt, "max_completion_tokens": used.completion}
        for limit, tokens in spent.items():
            if self._settings[limit] is not None and tokens >= self._settings[limit]:
                return limit
        return None

    def _left_s(self) -> float:
        return self.run.expires_at - self._rooms.clock() - _SPARE_S

    async def _wait(self, seconds: float) -> None:
        await self._pause(seconds)

    async def _answer(self, model: Model, name: str) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            time_left_s = self._left_s()
            request = contexts.request_of(
                self.run, self._settings, name, self._context, max(time_left_s, 1.0), self._taken, self._files
            )
            request = await shown(request, self._image)
            began = time.perf_counter()
            try:
                await self._attempt(model, request)
                return self._rooms.meter.model_answered(time.perf_counter() - began)
            except ContextExceeded as error:
                self._rooms.meter.model_failed(error.code, again=False)
                await self._start_over()
                await self._read_less(error)
            except ModelError as error:
                wait_s = max(pause_s, error.retry_after_s or 0)
                again = error.retry and wait_s < self._left_s()
                self._rooms.meter.model_failed(error.code, again=again)
                if not again:
                    raise
                _log.warning("run %s: model call failed (%s), again in %.1f s", self.run.id, error.code, wait_s)
                await self._start_over()
                await self._wait(wait_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
                await self._store.read(self.read)

    async def _read_less(self, error: ContextExceeded) -> None:
        """Read half as much of the thread. Raises the error when there is no less: what the run did always goes."""
        before = self._context.size
        self._window = max(1, self._estimated(before) // 2)
        await self._store.read(self.read)
        if self._context.size >= before or self._left_s() <= 0:
            raise error

    async def _image(self, file_id: str, most: int) -> bytes | None:
        return await self._rooms.filing.read(self.run.project, file_id, most, self._now())

    async def _attempt(self, model: Model, request: ModelRequest) -> None:
        deltas = model.complete(request)
        try:
            async for delta in deltas:
                if isinstance(delta, Ended):
                    await self._end(delta)
                    return
                await self._turn.take(delta)
        finally:
            await self._close(deltas)
        raise ModelError("The model's answer ended without an end.", retry=True)

    async def _close(self, deltas: AsyncGenerator[Delta, None]) -> None:
        """Abort a model call, or let go of one that has ended: what goes wrong then changes nothing any more."""
        try:
            await deltas.aclose()
        except Exception:
            _log.exception("run %s: closing the model call failed", self.run.id)

    async def _end(self, ended: Ended) -> None:
        await self._turn.finish()
        used = self._used(ended)
        if ended.reason == "content_filter":
            stopped = LastError("invalid_prompt", "The model's content filter stopped the answer.")
            await self._fail(stopped, reason="content_filter")
        elif ended.calls and self.run.turns >= self._rooms.max_turns:
            await self._fail(LastError("server_error", _TOO_MANY_TURNS.format(self._rooms.max_turns)))
        elif ended.calls:
            await self._call_tools(ended, used)
        else:
            await self._complete(used, "max_completion_tokens" if ended.reason == "length" else None)

    def _used(self, ended: Ended) -> Tokens:
        """Take the server's count, and learn from it; estimate where there is none."""
        size, usage = self._context.size + contexts.fixed_size(self._settings), ended.usage
        if usage is None:
            return Tokens(self._estimated(size), self._estimated(len(ended.message.encode())))
        self._rooms.scale.learn(self._settings["model"], size, usage.prompt_tokens)
        cached = usage.prompt_details.get("cached_tokens")
        reasoning = usage.completion_details.get("reasoning_tokens")
        return Tokens(
            usage.prompt_tokens,
            usage.completion_tokens,
            cached if isinstance(cached, int) else 0,
            reasoning if isinstance(reasoning, int) else 0,
        )

    def _estimated(self, size: int) -> int:
        return self._rooms.scale.tokens(self._settings["model"], size)

    async def _call_tools(self, ended: Ended, used: Tokens) -> None:
        """Answer the calls that are the engine's, and hand the others to the application.

        The text that came before them is completed with them: were it complete any sooner, a turn that breaks off would
        be written anew beside it. So when there is some, the calls are told to listeners only now.
        """
        calls = cleaned(call for index, call in enumerate(ended.calls) if self._turn.counts(index))
        chat = remembered(ended.message, calls, len(ended.calls))
        begun = {call.id: own_tools.begun(call, kind) for call in calls if (kind := self._own.get(call.name))}
        turn, told = Turn(calls, chat, used, begun), self._turn

        def work(tx: Tx) -> tuple[Held | None, moves.Moved]:
            now, said = self._now(), turn
            events: tuple[Event, ...] = ()
            if told.text or told.writing is not None:
                message_id, finished = moves.finish_message(tx, self.run, told.said, now, Tokens())
                said, events = replace(turn, message_id=message_id), finished.events
            if begun:
                held, moved = moves.call_tools(tx, self.run, told.calls_step, said, now, owner=self._worker)
            else:
                held, moved = None, moves.require_action(tx, self.run, told.calls_step, said, now)
            return held, moves.Moved(moved.run, (*events, *moved.events))

        held, moved = await self._store.write(work)
        self._publish(moved)
        if held is not None:
            self._tell_rest(held)
            await self._go_on(held)

    def _tell_rest(self, held: Held) -> None:
        """Tell the code of calls that was not told as it came: it was not the first of the arguments, say."""
        if self._turn.calls_step is None or self._feed is None:
            return
        for index, call in enumerate(held.calls):
            if call["type"] == "code_interpreter":
                rest = self._turn.rest_of_code(index, call["code_interpreter"]["input"])
                if rest:
                    self._feed.publish([code_delta(held.step["id"], index, {"input": rest})])

    async def _go_on(self, held: Held) -> None:
        """Answer the calls of a turn that are the engine's; then the run goes on, or waits for the application's."""
        await self._answered(held)
        if self.run.status == "in_progress":
            await self._store.read(self.read)
            self._begin_turn()

    async def _answered(self, held: Held) -> None:
        contents = self._feed is not None and self._feed.contents
        async with AsyncExitStack() as kept:
            stage = Stage(
                run=self.run,
                store=self._store,
                held=held,
                publish=self._feed.publish if self._feed is not None else _nobody,
                now=self._now,
                left_s=self._left_s,
                room_tokens=self._window,
                kept=kept,
            )
            try:
                finished = await own_tools.answer(
                    stage, self._settings, self._rooms.retriever, self._rooms.interpreting
                )
            except SandboxUnavailable as error:
                raise ModelError(f"code_interpreter cannot be used: {error}") from error

            def work(tx: Tx) -> moves.Moved:
                now = self._now()
                used = {each.call.id: each.use(tx, self.run, now) for each in finished}
                return moves.go_on(tx, self.run, held, used, now, owner=self._worker, contents=contents)

            self._publish(await self._store.write(work))

    async def _complete(self, used: Tokens, cut: _Cut | None) -> None:
        told = self._turn

        def work(tx: Tx) -> moves.Moved:
            return moves.complete(tx, self.run, self._now(), used, told.said, cut=cut)

        self._publish(await self._store.write(work))

    async def _fail(self, error: LastError, reason: str | None = None) -> None:
        text = self._turn.text
        self._publish(
            await self._store.write(
                lambda tx: moves.end(tx, self.run, "fail", self._now(), error=error, text=text, reason=reason)
            )
        )

    async def _start_over(self) -> None:
        """Forget a broken answer; what listeners have seen of it is closed as broken."""
        self._drafting.stop()
        if self._turn.begun:
            text = self._turn.text
            self._publish(await self._store.write(lambda tx: moves.break_off(tx, self.run, self._now(), text)))
        self._begin_turn()

    def _begin_turn(self) -> None:
        self._turn = Telling(
            self.run,
            self._store,
            self._feed,
            self._drafting,
            self._now,
            self.opened,
            own=self._own,
            one_call=not self._settings["parallel_tool_calls"],
            links=self._links,
            pictures=self._pictures,
        )

    def _publish(self, moved: moves.Moved) -> None:
        self.run = moved.run
        if self._feed is not None:
            self._feed.publish(moved.events)

    def _now(self) -> int:
        return int(self._rooms.clock())


def _nobody(events: Iterable[Event]) -> None:
    """Tell nobody."""
