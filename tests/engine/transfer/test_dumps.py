from __future__ import annotations

from typing import Any

import pytest

from toolkit.engine.transfer.dumps import Found, found_in

THREAD: dict[str, Any] = {"id": "thread_a", "object": "thread", "created_at": 1}
MESSAGE: dict[str, Any] = {"id": "msg_a", "object": "thread.message", "thread_id": "thread_a"}
BARE: dict[str, Any] = {"id": "msg_b", "object": "thread.message"}
RUN: dict[str, Any] = {"id": "run_a", "object": "thread.run", "thread_id": "thread_a"}
HEAD = Found("thread", THREAD, False)
STEP: dict[str, Any] = {"id": "step_a", "object": "thread.run.step"}
PLACED = {**BARE, "thread_id": "thread_a"}


def names(value: Any) -> list[tuple[str, str]]:
    return [(found.noun, found.value["id"]) for found in found_in(value)]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (THREAD, [Found("thread", THREAD, False)]),
        ([THREAD, MESSAGE], [Found("thread", THREAD, False), Found("thread.message", MESSAGE, False)]),
        ({"object": "list", "data": [MESSAGE], "has_more": False}, [Found("thread.message", MESSAGE, True)]),
        ({"data": [MESSAGE], "has_more": False, "first_id": "msg_a"}, [Found("thread.message", MESSAGE, True)]),
        (
            {"thread": THREAD, "messages": [BARE]},
            [HEAD, Found("thread.message", PLACED, False)],
        ),
        ({"messages": [BARE], "thread_id": "thread_a"}, [Found("thread.message", PLACED, False)]),
        (
            {"thread": "thread_a", "messages": {"data": [BARE], "has_more": True}},
            [Found("thread.message", PLACED, True)],
        ),
        ({"thread_a": [BARE]}, [Found("thread.message", PLACED, False)]),
        ({**THREAD, "messages": [BARE]}, [HEAD, Found("thread.message", PLACED, False)]),
        ({"event": "thread.message.completed", "data": MESSAGE}, [Found("thread.message", MESSAGE, False)]),
        ({"role": "user", "content": "hi"}, []),
        ({"id": "chatcmpl-1", "choices": []}, []),
        ("text", []),
        (None, []),
    ],
)
def test_forms(value: Any, found: list[Found]) -> None:
    assert list(found_in(value)) == found


def test_what_is_inside_belongs_to_what_it_is_in() -> None:
    run = {key: value for key, value in RUN.items() if key != "thread_id"}
    value = {**THREAD, "runs": [{**run, "steps": {"object": "list", "data": [STEP]}}]}
    assert [found.value for found in found_in(value)] == [
        THREAD,
        {**run, "thread_id": "thread_a"},
        {**STEP, "thread_id": "thread_a", "run_id": "run_a"},
    ]
    assert [found.value for found in found_in({"run": RUN, "steps": [STEP]})][1]["run_id"] == "run_a"


def test_ids_say_what_objects_are_that_do_not() -> None:
    bare = ["asst_1", "thread_1", "msg_1", "run_1", "step_1", "file-1", "vs_1"]
    nouns = ["assistant", "thread", "thread.message", "thread.run", "thread.run.step", "file", "vector_store"]
    assert names([{"id": name} for name in bare]) == list(zip(nouns, bare, strict=True))


def test_other_objects_are_found_too() -> None:
    """So that it can be said that they are not imported."""
    assert names([{"id": "vs_1", "object": "vector_store"}, {"id": "x", "object": "thread.deleted"}]) == [
        ("vector_store", "vs_1"),
        ("thread.deleted", "x"),
    ]
