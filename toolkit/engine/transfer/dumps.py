"""Find the API's objects in what people have saved: alone, in lists, in pages of lists, in objects of their own.

Objects say what they are in `object`; where that was left out, ids do. What a thread or a run has inside it (messages,
steps) belongs to it, and so does what stands beside it, as in `{"thread": {...}, "messages": [...]}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from toolkit.engine.transfer.shapes import Object, as_list, as_object

__all__ = ["Found", "found_in"]

_BY_PREFIX: Final[Mapping[str, str]] = {
    "asst_": "assistant",
    "thread_": "thread",
    "msg_": "thread.message",
    "run_": "thread.run",
    "step_": "thread.run.step",
    "file-": "file",
    "vs_": "vector_store",
}
_INSIDE: Final = ("messages", "runs", "steps", "run_steps", "files")
"""What programs have put into objects that the API keeps apart."""


@dataclass(frozen=True, slots=True)
class _Around:
    """What an object stands in."""

    thread: str | None = None
    run: str | None = None
    in_page: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """An object of the API, with the ids of the thread and run it was found in, where it did not say them."""

    noun: str
    """What it is, as its `object` says."""
    value: Object
    in_page: bool
    """Whether in a page of a list: those begin with the newest, unless they were asked otherwise."""


def found_in(value: Any) -> Iterator[Found]:
    """Find all objects of the API in a JSON value, in order."""
    return _found(value, _Around())


def _found(value: Any, around: _Around) -> Iterator[Found]:
    for part in as_list(value):
        yield from _found(part, around)
    if not (whole := as_object(value)):
        return
    noun = _noun(whole)
    if noun == "list":
        yield from _found(whole.get("data"), replace(around, in_page=True))
    elif noun is None:
        yield from _found_among(whole, _beside(whole, around))
    else:
        yield from _found_as(noun, whole, around)


def _noun(value: Object) -> str | None:
    noun, name = value.get("object"), value.get("id")
    if isinstance(noun, str):
        return noun
    if not isinstance(name, str):
        return "list" if isinstance(value.get("data"), list) and "has_more" in value else None
    return next((noun for prefix, noun in _BY_PREFIX.items() if name.startswith(prefix)), None)


def _found_as(noun: str, value: Object, around: _Around) -> Iterator[Found]:
    """Give an object, and then what programs have put into it."""
    inside = {name: value[name] for name in _INSIDE if isinstance(value.get(name), (dict, list))}
    own = {name: part for name, part in value.items() if name not in inside}
    if noun in ("thread.message", "thread.run", "thread.run.step"):
        _name(own, "thread_id", around.thread)
        _name(own, "run_id", around.run if noun == "thread.run.step" else None)
    yield Found(noun, own, around.in_page)
    name = value.get("id")
    thread, run = _text(own.get("thread_id")) or around.thread, around.run
    if noun == "thread":
        thread = _text(name)
    elif noun == "thread.run":
        run = _text(name)
    yield from _found_among(inside, _Around(thread, run))


def _name(value: Object, member: str, given: str | None) -> None:
    if given is not None and not value.get(member):
        value[member] = given


def _found_among(parts: Mapping[str, Any], around: _Around) -> Iterator[Found]:
    for name, part in parts.items():
        if name.startswith("thread_"):  # {"thread_abc": [...]}
            yield from _found(part, replace(around, thread=name))
        elif name.startswith("run_"):
            yield from _found(part, replace(around, run=name))
        else:
            yield from _found(part, around)


def _beside(value: Object, around: _Around) -> _Around:
    """Say what the parts of an object stand in that is none of the API's: the thread and the run that it names."""
    return replace(
        around,
        thread=_id(value.get("thread")) or _text(value.get("thread_id")) or around.thread,
        run=_id(value.get("run")) or _text(value.get("run_id")) or around.run,
    )


def _id(part: Any) -> str | None:
    return _text(as_object(part).get("id", part))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
