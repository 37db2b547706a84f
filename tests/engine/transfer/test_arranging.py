from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.engine.transfer.objects import assistant, file, message, run, step, thread, vector_store, vector_store_file
from toolkit.engine.transfer.arranging import Dumps
from toolkit.engine.transfer.documents import Document, documents
from toolkit.engine.transfer.dumps import found_in

SAVED = Path(__file__).parent / "dumps"


def arranged(*values: Any) -> tuple[list[Any], list[str]]:
    """The lines that dumps become, and what is told."""
    told: list[str] = []
    dumps = Dumps("default", told.append)
    for number, value in enumerate(values, start=1):
        for found in found_in(value):
            dumps.add(found, f"line {number}")
    return [placed.line for placed in dumps.lines()], told


def saved(name: str) -> list[Any]:
    with (SAVED / name).open("rb") as opened:
        return [document.value for document in documents(opened) if isinstance(document, Document)]


def ids(*values: Any) -> list[str]:
    lines, told = arranged(*values)
    assert told == []
    return [line.id for line in lines]


def page(*values: Any) -> dict[str, Any]:
    return {"object": "list", "data": list(values), "has_more": False}


FIRST, SECOND = message("msg_1", 101), message("msg_2", 102)
SAME = [message(f"msg_{letter}", 103) for letter in "abc"]


def test_everything_is_in_the_order_of_an_export() -> None:
    scattered = [step(made="msg_1"), FIRST, run(), thread(), file(), assistant("asst_b", 101), assistant()]
    names = ["file-a", "asst_a", "asst_b", "thread_a", "msg_1", "run_a", "step_a", "item of msg_1"]
    assert ids(*scattered) == names
    assert ids(*reversed(scattered)) == names
    assert ids(page(*scattered)) == names


@pytest.mark.parametrize(
    ("given", "order"),
    [
        ([FIRST, SECOND], "12"),
        ([SECOND, FIRST], "12"),
        ([FIRST, *SAME], "1abc"),
        ([*reversed(SAME), FIRST], "1abc"),
        ([page(*reversed(SAME)), page(SECOND, FIRST)], "12abc"),
        ([page(FIRST, SECOND), page(*SAME)], "12abc"),
        (SAME, "abc"),
        ([page(*reversed(SAME))], "abc"),
        (
            [SECOND, FIRST, message("msg_x", 50, thread_id="thread_b"), message("msg_y", 50, thread_id="thread_b")],
            "yx12",
        ),
    ],
)
def test_what_bears_one_time_goes_by_the_direction_of_the_others(given: list[Any], order: str) -> None:
    found = [name for name in ids(*given) if name.startswith("msg_")]
    assert found == [f"msg_{letter}" for letter in order]


def test_of_two_with_one_id_the_later_one_counts() -> None:
    lines, _ = arranged(page(message("msg_1", 101, text="old")), page(message("msg_1", 101, text="new")))
    assert [line.object["content"][0]["text"]["value"] for line in lines[:1]] == ["new"]
    assert len(lines) == 2, "and its item"


def test_what_is_left_out_of_objects_is_filled_in() -> None:
    bare = {
        "id": "msg_1",
        "created_at": 1,
        "thread_id": "thread_a",
        "role": "user",
        "content": "hi",
        "_request_id": "req",
    }
    [line, _], _ = arranged(bare)
    assert line.object == message("msg_1", 1, text="hi", completed_at=None)
    [line], _ = arranged(
        {"id": "run_a", "created_at": 102, "assistant_id": "asst_a", "thread_id": "thread_a", "status": "failed"}
    )
    assert line.object == run(status="failed", model="", started_at=None, completed_at=None)


def test_members_that_are_not_known_stay() -> None:
    [line], _ = arranged(assistant(reasoning_effort="low", new_member={"a": 1}))
    assert line.object == assistant(reasoning_effort="low", new_member={"a": 1})


def test_what_cannot_be_read_is_told_and_the_rest_goes_on() -> None:
    lines, told = arranged(message("msg_1", role="system"), FIRST, {**thread(), "id": "thread_ä"})
    assert [line.kind for line in lines] == ["message", "item"]
    assert told == [
        "line 1: thread.message 'msg_1' cannot be read: role: Input should be 'user' or 'assistant'",
        "line 3: thread 'thread_ä' cannot be read: id: String should match pattern '^thread_[A-Za-z0-9_-]{1,128}$'",
    ]


