"""What was found in dumps, brought into the order of an export: oldest first, each thread with all that is in it.

Dumps are in whatever order their program asked for: newest first or oldest first, page by page, the messages of a
thread scattered. Times are whole seconds, so for things that bear the same one it counts in which direction the others
run. All of it is held in memory meanwhile, as text, about as much as the dumps are large.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any, Final

from pydantic import ValidationError

from toolkit.engine.jsontext import dump
from toolkit.engine.transfer import lines, shapes
from toolkit.engine.transfer.attachments import contents_apart, with_attachments
from toolkit.engine.transfer.dumps import Found
from toolkit.engine.transfer.history import history
from toolkit.engine.transfer.shapes import Object, Shape, as_object, completed, problem
from toolkit.engine.transfer.taking import Placed
from toolkit.engine.transfer.v1 import translated

__all__ = ["Dumps"]

_SHAPES: Final[Mapping[str, type[Shape]]] = {
    "file": shapes.File,
    "vector_store": shapes.VectorStore,
    "vector_store.file": shapes.VectorStoreFile,
    "assistant": shapes.Assistant,
    "thread": shapes.Thread,
    "thread.message": shapes.Message,
    "thread.run": shapes.Run,
    "thread.run.step": shapes.Step,
}
_ALONE: Final[Sequence[tuple[str, type[Any]]]] = (
    ("file", lines.FileLine),
    ("vector_store", lines.VectorStoreLine),
    ("vector_store.file", lines.VectorStoreFileLine),
    ("assistant", lines.AssistantLine),
)
"""What is in no thread."""
_IN_THREADS: Final = ("thread.message", "thread.run", "thread.run.step")
_NEWEST_FIRST: Final = -1
_LISTED_IN: Final = {"thread.run.step": "run_id", "vector_store.file": "vector_store_id"}
_STEPS_SLACK_S: Final = 2
"""By how much this engine's times of messages, and so of their steps, may be ahead of those of other steps."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """An object as it waits for its turn."""

    id: str
    created_at: int
    thread: str
    group: str
    """What it was listed in: the thread, of a step the run, of a file in a vector store that."""
    made: bool
    """Whether it stands in for what nobody has saved."""
    in_page: bool
    place: str
    text: str

    @property
    def value(self) -> Object:
        """The object itself."""
        value: Object = json.loads(self.text)
        return value


