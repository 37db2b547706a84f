"""A program that dies behind any entry of its journal, on chat completions: what is left is gone on with.

Deaths of programs on the Assistants API are in `tests/runs/test_journal_walk.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest

from tests.runs.conftest import blocking
from tests.runs.hosts.chat_server import ChatServer, Says
from tests.runs.hosts.common import add, made
from tests.runs.hosts.served import Request
from tests.runs.scripted import Answers
from tests.runs.stores import Memory
from toolkit import Chat, Journal, Result, Toolset, resume, run
from toolkit.errors import JournalError
from toolkit.runs.kept import kept_calls

TOOLS = Toolset(add)
CHAT = Chat(model="m", messages="Hello")
SCRIPT = [
    Says("First.", calls=[("c1", "add", '{"a": 1, "b": 1}'), ("c2", "add", '{"a": 2, "b": 2}')]),
    Says(calls=[("c3", "add", '{"a": 3, "b": 3}')]),
    Says(calls=[("c4", "add", '{"a": 4, "b": 4}')]),
    Says("Finished"),
]


class Remembering(ChatServer):
    """Says what comes next in the conversation that it is sent, however often it is."""

    def do(self, request: Request) -> Any:
        assert request.body is not None
        self.done = sum(message["role"] == "assistant" for message in request.body["messages"])
        return super().do(request)


class Dying(Memory):
    """Keeps so many entries more, and then nothing works: with the last one the program has died."""

    left = 99

    def add(self, run_id: str, key: str, data: str) -> bool:
        self._live()
        self.left -= 1
        return super().add(run_id, key, data)

    def read(self, run_id: str) -> Mapping[str, str]:
        self._live()
        return super().read(run_id)

    def forget(self, run_id: str) -> None:
        self._live()
        super().forget(run_id)

    def _live(self) -> None:
        if self.left <= 0:
            raise OSError("dead")


def live(url: str, store: Dying, most: int) -> Result[Any]:
    """Begin, or go on with what the journal has, as a program does that is started; dead behind so many entries."""
    journal = Journal(store)
    store.left = 99
    left = journal.unfinished()
    store.left = most
    with blocking(url) as client:
        if left:
            return resume(client, TOOLS, left[0], journal=journal, on_unknown="tell")
        return run(client, TOOLS, on=CHAT, journal=journal)


@pytest.mark.parametrize("again", [0, 1, 2, 99])
def test_a_run_that_is_cut_behind_any_entry(serve: Callable[[Answers], str], again: int) -> None:
    """And cut once more while it is gone on with, behind so many further entries."""
    url, whole = serve(Remembering(script=SCRIPT)), Dying()
    undisturbed = live(url, whole, 99)
    for most in range(99 - whole.left):
        made.clear()
        store, kept, done = Dying(), dict[str, str](), None
        for entries in (most, again, 99):
            with suppress(JournalError):
                done = live(url, store, entries)
            store.left = 99
            kept |= _finished(store)
            if done is not None and not store.runs():
                break
        assert done is not None
        assert (done.text, done.status) == ("Finished", "completed"), most
        assert [said["role"] for said in done.history] == [said["role"] for said in undisturbed.history]
        assert all(made.count(what) == 1 for what in made), f"cut behind {most}: {made}"
        told = {said["tool_call_id"]: said["content"] for said in done.history if said["role"] == "tool"}
        assert told.keys() == {"c1", "c2", "c3", "c4"}
        assert kept.items() <= told.items()
        assert list(store.runs()) == []


def _finished(store: Memory) -> Mapping[str, str]:
    """The outputs that the journal has."""
    known = {call_id: one for run_id in store.runs() for call_id, one in kept_calls(store.read(run_id)).items()}
    return {call_id: one.output.content for call_id, one in known.items() if one.output is not None}
