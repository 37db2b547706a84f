from __future__ import annotations

from toolkit.engine.transfer.v1 import store_id_for, translated

CODE, SEARCH = {"type": "code_interpreter"}, {"type": "file_search"}


def test_an_assistant_with_files_for_both_tools() -> None:
    old = {
        "id": "asst_1",
        "object": "assistant",
        "created_at": 7,
        "tools": [{"type": "retrieval"}, CODE],
        "file_ids": ["file-1"],
    }
    store, file, assistant = translated(old)
    assert assistant == {
        "id": "asst_1",
        "object": "assistant",
        "created_at": 7,
        "tools": [SEARCH, CODE],
        "tool_resources": {
            "code_interpreter": {"file_ids": ["file-1"]},
            "file_search": {"vector_store_ids": ["vs_1"]},
        },
    }
    assert store == {"id": "vs_1", "object": "vector_store", "created_at": 7, "expires_after": None}
    assert file == {"id": "file-1", "object": "vector_store.file", "created_at": 7, "vector_store_id": "vs_1"}
    assert old["file_ids"] == ["file-1"], "what came is as it was"


def test_files_stay_with_their_assistant_whatever_its_tools() -> None:
    [assistant] = translated({"id": "asst_1", "object": "assistant", "tools": [], "file_ids": ["file-1"]})
    assert assistant["tool_resources"] == {"code_interpreter": {"file_ids": ["file-1"]}}
    [assistant] = translated({"id": "asst_1", "object": "assistant", "tools": [{"type": "retrieval"}], "file_ids": []})
    assert assistant == {"id": "asst_1", "object": "assistant", "tools": [SEARCH]}


def test_a_message_with_files() -> None:
    assert translated({"id": "msg_1", "object": "thread.message", "file_ids": ["file-1"]}) == [
        {
            "id": "msg_1",
            "object": "thread.message",
            "attachments": [{"file_id": "file-1", "tools": [CODE, SEARCH]}],
        }
    ]
    assert "attachments" not in translated({"id": "msg_1", "object": "thread.message", "file_ids": []})[0]


def test_a_run_and_its_calls() -> None:
    run = {"id": "run_1", "object": "thread.run", "tools": [{"type": "retrieval"}], "file_ids": []}
    assert translated(run) == [{"id": "run_1", "object": "thread.run", "tools": [SEARCH]}]
    call = {"id": "call_1", "type": "retrieval", "retrieval": {}}
    step = {
        "object": "thread.run.step",
        "step_details": {"type": "tool_calls", "tool_calls": [call, {"type": "function"}]},
    }
    [translated_step] = translated(step)
    assert translated_step["step_details"]["tool_calls"] == [
        {"id": "call_1", "type": "file_search", "file_search": {}},
        {"type": "function"},
    ]


def test_what_needs_no_translation() -> None:
    thread = {"id": "thread_1", "object": "thread"}
    assert translated(thread) == [thread]
    assistant = {"id": "asst_1", "object": "assistant", "tools": [SEARCH], "tool_resources": {"file_search": {}}}
    assert translated(assistant) == [assistant]


def test_a_store_that_is_made_has_one_id() -> None:
    assert store_id_for("asst_abc") == "vs_abc"
    assert store_id_for("thread_a_b") == "vs_a_b"