class Dumps:
    """Collects what is found. What cannot be read is told to `tell`."""

    def __init__(self, project: str, tell: Callable[[str], None]) -> None:
        self._project, self._tell = project, tell
        self._kept: dict[str, dict[str, _Kept]] = {noun: {} for noun in _SHAPES}
        self._way = 0
        self.passed_over: Counter[str] = Counter()
        """How many there are of each noun that is not imported."""

    def add(self, found: Found, place: str) -> None:
        """Collect an object. Of two with one id the later one counts."""
        if found.noun not in _SHAPES:
            self.passed_over[found.noun] += 1
            return
        try:
            *made, value = translated({"object": found.noun, **found.value})
            self._keep(value, found.in_page, place)
            for value in made:
                self._keep(value, False, place, made=True)
        except ValidationError as error:
            self._tell(f"{place}: {found.noun} {found.value.get('id')!r} cannot be read: {problem(error)}")

    def _keep(self, value: Object, in_page: bool, place: str, *, made: bool = False) -> None:
        noun = value["object"]
        value = completed(_SHAPES[noun], value)
        name, at, thread_id = value["id"], value["created_at"], value.get("thread_id", "")
        group: str = value[_LISTED_IN[noun]] if noun in _LISTED_IN else thread_id
        key = f"{group} {name}" if noun == "vector_store.file" else name
        same = self._kept[noun]
        there = same.get(key)
        if there is None or there.made or not made:
            same.pop(key, None)  # so that it stands where the later one does
            same[key] = _Kept(name, at, thread_id, group, made, in_page, place, dump(value))

    def lines(self) -> Iterator[Placed]:
        """Give everything, as lines in the order of an export; nothing can be added any more."""
        self._way = sum(_way(group) for those in self._kept.values() for group in _grouped(those.values()))
        stores = set(self._kept["vector_store"])
        for noun, line in _ALONE:
            for kept in self._by_thread(noun).get("", ()):
                yield self._placed(line, kept, kept.value, **({"made": True} if kept.made else {}))
        heads = {kept.id: kept for kept in self._by_thread("thread").get("", ())}
        inside = [self._by_thread(noun) for noun in _IN_THREADS]
        began = {thread_id: kept.created_at for thread_id, kept in heads.items()}
        for thread_id, those in chain.from_iterable(of.items() for of in inside):
            if thread_id not in heads:
                began[thread_id] = min(began.get(thread_id, those[0].created_at), those[0].created_at)
        for thread_id in sorted(began, key=lambda name: began[name]):
            yield from self._thread(thread_id, heads.get(thread_id), stores, *(of.pop(thread_id, []) for of in inside))

    def _by_thread(self, noun: str) -> dict[str, list[_Kept]]:
        """Take the objects of one noun, oldest first, by the thread that they are in."""
        groups = _grouped(self._kept.pop(noun).values())
        way = sum(map(_way, groups))
        slack_s = _STEPS_SLACK_S if noun == "thread.run.step" else 0
        ways = [_way(group) or way or (_NEWEST_FIRST if group[0].in_page else self._way) for group in groups]
        ordered = [_oldest_first(group, way, slack_s) for group, way in zip(groups, ways, strict=True)]
        by_thread: dict[str, list[_Kept]] = {}
        for group in sorted(ordered, key=lambda group: group[0].created_at):  # runs follow each other, and so do steps
            by_thread.setdefault(group[0].thread, []).extend(group)
        return by_thread

    def _placed(self, line: type[Any], kept: _Kept, value: Object, **more: Any) -> Placed:
        made = line.model_construct(project=self._project, object=value, **more)  # which was checked when it came
        return Placed(made, kept.place)

    def _thread(
        self,
        thread_id: str,
        head: _Kept | None,
        stores: Container[str],
        messages: Sequence[_Kept],
        runs: Sequence[_Kept],
        steps: Sequence[_Kept],
    ) -> Iterator[Placed]:
        said = [kept.value for kept in messages]
        done = [kept.value for kept in steps]
        if head is not None:
            thread, made = with_attachments(head.value, said, stores)
            for value in made:
                line = lines.VectorStoreLine if value["object"] == "vector_store" else lines.VectorStoreFileLine
                yield self._placed(line, head, completed(_SHAPES[value["object"]], value), made=True)
            yield self._placed(lines.ThreadLine, head, thread)
        for kept, message in zip(messages, said, strict=True):
            yield self._placed(lines.MessageLine, kept, message)
        for kept in runs:
            run = kept.value
            yield self._placed(lines.RunLine, kept, run, used=_used(run))
        for kept, step in zip(steps, done, strict=True):
            shown, full = contents_apart(step)
            yield self._placed(lines.StepLine, kept, shown, full=full)
        places = {kept.id: kept.place for kept in (*messages, *steps)}
        for remembered in history(said, done):
            item = lines.ItemLine.model_construct(
                project=self._project,
                thread=thread_id,
                run=remembered.run,
                message=remembered.message,
                turn=remembered.turn,
                chats=remembered.chats,
            )
            yield Placed(item, places[remembered.turn or remembered.message or ""])


def _grouped(those: Iterable[_Kept]) -> list[list[_Kept]]:
    """Give objects by what they were listed in, as they came."""
    groups: dict[str, list[_Kept]] = {}
    for kept in those:
        groups.setdefault(kept.group, []).append(kept)
    return list(groups.values())


def _way(group: Iterable[_Kept]) -> int:
    """Say in which direction times run: more than 0 is oldest first, less is newest first, 0 is not known.

    Then it counts how others of their kind run, then what page they stood in, then how all the others run.
    """
    steps = [later.created_at - earlier.created_at for earlier, later in pairwise(group)]
    return sum(step > 0 for step in steps) - sum(step < 0 for step in steps)


def _oldest_first(group: Sequence[_Kept], way: int, slack_s: int) -> list[_Kept]:
    """Sort by time, and of one time by the direction; a list whose times run so, but for `slack_s`, stays as it is."""
    listed = list(reversed(group)) if way < 0 else list(group)
    if all(earlier.created_at <= later.created_at + slack_s for earlier, later in pairwise(listed)):
        return listed
    return sorted(listed, key=lambda kept: kept.created_at)


def _used(run: Object) -> list[int]:
    usage = as_object(run["usage"])
    cached = as_object(usage.get("prompt_token_details")).get("cached_tokens")
    reasoning = as_object(usage.get("completion_tokens_details")).get("reasoning_tokens")
    counts: list[Any] = [usage.get("prompt_tokens"), usage.get("completion_tokens"), cached, reasoning]
    return [count if isinstance(count, int) and 0 <= count < 2**53 else 0 for count in counts]
