"""Whatever is in a store comes out of an export and an import as it was."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings

from tests.engine.transfer.stores import AT, exported, fill, imported, in_store, model_reads, shown, stories
from toolkit.engine.blobs import Blobs
from toolkit.engine.store import Store


def objects(export: str) -> list[str]:
    """The lines between the first and the last."""
    return export.split("\n")[1:-2]


def is_over(line: str) -> bool:
    """Whether nothing of a line was under way."""
    return '"status":"queued"' not in line and '"status":"in_progress"' not in line and "requires_action" not in line


@settings(deadline=None, max_examples=60)
@given(stories)
def test_a_store_comes_over_as_it_is(story: Any) -> None:
    async def before(store: Store, blobs: Blobs) -> tuple[str, list[str], list[Any], list[Any]]:
        made = await store.write(lambda tx: fill(tx, story))
        text = await exported(store, blobs)
        idle = [thread for thread in made if await store.read(lambda tx, t=thread: active(tx, t)) is None]
        seen = [await store.read(lambda tx, t=thread: shown(tx, t)) for thread in idle]
        read = [await store.write(lambda tx, t=thread: model_reads(tx, t)) for thread in idle]
        return text, idle, seen, read

    text, idle, seen, read = in_store(before)

    async def after(store: Store, blobs: Blobs) -> None:
        first = await imported(store, blobs, text)
        assert first.told == []
        again = await exported(store, blobs)
        assert [line for line in objects(again) if is_over(line)] == objects(again), "nothing goes on here"
        if all(map(is_over, objects(text))):
            assert objects(again) == objects(text)
        assert [json.loads(line)["kind"] for line in objects(again)].count("message") == first.counts("new").get(
            "message", 0
        )
        second = await imported(store, blobs, text)
        assert (second.told, second.counts("new"), second.counts("different")) == ([], {}, {})
        assert second.counts("there") == first.counts("new")
        assert objects(await exported(store, blobs)) == objects(again)
        assert [await store.read(lambda tx, t=thread: shown(tx, t)) for thread in idle] == seen
        assert [await store.write(lambda tx, t=thread: model_reads(tx, t)) for thread in idle] == read

    in_store(after)


def active(tx: Any, thread: str) -> str | None:
    return tx.one("transfer.thread", id=thread.split()[1])["active_run"]


def test_what_was_under_way_is_over_where_it_comes_to() -> None:
    """Three runs: one waits for outputs, one is half through its answer, one is about to begin."""
    ends: list[dict[str, Any]] = [
        {"turns": [("one moment", ["ok"], False)], "end": end, "text": f"{end} text", "metadata": {"a": "b"}}
        for end in ("wait", "write", "queue")
    ]
    threads = [
        {"project": "default", "metadata": {}, "events": [{"role": "user", "content": "hi"}, end], "gone": False}
        for end in ends
    ]
    story = {"assistants": [{"model": "m"}], "threads": threads}

    async def before(store: Store, blobs: Blobs) -> tuple[str, list[str]]:
        made = await store.write(lambda tx: fill(tx, story))
        return await exported(store, blobs, at=AT + 50), made

    text, made = in_store(before)

    async def after(store: Store, blobs: Blobs) -> None:
        first = await imported(store, blobs, text)
        assert (first.told, first.tally.ended) == ([], 3)
        pages = [await store.read(lambda tx, t=thread: shown(tx, t)) for thread in made]
        runs = [json.loads(page[2])["data"][0] for page in pages]
        assert [(run["status"], run["required_action"], run["metadata"]) for run in runs] == [
            ("expired", None, {"a": "b"})
        ] * 3
        assert [run["usage"]["total_tokens"] for run in runs] == [20, 10, 0]
        steps = [json.loads(text) for page in pages for text in page[3:4]]
        assert [[step["status"] for step in listed["data"]] for listed in steps] == [
            ["completed", "completed", "completed", "expired"],
            ["completed", "completed", "expired"],
            [],
        ]
        assert steps[0]["data"][-1]["expired_at"] == AT + 50
        assert steps[0]["data"][-1]["usage"]["total_tokens"] == 10, "of the turn that waited"
        message = json.loads(pages[1][1])["data"][-1]
        assert (message["status"], message["incomplete_details"]) == ("incomplete", {"reason": "run_expired"})
        assert message["content"][0]["text"]["value"] == "write text", "what had been heard of it"
        read = [await store.write(lambda tx, t=thread: model_reads(tx, t)) for thread in made]
        said = [[json.loads(chat)["content"] for chat in chats] for chats in read]
        assert said == [["hi", "one moment", "ok", "wait text"], ["hi", "one moment", "ok", "write text"], ["hi"]]
        assert (await imported(store, blobs, text)).counts("different") == {}

    in_store(after)


def test_a_project_alone_and_into_another() -> None:
    story: dict[str, Any] = {"assistants": [{"model": "m"}], "threads": []}

    async def before(store: Store, blobs: Blobs) -> str:
        await store.write(lambda tx: fill(tx, story))
        return await exported(store, project="shop")

    text = in_store(before)
    assert '"project":"default"' not in text
    assert json.loads(text.split("\n")[0])["project"] == "shop"

    async def after(store: Store, blobs: Blobs) -> None:
        assert (await imported(store, blobs, text, project="other")).told == []
        projects = {json.loads(line)["project"] for line in objects(await exported(store))}
        assert projects == {"other"}
        [first, second] = (await imported(store, blobs, text)).told
        assert first.endswith("is there already, in project other.")
        assert second.startswith("file 1, line 3: asst_")

    in_store(after)
