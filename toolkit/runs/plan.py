"""Which run the arguments of `run` and `stream` ask for; what does not fit together is said before anything is sent."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from toolkit.runs.effects import Json
from toolkit.runs.form import Form
from toolkit.runs.hosts import Host, OnActive, OnExpiry
from toolkit.runs.hosts.asked import Asked, Place
from toolkit.runs.hosts.assistants import Assistants
from toolkit.runs.options import InputMessage, RunOptions
from toolkit.tools.toolset import Toolset

__all__ = ["check_word", "plan", "plan_elsewhere"]

# CreateThreadAndRunRequest of the API reference has no such fields.
_NEED_A_THREAD = ("additional_instructions", "reasoning_effort")


def plan(
    verb: str,
    *,
    assistant_id: str | None,
    thread_id: str | None,
    messages: str | Sequence[InputMessage] | None,
    run_id: str | None,
    options: RunOptions,
    on_active: OnActive = "fail",
    on_expiry: OnExpiry = "raise",
    form: Form[Any] | None = None,
) -> Assistants:
    """Say how a run on the Assistants API begins.

    Raises `TypeError` for arguments that are missing, unknown or do not go together, `ValueError` for empty ones.
    """
    for name, value in (("assistant_id", assistant_id), ("thread_id", thread_id), ("run_id", run_id)):
        _check_id(verb, name, value)
    _check_input(verb, messages)
    check_word(verb, "on_active", on_active, get_args(OnActive))
    check_word(verb, "on_expiry", on_expiry, get_args(OnExpiry))
    given = _given(verb, options)
    if form is not None and "response_format" in given:
        raise TypeError(f"{verb}(output_type=...) is the response_format: leave that out")
    key = uuid.uuid4().hex
    if run_id is not None:
        _check_pick_up(verb, thread_id, assistant_id, messages, given, on_active)
        return Assistants(key, thread_id, run_id, on_expiry=on_expiry)
    if assistant_id is None:
        raise TypeError(f"{verb}() needs assistant_id=, or run_id= and thread_id= of a run to pick up")
    if thread_id is None and messages is None:
        raise TypeError(f'{verb}() needs thread_id= of a thread there is, or input="..." to begin a new one')
    if form is not None:
        given["response_format"] = {"type": "json_schema", "json_schema": form.wire}
    said = [*given.pop("additional_messages", ()), *_messages(messages)]
    body = {"assistant_id": assistant_id, **given}
    if thread_id is not None:
        if said:
            body["additional_messages"] = said
        return Assistants(key, thread_id, body=body, on_active=on_active, on_expiry=on_expiry)
    for name in _NEED_A_THREAD:
        if name in given:
            raise TypeError(f"{verb}({name}=...) needs thread_id=: the API takes it only for a thread there is")
    return Assistants(key, body={**body, "thread": {"messages": said}}, on_expiry=on_expiry)


def plan_elsewhere(
    verb: str, on: Place, toolset: Toolset, form: Form[Any] | None, others: Mapping[str, object]
) -> Host:
    """Say how a run on another API begins. Raises TypeError, also for arguments (`others`) of the Assistants API."""
    if isinstance(on, type) or not callable(getattr(on, "host", None)):
        what = f"the class {on.__name__}" if isinstance(on, type) else type(on).__name__
        raise TypeError(f"{verb}(on=...) takes Chat(...), Responses(...) or Sessions(...), not {what}")
    surplus = [name for name, value in others.items() if value not in (None, "fail", "raise")]
    if surplus:
        raise TypeError(
            f"{verb}(on=...) is of another API than Assistants: leave out {', '.join(surplus)}. "
            f"What the model is asked with goes into {type(on).__name__}(...)"
        )
    return on.host(Asked(verb, uuid.uuid4().hex, toolset, verb == "stream", None if form is None else form.wire))


def check_word(verb: str, name: str, value: object, words: Sequence[str]) -> None:
    """Raise ValueError for a word that is none of these."""
    if value not in words:
        raise ValueError(f"{verb}({name}={value!r}) takes one of {', '.join(map(repr, words))}")


def _check_id(verb: str, name: str, value: object) -> None:
    if value == "":
        raise ValueError(f"{verb}({name}=''): it is empty")
    if value is not None and not isinstance(value, str):
        object_name = name.removesuffix("_id")
        raise TypeError(f"{verb}({name}=...) takes an id, not {type(value).__name__}: write {name}={object_name}.id")


def _check_input(verb: str, messages: object) -> None:
    if messages is None:
        return
    kind = type(messages).__name__
    if isinstance(messages, Mapping) or not isinstance(messages, Iterable):
        raise TypeError(f"{verb}(input=...) takes text or a list of messages, not {kind}")
    if not messages:
        raise ValueError(f"{verb}(input={messages!r}): it is empty")


def _given(verb: str, options: RunOptions) -> dict[str, Any]:
    known = RunOptions.__optional_keys__
    for name in options:
        if name not in known:
            raise TypeError(f"{verb}() has no option {name}=; its options are {', '.join(sorted(known))}")
    return {
        "tools" if name == "override_tools" else name: value for name, value in options.items() if value is not None
    }


def _check_pick_up(
    verb: str, thread_id: str | None, assistant_id: str | None, messages: object, given: Json, on_active: OnActive
) -> None:
    if thread_id is None:
        raise TypeError(f"{verb}(run_id=...) needs thread_id= too, the thread that the run is in")
    ours = {"assistant_id": assistant_id, "input": messages, "on_active": on_active != "fail"}
    surplus = [name for name, value in {**ours, **given}.items() if value]
    if surplus:
        raise TypeError(f"{verb}(run_id=...) picks up a run there is: leave out {', '.join(surplus)}")


def _messages(given: str | Sequence[InputMessage] | None) -> Sequence[InputMessage]:
    return [{"role": "user", "content": given}] if isinstance(given, str) else given or ()
