"""What a turn of the model says, as it says it: put together, kept as a draft, and told to listeners.

A message or a step is opened in the store before the first delta of it is sent. Where nobody listens no deltas are
made, and what was said is written as a whole when the turn ends.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from toolkit.engine import moves
from toolkit.engine.code.linking import Link, Linking
from toolkit.engine.code.linking import annotation as file_path
from toolkit.engine.code.streamed import Streamed
from toolkit.engine.drafting import Drafting
from toolkit.engine.events import call_delta, call_started, code_delta, own_call_started, text_delta
from toolkit.engine.feeds import Feed
from toolkit.engine.jsontext import clean
from toolkit.engine.model import CallBegan, CallPiece, Delta, Text
from toolkit.engine.objects.runs import Run
from toolkit.engine.patience import Patience
from toolkit.engine.search.citing import Citing, Mark
from toolkit.engine.search.tool import citation

__all__ = ["Telling"]


class Telling:
    """One turn of a run under way; `own` are the names of the tools that are the engine's, and their kinds.

    `feed` is None when nobody listens. The ids of the steps that listeners see begin go into `opened`. `links` are the
    files that the text may link, by path, `pictures` those that the message begins with.
    """

    def __init__(
        self,
        run: Run,
        store: Patience,
        feed: Feed | None,
        drafting: Drafting,
        now: Callable[[], int],
        opened: set[str],
        *,
        own: Mapping[str, str],
        one_call: bool,
        links: Mapping[str, str],
        pictures: Sequence[str],
    ) -> None:
        self.text = ""
        """What has been written so far of the message."""
        self.writing: moves.Writing | None = None
        """The message, once it is opened."""
        self.calls_step: dict[str, Any] | None = None
        """The step of the calls, once it is opened."""
        self._annotations: list[dict[str, Any]] = []
        self._run, self._store, self._feed, self._drafting = run, store, feed, drafting
        self._now, self._opened, self._one_call = now, opened, one_call
        self._own, self._pictures = own, pictures
        self._codes: dict[int, Streamed] = {}
        """Calls of code_interpreter, as far as their code has come."""
        self._functions: set[int] = set()
        self._citing = Citing() if "file_search" in own.values() else None
        self._linking = Linking(links) if links else None

    @property
    def said(self) -> moves.Said:
        """What is to be written of the message."""
        return moves.Said(self.text, self._annotations, self._pictures, self.writing)

    @property
    def begun(self) -> Collection[str]:
        """The ids of the message and the steps that listeners have seen begin, and not end."""
        writing, step = self.writing, self.calls_step
        of_message = (writing.message["id"], writing.step["id"]) if writing else ()
        return (*of_message, step["id"]) if step else of_message

    def counts(self, index: int) -> bool:
        """Whether a call counts: with `parallel_tool_calls` false the first one alone, whatever the model does."""
        return index == 0 or not self._one_call

    async def take(self, delta: Delta) -> None:
        """Pass a delta on, after opening what it belongs to."""
        match delta:
            case Text(value):
                for part in self._parts(self._citing.feed(value) if self._citing else (value,)):
                    await self._say(part)
            case CallBegan(index, call_id, name) if self._feed is not None and self.counts(index):
                await self._begin_call(self._feed, index, call_id, name)
            case CallPiece(index, piece) if self._feed is not None and self.calls_step and self.counts(index):
                if index in self._functions:
                    self._feed.publish([call_delta(self.calls_step["id"], index, piece)])
                elif index in self._codes and (code := self._codes[index].feed(piece)):
                    self._feed.publish([code_delta(self.calls_step["id"], index, {"input": code})])
            case _:
                pass

    async def finish(self) -> None:
        """Say what was held back, and draft nothing more: the turn is about to be closed."""
        for part in self._parts(self._citing.end() if self._citing else ()):
            await self._say(part)
        for part in self._linking.end() if self._linking else ():
            await self._say(part)
        self._drafting.stop()

    def rest_of_code(self, index: int, code: str) -> str:
        """Say what listeners have not heard yet of the code of a call that was told as it came."""
        heard = self._codes[index].code if index in self._codes else ""
        return code[len(heard) :] if code.startswith(heard) else ""

    def _parts(self, parts: Iterable[str | Mark]) -> Iterator[str | Mark | Link]:
        """Find links in what is text."""
        for part in parts:
            if self._linking is None:
                yield part
            elif isinstance(part, Mark):
                yield from self._linking.end()
                yield part
            else:
                yield from self._linking.feed(part)

    async def _say(self, part: str | Mark | Link) -> None:
        """Add to the message: text, or what stands for something. A mark that stands for nothing is left out."""
        noted: list[dict[str, Any]] = []
        if isinstance(part, Mark):
            about = {"thread": self._run.thread, "search": part.search, "place": part.place}
            row = await self._store.read(lambda tx: tx.one("passage.get", **about))
            if row is None:
                return
            noted = [citation(part, self._end, row["file"], row["quote"])]
            part = str(part)
        elif isinstance(part, Link):
            noted = [file_path(part, self._end)]
            part = part.text
        self.text += part
        if self._feed is not None:
            first, at = self.writing is None, len(self._pictures)
            message_id = (await self._opened_message(self._feed)).message["id"]
            earlier = len(self._annotations)
            delta = text_delta(message_id, part, first=first, annotations=noted, earlier=earlier, at=at)
            self._feed.publish([delta])
            self._drafting.heard(message_id, part)
        self._annotations += noted

    @property
    def _end(self) -> int:
        """Where the text ends, as it is kept: a character that has come in two halves is one there."""
        return len(clean(self.text))

    async def _begin_call(self, feed: Feed, index: int, call_id: str, name: str) -> None:
        if self.calls_step is None and self.writing is not None:
            return  # told when the turn is whole, after its text is complete
        step_id = (await self._opened_calls(feed))["id"]
        if (kind := self._own.get(name)) is not None:
            if kind == "code_interpreter":
                self._codes[index] = Streamed()
            feed.publish([own_call_started(step_id, index, call_id, kind)])
        else:
            self._functions.add(index)
            feed.publish([call_started(step_id, index, call_id, name)])

    async def _opened_message(self, feed: Feed) -> moves.Writing:
        """Give the message that is being written, opened before its first delta."""
        if self.writing is None:
            opened = await self._store.write(lambda tx: moves.begin_message(tx, self._run, self._now(), self._pictures))
            self.writing, moved = opened
            self._opened.add(self.writing.step["id"])
            feed.publish(moved.events)
        return self.writing

    async def _opened_calls(self, feed: Feed) -> dict[str, Any]:
        """Give the step of the calls, opened before the first delta of one."""
        if self.calls_step is None:
            opened = await self._store.write(lambda tx: moves.begin_calls(tx, self._run, self._now()))
            self.calls_step, moved = opened
            self._opened.add(self.calls_step["id"])
            feed.publish(moved.events)
        return self.calls_step
