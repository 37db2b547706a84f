"""More is shown by test_arranging."""

from __future__ import annotations

from typing import Any

from tests.engine.transfer.objects import message, thread
from toolkit.engine.transfer.attachments import with_attachments

CODE, SEARCH = {"type": "code_interpreter"}, {"type": "file_search"}


def brought(*file_ids: str, tools: list[Any]) -> dict[str, Any]:
    return message("msg_a", attachments=[{"file_id": file_id, "tools": tools} for file_id in file_ids])


def test_a_thread_that_speaks_of_its_files_is_left_as_it_is() -> None:
    spoken = thread(tool_resources={"code_interpreter": {"file_ids": []}})
    assert with_attachments(spoken, [brought("file-a", tools=[CODE, SEARCH])], ()) == (spoken, [])
    bare = thread()
    assert with_attachments(bare, [brought("file-a", tools=[])], ()) == (bare, [])


def test_one_that_does_not_gets_those_of_its_messages() -> None:
    files = [f"file-{number}" for number in range(25)]
    given, made = with_attachments(thread(), [brought(*files, "file-3", tools=[CODE])], ())
    assert given["tool_resources"] == {"code_interpreter": {"file_ids": files[-20:]}}, "the newest"
    assert made == []


def test_its_vector_store_is_made() -> None:
    given, made = with_attachments(thread(), [brought("file-a", "file-a", tools=[SEARCH])], ())
    assert given["tool_resources"] == {"file_search": {"vector_store_ids": ["vs_a"]}}
    assert [one["id"] for one in made] == ["vs_a", "file-a"]
