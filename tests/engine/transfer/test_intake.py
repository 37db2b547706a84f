from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.engine.transfer.objects import assistant, file, item, jsonl, line, message, thread
from tests.engine.transfer.stores import Imported, exported, imported, in_store
from toolkit.engine.blobs import Blobs
from toolkit.engine.objects import messages
from toolkit.engine.objects.messages import ListMessages
from toolkit.engine.store import Store
from toolkit.errors import EngineError

SAVED = Path(__file__).parent / "dumps"
FIRST = {"kind": "export", "version": 1, "made_by": "x", "at": 100}


def said(*texts: str | bytes, **settings: Any) -> Imported:
    return in_store(lambda store, blobs: imported(store, blobs, *texts, **settings))


def test_bad_lines_are_named_and_nothing_else_is_lost() -> None:
    text = jsonl(line("assistant", assistant()), line("assistant", assistant("asst_")), line("thread", thread()))
    done = said(text.replace('{"kind": "thread"', '{"kind": "thread" broken}\n{"kind": "thread"'))
    assert done.counts("new") == {"assistant": 1, "thread": 1}
    assert done.told == [
        "file 1, line 2: assistant asst_ cannot be read: assistant.object.id: String should match pattern "
        "'^asst_[A-Za-z0-9_-]{1,128}$'",
        "file 1, line 3: is no JSON: Expecting ',' delimiter (column 19).",
    ]


def test_a_file_that_was_cut_off() -> None:
    whole = jsonl(FIRST, line("assistant", assistant()), line("thread", thread()), {"kind": "end", "lines": 3})
    assert said(whole).told == []
    for cut in (len(whole) - 30, len(whole) - 50):
        done = said(whole[:cut])
        assert done.counts("new")["assistant"] == 1
        assert done.told[-1] == "file 1 was cut off: its last line is missing. What is there was taken over."
    lines = whole.splitlines(keepends=True)
    assert said("".join(lines[:1] + lines[2:])).told == ["file 1: 1 of the 3 lines that were exported are missing."]
    assert said("".join(lines[1:])).told == ["file 1: 1 of the 3 lines that were exported are missing."]
    assert said(whole + whole).told == [], "two exports, one after the other"


def test_what_a_newer_version_has_made() -> None:
    with pytest.raises(EngineError, match="file 1, line 1: a newer version of assistants-toolkit has made this"):
        said(jsonl({**FIRST, "version": 2, "what": "new"}))


def test_what_is_none_of_the_api_is_told() -> None:
    done = said(jsonl({"role": "user", "content": "hi"}, assistant(), [1]), '"text"')
    assert done.told == [
        "file 1, line 1: there is no object of the API in it.",
        "file 1, line 3: there is no object of the API in it.",
        "file 2, line 1: there is no object of the API in it.",
    ]
    assert done.counts("new") == {"assistant": 1}


def test_exports_and_dumps_together() -> None:
    """Whatever the files are and in whatever order: what belongs together finds together."""
    export = jsonl(FIRST, line("thread", thread()), line("message", message("msg_2", 102)), {"kind": "end", "lines": 3})
    done = said(json.dumps([message("msg_3", 103), message("msg_1", 101)], indent=1), export)
    assert done.told == []
    assert (done.counts("new"), done.tally.made) == ({"thread": 1, "message": 3, "item": 2}, 0)


def test_everything_into_one_project() -> None:
    async def work(store: Store, blobs: Blobs) -> str:
        await imported(store, blobs, jsonl(line("assistant", assistant()), assistant("asst_b")), project="shop")
        return await exported(store)

    assert [json.loads(text)["project"] for text in in_store(work).splitlines()[1:-1]] == ["shop", "shop"]


def test_models_and_the_like_are_counted() -> None:
    done = said(jsonl({"id": "upload_1", "object": "upload"}, {"id": "gpt-4o", "object": "model"}))
    assert (done.told, done.passed_over) == ([], {"upload": 1, "model": 1})


def test_files_whose_time_is_up_are_left_out() -> None:
    done = said(jsonl(line("file", file(expires_at=99)), file("file-b", expires_at=101)), now=100)
    assert (done.expired, done.counts("new"), done.tally.lacking) == (1, {"file": 1}, 1)


def listed(store: Store, thread_id: str) -> Any:
    async def read() -> list[str]:
        query = ListMessages.model_validate({"order": "asc", "limit": 100})
        page = await store.read(lambda tx: messages.list_(tx, "default", thread_id, query))
        return [one["id"] for one in json.loads(page)["data"]]

    return read()


def test_pages_that_are_imported_one_by_one_newest_first() -> None:
    pages = [
        json.dumps(
            {"object": "list", "data": [message(f"msg_{number}", number) for number in numbers], "has_more": True}
        )
        for numbers in ((109, 108, 107), (106, 105, 104), (103, 102, 101))
    ]

    async def work(store: Store, blobs: Blobs) -> None:
        for page in pages:
            assert (await imported(store, blobs, page)).told == []
        assert await listed(store, "thread_a") == [f"msg_{number}" for number in range(101, 110)]
        items = await store.read(lambda tx: tx.all("transfer.items", thread="thread_a", after_seq=-1, limit=99))
        assert [row["message"] for row in items] == [f"msg_{number}" for number in range(101, 110)]
        for page in pages:
            assert (await imported(store, blobs, page)).counts("new") == {}

    in_store(work)


def test_messages_first_and_their_steps_some_other_day() -> None:
    """A dump that had the messages alone, then one that has everything: models read the calls where they were made."""
    whole: Any = json.loads((SAVED / "nested.json").read_text(encoding="utf-8"))
    messages_alone = json.dumps(whole[0]["messages"])

    async def work(store: Store, blobs: Blobs) -> None:
        first = await imported(store, blobs, messages_alone)
        assert (first.told, first.tally.made) == ([], 1)
        second = await imported(store, blobs, json.dumps(whole))
        assert second.told == []
        assert second.counts("new") == {"thread": 1, "run": 3, "step": 6, "item": 2}
        items = await store.read(lambda tx: tx.all("transfer.items", thread="thread_abc123", after_seq=-1, limit=99))
        chats = [json.loads(row["chat"]) for row in items]
        assert [(chat["role"], len(chat.get("tool_calls", ()))) for chat in chats] == [
            ("user", 0),
            ("assistant", 0),
            ("assistant", 2),
            ("tool", 0),
            ("tool", 0),
            ("assistant", 0),
            ("user", 0),
            ("assistant", 1),
            ("tool", 0),
            ("assistant", 0),
            ("user", 0),
        ]

    in_store(work)


@pytest.mark.parametrize("name", sorted(path.name for path in SAVED.iterdir()))
def test_dumps_are_imported_once(name: str) -> None:
    data = (SAVED / name).read_bytes()

    async def work(store: Store, blobs: Blobs) -> None:
        first = await imported(store, blobs, data)
        assert (first.told, first.counts("there")) == ([], {})
        again = await imported(store, blobs, data)
        assert (again.told, again.counts("new"), again.counts("there")) == ([], {}, first.counts("new"))

    in_store(work)


def test_a_dry_run_of_a_dump_and_an_export() -> None:
    text = jsonl(line("message", message("msg_a")), item("msg_a", {"role": "user", "content": "hi"}), message("msg_b"))

    async def work(store: Store, blobs: Blobs) -> None:
        looked = await imported(store, blobs, text, dry_run=True)
        assert (looked.told, looked.tally.made) == ([], 1)
        assert (await exported(store)).count("\n") == 2
        assert (await imported(store, blobs, text)).counts("new") == looked.counts("new")

    in_store(work)
