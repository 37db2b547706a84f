"""What clients see, and what models are sent, before and after a store has moved."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.contract.servers import ROOT
from tests.contract.talk import BOTH, FLIGHTS, TOOLS, WEATHER, Talk, until
from tests.engine.scripted import Script, answer, ask, asked
from tests.engine.stored_runs import in_file
from tests.engine.transfer.objects import jsonl, message, run, step
from tests.started.command import INSTALLED, started_often
from tests.test_examples import run as run_program
from toolkit.engine.model import ModelCall, ModelRequest

CATS = ModelCall("call_s", "file_search", '{"queries":["happy cats"]}')
CONTENTS: Any = ["step_details.tool_calls[*].file_search.results[*].content"]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100_000)


def toolkit(*arguments: str, folder: Path) -> str:
    """Run a command that works."""
    done = run_program(started_often(), *arguments, folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def live(talk: Talk) -> Any:
    """Let about everything happen that can be seen afterwards; gives the thread that goes on."""
    client = talk.client
    image = client.files.create(
        file=("a.png", PNG), purpose="vision", expires_after={"anchor": "created_at", "seconds": 9999}
    )
    notes = client.files.create(file=("notes.txt", "é".encode() * 300_000), purpose="assistants")
    client.files.create(file=("empty", b""), purpose="user_data")
    resources = {"code_interpreter": {"file_ids": [notes.id]}}
    helper = client.beta.assistants.create(
        model="any",
        tools=TOOLS,
        name="Hélène",
        instructions="Be brief.",
        metadata={"a": "ü"},
        temperature=0.5,
        response_format={"type": "json_object"},
        reasoning_effort="low",
    )
    client.beta.assistants.create(model="other", tools=[{"type": "code_interpreter"}], tool_resources=resources)
    picture = {"type": "image_file", "image_file": {"file_id": image.id, "detail": "low"}}
    attached = [{"file_id": notes.id, "tools": [{"type": "code_interpreter"}]}]
    thread = client.beta.threads.create(
        metadata={"user": "1"},
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "look"}, picture]},
            {"role": "assistant", "content": "yes?"},
            {"role": "user", "content": "weather and flights", "attachments": attached, "metadata": {"b": "c"}},
        ],
    )
    waiting = talk.runs.create_and_poll(thread_id=thread.id, assistant_id=helper.id, metadata={"r": "1"})
    assert talk.wait(talk.submit(waiting, BOTH)).status == "completed"
    talk.runs.update(waiting.id, thread_id=thread.id, metadata={"r": "2"})
    gone = client.beta.threads.messages.create(thread.id, role="user", content="never mind")
    client.beta.threads.messages.delete(gone.id, thread_id=thread.id)
    client.beta.threads.messages.create(thread.id, role="user", content="and now?")
    assert talk.runs.create_and_poll(thread_id=thread.id, assistant_id=helper.id).status == "completed"
    cancelled = talk.runs.create_and_poll(thread_id=thread.id, assistant_id=helper.id)
    talk.runs.cancel(cancelled.id, thread_id=thread.id)
    search(talk)
    client.beta.threads.create()
    client.beta.threads.delete(client.beta.threads.create(messages=[{"role": "user", "content": "gone"}]).id)
    return thread


def search(talk: Talk) -> Any:
    """Let files be searched, in a store of an assistant and in one of a thread; gives the thread."""
    client, tool = talk.client, {"type": "file_search"}
    cats = client.files.create(file=("cats.md", b"# Cats\n\nCats purr when they are happy.\n"), purpose="assistants")
    dogs = client.files.create(file=("dogs.md", b"# Dogs\n\nDogs bark at strangers.\n"), purpose="assistants")
    none = client.files.create(file=("none.bin", bytes(range(256))), purpose="assistants")
    store = client.vector_stores.create(name="animals", metadata={"a": "ü"}, description="All of them.")
    small = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}}
    settings = {"attributes": {"legs": 4}, "chunking_strategy": small}
    client.vector_stores.files.create(store.id, file_id=cats.id, **settings)
    client.vector_stores.files.create(store.id, file_id=none.id)
    resources = {"file_search": {"vector_store_ids": [store.id]}}
    made = client.beta.assistants.create(model="m", name="Vet", tools=[tool], tool_resources=resources)
    attachments = [{"file_id": dogs.id, "tools": [tool]}]
    asked_for = {"role": "user", "content": "Do cats purr?", "attachments": attachments}
    thread = client.beta.threads.create(messages=[asked_for])
    indexed(talk)
    assert talk.runs.create_and_poll(thread_id=thread.id, assistant_id=made.id).status == "completed"
    return thread


def indexed(talk: Talk) -> None:
    """Wait until all files of vector stores are processed."""
    until(lambda: {store.status for store in talk.client.vector_stores.list()} <= {"completed"}, 30)


def play(request: ModelRequest) -> Script:
    """Call both functions, with a word along; answer after their outputs; call one more when asked once more."""
    last = asked(request)[-1]
    if "purr" in str(last["content"]):
        return ask(CATS) if last["role"] == "user" else answer("They do 【0:0†source】.")
    if last["content"] == "Are you sure?":
        return answer("Yes: 【0:0†source】.")
    if last["role"] == "tool":
        return answer("Sunny, ", "no flights.")
    if last["content"] == "weather and flights":
        return ask(WEATHER, FLIGHTS, say=["One ", "moment."])
    return answer("Now.") if last["content"] == "and now?" else ask(WEATHER)


def seen(talk: Talk) -> dict[str, Any]:
    """Everything that a client can see: all lists both ways, page by page, and contents."""
    client, found = talk.client, dict[str, Any]()
    for order in ("asc", "desc"):

        def listed(name: str, page: Any) -> list[Any]:
            found[f"{name} {order}"] = [one.model_dump() for one in page]
            return found[f"{name} {order}"]

        for file in listed("files", client.files.list(order=order, limit=2)):
            found[file["id"]] = (client.files.content(file["id"]).read(), client.files.retrieve(file["id"]))
        for one in listed("assistants", client.beta.assistants.list(order=order, limit=1)):
            found[one["id"]] = client.beta.assistants.retrieve(one["id"])
        for store in listed("stores", client.vector_stores.list(order=order, limit=1)):
            if store["expires_after"]:  # its days begin anew
                store["last_active_at"] = store["expires_at"] = None
            files = client.vector_stores.files.list(store["id"], order=order, limit=1)
            listed(f"files {store['id']}", files)
            found[f"hits {store['id']}"] = client.vector_stores.search(store["id"], query="who barks or purrs").data
        threads = client.get(f"/threads?order={order}&limit=100", cast_to=dict[str, Any])
        found[f"threads {order}"] = threads["data"]
        for thread in threads["data"]:
            name = thread["id"]
            for said in listed(f"messages {name}", client.beta.threads.messages.list(name, order=order, limit=2)):
                found[said["id"]] = client.beta.threads.messages.retrieve(said["id"], thread_id=name)
            for one in listed(f"runs {name}", talk.runs.list(name, order=order, limit=2)):
                found[one["id"]] = talk.runs.retrieve(one["id"], thread_id=name)
                steps = talk.runs.steps.list(one["id"], thread_id=name, order=order, limit=1, include=CONTENTS)
                listed(f"steps {one['id']}", steps)
    return found


def go_on(talk: Talk, thread: Any) -> list[dict[str, Any]]:
    """Go on with a conversation; gives what the model was sent."""
    talk.threads.messages.create(thread.id, role="user", content="and now?")
    helper = next(one for one in talk.beta.assistants.list() if one.name == "Hélène")
    assert talk.runs.create_and_poll(thread_id=thread.id, assistant_id=helper.id).status == "completed"
    return asked(talk.model.requests[-1])


def cited(talk: Talk) -> Any:
    """Let a model cite once more what was found before, without looking again; gives the citations."""
    vet = next(one for one in talk.beta.assistants.list() if one.name == "Vet")
    threads = talk.client.get("/threads?limit=100", cast_to=dict[str, Any])["data"]
    [thread] = [one["id"] for one in threads if "file_search" in one["tool_resources"]]
    talk.threads.messages.create(thread, role="user", content="Are you sure?")
    run = talk.runs.create_and_poll(thread_id=thread, assistant_id=vet.id)
    [said] = talk.threads.messages.list(thread, run_id=run.id)
    return said.content[0].text.annotations


@pytest.fixture
def moved(begin: Any, tmp_path: Path) -> Iterator[Any]:
    """Begin with everything in `a.db`, and then begin with what was brought into `b.db`."""

    def start(name: str) -> Talk:
        return begin(play, store=f"sqlite:///{tmp_path}/{name}.db")

    yield start


def test_clients_see_the_same_and_models_are_sent_the_same(moved: Any, tmp_path: Path) -> None:
    talk = moved("a")
    thread = live(talk)
    before = seen(talk)
    toolkit("export", "all.jsonl", "--store", "sqlite:///a.db", folder=tmp_path)
    said = toolkit("import", "all.jsonl", "--store", "sqlite:///b.db", folder=tmp_path)
    assert [line.split()[-2:] for line in said.splitlines()[1:-1]] == [
        [number, "0"] for number in ("3", "6", "2", "3", "3", "9", "4", "7")
    ]
    other = moved("b")
    indexed(other)
    assert seen(other) == before
    assert len(before[f"messages {thread.id} asc"]) == 7
    sent, sent_there = go_on(talk, thread), go_on(other, thread)
    assert sent == sent_there
    assert [chat["role"] for chat in sent] == [
        *("system", "user", "assistant", "user"),
        *("assistant", "tool", "tool", "assistant"),
        *("user", "assistant", "user"),
    ]
    sure, sure_there = cited(talk), cited(other)
    assert sure == sure_there
    assert sure[0].file_citation.quote == "# Cats\n\nCats purr when they are happy.\n"
    again = toolkit("import", "all.jsonl", "--store", "sqlite:///b.db", folder=tmp_path)
    assert {line.split()[-2] for line in again.splitlines()[1:-1]} == {"0"}, "it has gone on since, and nothing is new"


@pytest.mark.slow
def test_a_dump_through_the_official_client(moved: Any, tmp_path: Path) -> None:
    """What a program saves through the API is all that is needed to go on, in whatever order it came."""
    talk = moved("a")
    thread = live(talk)
    threads = [one["id"] for one in talk.client.get("/threads?order=asc", cast_to=dict[str, Any])["data"]]
    program = ROOT / "examples" / "save_dump.py"
    environment = {"OPENAI_BASE_URL": f"{talk.http.base_url}/v1", "OPENAI_API_KEY": "none"}
    done = run_program(sys.executable, str(program), "saved", *threads, folder=tmp_path, **environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("toolkit import saved/dump.jsonl --files-from saved/files\n")
    lines = (tmp_path / "saved" / "dump.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    orders = [lines, lines[::-1], sorted(lines, key=lambda line: json.loads(line)["object"], reverse=True)]
    before, sent = seen(talk), go_on(talk, thread)
    for name, ordered in zip(("oldest_first", "newest_first", "kind_by_kind"), orders, strict=True):
        (tmp_path / f"{name}.jsonl").write_text("".join(ordered), encoding="utf-8")
        store = ("--store", f"sqlite:///{name}.db")
        toolkit("import", f"{name}.jsonl", "--files-from", "saved/files", *store, folder=tmp_path)
        other = moved(name)
        indexed(other)
        assert seen(other) == before
        assert go_on(other, thread) == sent


def test_a_conversation_of_the_hosted_service_goes_on(begin: Any, tmp_path: Path) -> None:
    folder = ROOT / "tests" / "engine" / "transfer" / "dumps"
    names = [str(folder / name) for name in ("nested.json", "assistants.json", "files.json")]
    toolkit("import", *names, "--store", "sqlite:///b.db", folder=tmp_path)
    talk = begin(answer("Cold."), store=f"sqlite:///{tmp_path}/b.db")
    assert [one.id for one in talk.beta.assistants.list()] == ["asst_abc456", "asst_abc123"]
    thread = talk.threads.retrieve("thread_abc123")
    assert (thread.created_at, thread.metadata) == (1699063289, {"user": "u-1"})
    [last, *_] = talk.runs.list(thread.id)
    assert (last.id, last.status, last.required_action) == ("run_abc789", "expired", None)
    talk.threads.messages.create(thread.id, role="user", content="Well?")
    done = talk.runs.create_and_poll(thread_id=thread.id, assistant_id="asst_abc456")
    assert done.status == "completed"
    newest = talk.threads.messages.list(thread.id, limit=1).data[0]
    assert (newest.content[0].text.value, newest.run_id) == ("Cold.", done.id)
    sent = asked(talk.model.requests[-1])
    assert [(chat["role"], len(chat.get("tool_calls", ()))) for chat in sent] == [
        *(("system", 0), ("user", 0), ("assistant", 2), ("tool", 0), ("tool", 0), ("assistant", 0)),
        *(("user", 0), ("assistant", 1), ("tool", 0), ("assistant", 0), ("user", 0), ("user", 0)),
    ]
    with pytest.raises(Exception, match="imported without them"):
        talk.client.files.content("file-abc123")
    lacks = talk.client.vector_stores.create(file_ids=["file-abc123"])
    indexed(talk)
    [failed] = talk.client.vector_stores.files.list(lacks.id)
    assert (failed.status, failed.last_error.code) == ("failed", "invalid_file")
    assert "imported without them" in failed.last_error.message
    talk.client.files.delete("file-abc123")
    assert talk.beta.assistants.retrieve("asst_abc123").tool_resources.code_interpreter.file_ids == []


def messages_in(store: Path) -> int:
    with closing(sqlite3.connect(store, timeout=10)) as connection:
        count: int = connection.execute("SELECT count(*) FROM message").fetchone()[0]
    return count


@pytest.mark.slow
def test_kill_9_in_the_middle_of_an_import(tmp_path: Path) -> None:
    """Killed again and again, and done again: it is all there, once, and in order."""
    saved = []
    for number in range(60):
        thread = {"thread_id": f"thread_{number}"}
        ids = {"run_id": f"run_{number}", **thread}
        saved += [message(f"msg_{number}x{place}", 100 + place, **thread) for place in range(20)]
        saved += [run(f"run_{number}", 119, **thread), message(f"msg_{number}xa", 121, role="assistant", **ids)]
        saved += [step(f"step_{number}", 120, **ids), step(f"step_{number}x", 121, made=f"msg_{number}xa", **ids)]
    (tmp_path / "dump.jsonl").write_text(jsonl(*saved))
    toolkit("import", "dump.jsonl", "--store", "sqlite:///whole.db", folder=tmp_path)
    toolkit("export", "whole.jsonl", "--store", "sqlite:///whole.db", folder=tmp_path)
    for source in ("dump.jsonl", "whole.jsonl"):
        store = tmp_path / f"{source}.db"
        in_file(store, lambda tx: tx.run("worker.beat", id="a server"))  # to whom it leaves the store now and then
        killed_at: list[int] = []
        for _ in range(3):
            before = messages_in(store)
            silent: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            command = [INSTALLED, "import", source, "--store", f"sqlite:///{store}"]
            with subprocess.Popen(command, cwd=tmp_path, **silent) as process:
                until(lambda: messages_in(store) > before or process.poll() is not None, 30)
                process.send_signal(signal.SIGKILL)
            killed_at.append(messages_in(store))
        assert 0 < min(killed_at) < 60 * 21, "in the middle"
        toolkit("import", source, "--store", f"sqlite:///{store}", folder=tmp_path)
        toolkit("export", f"{source}.again", "--store", f"sqlite:///{store}", folder=tmp_path)
        whole = (tmp_path / "whole.jsonl").read_text().splitlines()[1:]
        assert (tmp_path / f"{source}.again").read_text().splitlines()[1:] == whole
