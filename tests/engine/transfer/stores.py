"""Stores of arbitrary content, made by the engine's own moves, and their way through an export into another store."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import strategies as st

from toolkit.engine import context, moves
from toolkit.engine.blobs import Blobs
from toolkit.engine.calls import Turn, Used
from toolkit.engine.jsontext import dump, id_of
from toolkit.engine.model import ModelCall
from toolkit.engine.objects import assistants, messages, runs, threads
from toolkit.engine.objects.answers import draft
from toolkit.engine.objects.paging import PageQuery
from toolkit.engine.objects.runs import LastError, Run, Tokens
from toolkit.engine.objects.settings import CreateRun
from toolkit.engine.objects.steps import list_ as list_steps
from toolkit.engine.store import Store, Tx
from toolkit.engine.store.address import SQLiteAddress
from toolkit.engine.store.sqlite import SQLite
from toolkit.engine.transfer.exporting import lines_of
from toolkit.engine.transfer.importing import Tally
from toolkit.engine.transfer.intake import Intake
from toolkit.engine.transfer.kinds.kind import Export
from toolkit.engine.transfer.taking import Options

__all__ = ["AT", "Imported", "exported", "fill", "imported", "in_store", "model_reads", "shown", "stories"]

T = TypeVar("T")
AT = 1_700_000_000


def in_store(work: Callable[[Store, Blobs], Awaitable[T]], path: Path | None = None) -> T:
    """Work on a store, in memory or in a file, and close it."""

    async def main() -> T:
        store = SQLite(SQLiteAddress(path))
        blobs = Blobs(store.files)
        try:
            return await work(store, blobs)
        finally:
            await store.aclose()
            blobs.close()

    return asyncio.run(main())


async def exported(store: Store, blobs: Blobs | None = None, *, project: str | None = None, at: int = AT + 9999) -> str:
    """Export a store, as text."""
    contents = blobs.folder if blobs is not None else None

    def work(tx: Tx) -> str:
        return "".join(text + "\n" for _, text in lines_of(Export(tx, at, project, contents), "a test"))

    return await store.read(work)


class Imported:
    """What an import has said."""

    def __init__(self, intake: Intake, told: list[str]) -> None:
        self.tally: Tally = intake.tally
        self.told = told
        self.passed_over = dict(intake.passed_over)
        self.expired = intake.expired

    def counts(self, ending: str) -> dict[str, int]:
        """How many of each kind ended so."""
        return {kind: number for (kind, how), number in self.tally.counts.items() if how == ending and number}


async def imported(store: Store, blobs: Blobs, *texts: str | bytes, now: int = AT, **settings: Any) -> Imported:
    """Import texts into a store, one after the other."""
    told: list[str] = []
    options = Options(replace=settings.pop("replace", False), dry_run=settings.pop("dry_run", False))
    intake = Intake(store, blobs, tell=told.append, options=options, now=now, **settings)
    for number, text in enumerate(texts, start=1):
        data = text.encode() if isinstance(text, str) else text
        await intake.read(f"file {number}", io.BytesIO(data))
    await intake.finish()
    return Imported(intake, told)


# Content

_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
_metadata = st.dictionaries(_text, _text, max_size=2)
_parts = st.one_of(
    _text,
    st.lists(
        st.one_of(
            _text.map(lambda text: {"type": "text", "text": text}),
            st.just({"type": "image_file", "image_file": {"file_id": "IMAGE"}}),
            st.just({"type": "image_url", "image_url": {"url": "https://example.com/é.png", "detail": "low"}}),
        ),
        min_size=1,
        max_size=3,
    ),
)
_message = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant"]), "content": _parts}, optional={"metadata": _metadata}
)
_turn = st.tuples(st.one_of(st.none(), _text), st.lists(_text, min_size=1, max_size=3), st.booleans())
"""What a model says along with its calls, the outputs of these, and whether the engine gives the first of them."""
_run = st.fixed_dictionaries(
    {
        "turns": st.lists(_turn, max_size=2),
        "end": st.sampled_from(["complete", "cut", "cancel", "expire", "fail", "wait", "write", "queue", "broken"]),
        "text": _text,
        "metadata": _metadata,
    }
)
stories = st.fixed_dictionaries(
    {
        "assistants": st.lists(
            st.fixed_dictionaries(
                {"model": _text},
                optional={
                    "name": _text,
                    "instructions": _text,
                    "metadata": _metadata,
                    "reasoning_effort": st.just("low"),
                },
            ),
            min_size=1,
            max_size=2,
        ),
        "threads": st.lists(
            st.fixed_dictionaries(
                {
                    "project": st.sampled_from(["default", "shop"]),
                    "metadata": _metadata,
                    "events": st.lists(st.one_of(_message, _run, st.just("delete"), st.just("modify")), max_size=6),
                    "gone": st.booleans(),
                }
            ),
            max_size=3,
        ),
    }
)
"""What happened in a store."""


def fill(tx: Tx, story: dict[str, Any]) -> list[str]:
    """Let a story happen; gives the ids of its threads, "project id" each."""
    made: list[str] = []
    for project in ("default", "shop"):
        for asked in story["assistants"]:
            assistants.create(tx, project, assistants.CreateAssistant.model_validate(asked), AT)
        sha = {"sha256": "0" * 64, "size": 3}
        tx.run("file.insert", **_file_row(project, sha))
    for number, told in enumerate(story["threads"]):
        project, now = told["project"], AT + 100 * number
        request = threads.CreateThread.model_validate({"metadata": told["metadata"]})
        thread_id = id_of(threads.create(tx, project, request, now))
        active = False
        for event in told["events"]:
            if not active:
                now += 1
                active = _happen(tx, project, thread_id, event, now)
        if told["gone"]:
            if active:
                tx.run("run.unlock_thread", thread=thread_id, run=_newest_run(tx, thread_id))
            threads.delete(tx, project, thread_id)
        else:
            made.append(f"{project} {thread_id}")
    return made


def _file_row(project: str, sha: dict[str, Any]) -> dict[str, Any]:
    body = {"id": f"file-IMAGE{project}", "object": "file", "bytes": 3, "created_at": AT, "filename": "a.png"}
    return {
        "id": body["id"],
        "project": project,
        "created_at": AT,
        "expires_at": None,
        "purpose": "vision",
        "filename": "a.png",
        "bytes": 3,
        "sha256": sha["sha256"],
        "body": dump({**body, "purpose": "vision", "status": "processed"}),
    }


def _newest_run(tx: Tx, thread_id: str) -> str:
    return (tx.one("upkeep.newest_on_thread", thread=thread_id) or {})["id"]


def _happen(tx: Tx, project: str, thread_id: str, event: Any, now: int) -> bool:
    """Let one thing happen in a thread; gives whether a run is active on it then."""
    if event == "delete":
        row = next(iter(tx.all("transfer.messages", thread=thread_id, after_seq=-1, limit=1)), None)
        if row is not None:
            messages.delete(tx, project, thread_id, row["id"])
    elif event == "modify":
        request = threads.ModifyThread.model_validate({"metadata": {"changed": "é"}})
        threads.modify(tx, project, thread_id, request, now)
    elif "role" in event:
        text = dump(event).replace('"IMAGE"', f'"file-IMAGE{project}"')
        threads.append(tx, project, thread_id, [messages.CreateMessage.model_validate_json(text)], now)
    else:
        return _run_on(tx, project, thread_id, event, now)
    return False


def _run_on(tx: Tx, project: str, thread_id: str, event: dict[str, Any], now: int) -> bool:
    rows = tx.all("transfer.assistants", after_seq=-1, limit=9, project=project)
    request = CreateRun.model_validate({"assistant_id": rows[0]["id"], "metadata": event["metadata"]})
    run = runs.create(tx, project, thread_id, request, now + 0.25, expires_s=600, owner="w")
    if event["end"] == "queue":
        return True
    run = _claimed(tx, run, now)
    for number, (said, outputs, searched) in enumerate(event["turns"]):
        run = _asked(tx, run, said, len(outputs), number, now, searched=searched)
        given = [(f"call_{number}_{place}", output) for place, output in enumerate(outputs)]
        if given := given[searched:]:
            run = _claimed(tx, moves.submit(tx, run, given, now, owner="w").run, now)
    return _ended(tx, run, event, now)


def _claimed(tx: Tx, run: Run, now: int) -> Run:
    moved = moves.claim(tx, run.id, "w", now)
    assert moved is not None
    return moved.run


def _asked(tx: Tx, run: Run, said: str | None, count: int, number: int, now: int, *, searched: bool) -> Run:
    calls = [ModelCall(f"call_{number}_{place}", "look", '{"a":"é"}') for place in range(count)]
    message_id = None
    if said is not None:
        message_id, _ = moves.finish_message(tx, run, moves.Said(said), now, Tokens())
    asked = [{"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}} for c in calls]
    chat = dump({"role": "assistant", "content": said, "tool_calls": asked})
    used = {calls[0].id: _found(tx, run, calls[0].id, number)} if searched else {}
    begun = {call_id: {"id": call_id, "type": "file_search", "file_search": {}} for call_id in used}
    turn = Turn(calls, chat, Tokens(7, 3, 1, 2), begun, message_id)
    if not used:
        return moves.require_action(tx, run, None, turn, now).run
    held, moved = moves.call_tools(tx, run, None, turn, now, owner="w")
    return moves.go_on(tx, moved.run, held, used, now, owner="w").run


def _found(tx: Tx, run: Run, call_id: str, number: int) -> Used:
    """Let something be found in a file."""
    search = (tx.one("passage.next", thread=run.thread) or {})["search"]
    tx.run("passage.add", thread=run.thread, search=search, place=0, file="file-a", quote=f"é {number}")
    result = {"file_id": "file-a", "file_name": "a", "score": 0.5}
    told, full = (
        {"id": call_id, "type": "file_search", "file_search": {"results": [{**result, **contents}]}}
        for contents in ({}, {"content": [{"type": "text", "text": "é"}]})
    )
    return Used(told, full, "what was found")


def _ended(tx: Tx, run: Run, event: dict[str, Any], now: int) -> bool:
    match event["end"]:
        case "complete":
            moves.complete(tx, run, now, Tokens(10, 5), moves.Said(event["text"]))
        case "cut":
            moves.complete(tx, run, now, Tokens(10, 5), moves.Said(event["text"]), cut="max_completion_tokens")
        case "fail":
            moves.begin_message(tx, run, now)
            error = LastError("server_error", "broken")
            moves.end(tx, run, "fail", now, error=error, text=event["text"])
        case "broken":
            moves.begin_message(tx, run, now)
            moves.break_off(tx, run, now, event["text"])
            moves.complete(tx, run, now, Tokens(1, 1), moves.Said(event["text"]))
        case "wait":
            _asked(tx, run, event["text"], 2, 9, now, searched=True)
            return True
        case "write":
            writing, _ = moves.begin_message(tx, run, now)
            draft(tx, writing.message["id"], event["text"])
            return True
        case end:
            moves.begin_message(tx, run, now)
            moves.end(tx, run, end, now, text=event["text"])
    return False


# What is seen of it


def shown(tx: Tx, thread: str) -> list[str]:
    """All lists of a thread, both ways, as the API answers them."""
    project, thread_id = thread.split()
    seen = [threads.get(tx, project, thread_id)]
    for order in ("asc", "desc"):
        query = PageQuery.model_validate({"order": order, "limit": 100})
        listing = messages.ListMessages.model_validate({"order": order, "limit": 100})
        seen += [messages.list_(tx, project, thread_id, listing), runs.list_(tx, project, thread_id, query)]
        for run in json.loads(seen[-1])["data"]:
            seen.append(list_steps(tx, project, thread_id, run["id"], query))
            seen.append(list_steps(tx, project, thread_id, run["id"], query, contents=True))
    return seen


def model_reads(tx: Tx, thread: str) -> Sequence[str]:
    """What the model would be sent of a thread by a run that begins now."""
    project, thread_id = thread.split()
    rows = tx.all("transfer.assistants", after_seq=-1, limit=1, project=project)
    request = CreateRun.model_validate({"assistant_id": rows[0]["id"]})
    run = runs.create(tx, project, thread_id, request, AT + 5000, expires_s=600, owner=None)
    return context.read(tx, run, context.Budget()).messages