def test_tokens_and_files_of_old_messages() -> None:
    used = {
        "prompt_tokens": 7,
        "completion_tokens": 3,
        "total_tokens": 10,
        "prompt_token_details": {"cached_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    lines, _ = arranged(run(usage=used), run("run_b", 103, usage={"prompt_tokens": None}), run("run_c", 104))
    assert [line.used for line in lines] == [[7, 3, 1, 2], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_other_objects_are_counted() -> None:
    dumps = Dumps("default", print)
    for found in found_in([{"object": "model", "id": "a"}, {"object": "model", "id": "b"}]):
        dumps.add(found, "")
    assert dict(dumps.passed_over) == {"model": 2}


TALK = [
    ("user", "How warm is it in Seoul and in Lima? ☀️", 0),
    ("assistant", "Let me look.", 2),
    ("tool", "21", 0),
    ("tool", "25", 0),
    ("assistant", "21 °C in Seoul, 25 °C in Lima.", 0),
    ("user", "And in Oslo?", 0),
    ("assistant", None, 1),
    ("tool", "7", 0),
    ("assistant", "It is 7 °C in Oslo.", 0),
    ("user", "And on the moon?", 0),
]


@pytest.mark.parametrize("name", ["nested.json", "lines.jsonl", "appended.json"])
def test_a_conversation_as_programs_save_it(name: str) -> None:
    """All steps of its first run bear one second, and so do its two answers."""
    lines, told = arranged(*saved(name))
    assert told == []
    kinds = ["thread", *["message"] * 6, *["run"] * 3, *["step"] * 6, *["item"] * 7]
    assert [line.kind for line in lines] == kinds
    messages = [line.object["id"] for line in lines if line.kind == "message"]
    assert messages == ["msg_q1", "msg_m0", "msg_m1", "msg_q2", "msg_m2", "msg_q3"]
    assert [line.object["id"] for line in lines if line.kind == "step"] == [f"step_s{number}" for number in range(1, 7)]
    chats = [chat for line in lines if line.kind == "item" for chat in line.chats]
    assert [(chat["role"], chat["content"], len(chat.get("tool_calls", ()))) for chat in chats] == TALK
    assert json.loads(json.dumps(lines[0].object)) == thread(
        "thread_abc123",
        1699063289,
        metadata={"user": "u-1"},
        tool_resources={"code_interpreter": {"file_ids": []}},
    )


def test_pages_of_assistants_and_files() -> None:
    lines, told = arranged(*saved("assistants.json"), *saved("files.json"))
    assert told == []
    assert [line.id for line in lines] == ["file-abc123", "file-abc456", "asst_abc123", "asst_abc456"]
    [listed] = saved("assistants.json")
    assert [line.object for line in lines[2:]] == listed["data"][::-1]
    assert "expires_at" not in lines[0].object


def test_the_first_version_of_the_api() -> None:
    lines, told = arranged(*saved("v1.jsonl"))
    assert told == []
    by_id = {line.id: line for line in lines if line.kind != "item"}
    held = {"code_interpreter": {"file_ids": ["file-abc123"]}, "file_search": {"vector_store_ids": ["vs_v1"]}}
    assert by_id["asst_v1"].object["tools"] == [{"type": "file_search"}, {"type": "code_interpreter"}]
    assert by_id["asst_v1"].object["tool_resources"] == by_id["thread_v1"].object["tool_resources"] == held
    assert (by_id["vs_v1"].made, by_id["file-abc123 of vs_v1"].made) == (True, True)
    [attached] = by_id["msg_v1"].object["attachments"]
    assert attached == {"file_id": "file-abc123", "tools": [{"type": "code_interpreter"}, {"type": "file_search"}]}
    assert (by_id["run_v1"].object["tools"], by_id["run_v1"].object["instructions"]) == ([{"type": "file_search"}], "")
    assert by_id["step_v1"].object["step_details"]["tool_calls"][0]["type"] == "file_search"
    quoted = by_id["msg_v1a"].object["content"][0]["text"]["annotations"][0]["file_citation"]["quote"]
    assert quoted == "machines learn"
    chats = [chat["content"] for line in lines if line.kind == "item" for chat in line.chats]
    assert chats == ["How does AI work?", "It learns【13†source】."]


def test_vector_stores_and_their_files() -> None:
    listed = [vector_store_file("file-b", at=102), vector_store_file("file-a", at=101), vector_store_file(store="vs_b")]
    names = ["file-a", "vs_a", "file-a of vs_b", "file-a of vs_a", "file-b of vs_a", "asst_a"]
    assert ids(page(*listed), assistant(), vector_store(), file()) == names
    assert ids({**vector_store(), "files": page(*listed[:2])}) == ["vs_a", "file-a of vs_a", "file-b of vs_a"]


def test_a_store_that_was_saved_counts_before_one_that_is_made() -> None:
    real = {**vector_store("vs_v1"), "name": "real"}
    for values in ([*saved("v1.jsonl"), real], [real, *saved("v1.jsonl")]):
        lines, _ = arranged(*values)
        assert [(line.object["name"], line.made) for line in lines if line.kind == "vector_store"] == [("real", False)]


def attached(*tools: str) -> list[dict[str, Any]]:
    return [{"file_id": "file-a", "tools": [{"type": tool} for tool in tools]}]


def test_the_store_of_a_thread_that_nobody_saved_is_made_of_its_attachments() -> None:
    """Programs hardly ever knew of it: the API had made it."""
    resources = {"file_search": {"vector_store_ids": ["vs_t"]}}
    said = message("msg_1", attachments=attached("file_search"))
    lines, _ = arranged(thread(tool_resources=resources), said)
    assert [line.kind for line in lines][:3] == ["vector_store", "vector_store_file", "thread"]
    assert lines[0].object["expires_after"] == {"anchor": "last_active_at", "days": 7}
    assert (lines[0].made, lines[1].made, lines[2].object["tool_resources"]) == (True, True, resources)
    lines, _ = arranged(thread(tool_resources=resources), said, vector_store("vs_t"))
    assert [(line.kind, getattr(line, "made", None)) for line in lines][:2] == [
        ("vector_store", False),
        ("thread", None),
    ]
    lines, _ = arranged(thread(tool_resources=resources), message("msg_1"))
    assert [line.kind for line in lines] == ["thread", "message", "item"], "nothing is known of it"


def test_contents_of_results_are_kept_apart() -> None:
    result = {"file_id": "file-a", "file_name": "a", "score": 1.0}
    call = {"id": "call_a", "type": "file_search", "file_search": {"results": [result]}}
    details = {"type": "tool_calls", "tool_calls": [call]}
    with_contents = {**result, "content": [{"type": "text", "text": "x"}]}
    whole = {"type": "tool_calls", "tool_calls": [{**call, "file_search": {"results": [with_contents]}}]}
    [_, line], _ = arranged(run(), step(step_details=whole))
    assert (line.object, line.full) == (step(step_details=details), whole)
    [_, line], _ = arranged(run(), step(step_details=details))
    assert (line.object, line.full) == (step(step_details=details), None)
