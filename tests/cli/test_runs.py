from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.engine.scripted import Scripted, answer
from tests.engine.stored_runs import CALLS, claimed, completed, failed, in_file, queued, waiting
from toolkit.engine import Engine
from toolkit.engine.objects.runs import Run

SECRETS = ("secret question", "secret answer", "secret instructions", "secret output")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> str:
    return f"sqlite:///{path}"


def at(ago: int) -> int:
    return int(time.time()) - ago


def test_an_empty_store_has_a_head_alone(cli: Cli, store: str, path: Path) -> None:
    in_file(path, lambda tx: None)
    said = cli("runs", "list", "--store", store)
    assert (said.code, said.out.split()) == (0, ["RUN", "STATUS", "AGE", "PROJECT", "MODEL"])
    assert cli("runs", "list", "--store", store, "--json").out == "[]\n"


def test_runs_fit_into_eighty_columns_with_their_ids_whole(cli: Cli, store: str, path: Path) -> None:
    model = "an-endpoint/with-a-very-long-model-name-2026-11-22"
    runs = [
        in_file(path, lambda tx: completed(tx, at(3 * 86400))),
        in_file(path, lambda tx: failed(tx, at(7300))),
        in_file(path, lambda tx: waiting(tx, at(130), project="a-project-with-a-long-name", model=model)),
    ]
    said = cli("runs", "list", "--store", store)
    assert max(map(len, said.out.splitlines())) <= 80
    for run in runs:
        assert run.id in said.out
        assert run.thread in said.out
    third, second, first = said.out.splitlines()[1::2]
    assert third.split() == [runs[2].id, "requires_action", "2m", "a-project...", "an-endpoin..."]
    assert second.split() == [runs[1].id, "failed", "2h", "default", "small"]
    assert first.split() == [runs[0].id, "completed", "3d", "default", "small"]
    assert said.out.splitlines()[2].endswith("waits for lookup, send")
    assert said.out.splitlines()[4].endswith("rate_limit_exceeded")


def test_a_list_is_narrowed(cli: Cli, store: str, path: Path) -> None:
    old = in_file(path, lambda tx: completed(tx, at(10)))
    held = in_file(path, lambda tx: waiting(tx, at(10), project="other"))

    def ids(*options: str) -> list[str]:
        return [run["id"] for run in json.loads(cli("runs", "list", "--store", store, "--json", *options).out)]

    assert ids() == [held.id, old.id]
    assert ids("--limit", "1") == [held.id]
    assert ids("--project", "default") == [old.id]
    assert ids("--status", "requires_action") == [held.id]
    assert ids("--status", "completed", "--project", "other") == []
    wrong = cli("runs", "list", "--store", store, "--status", "stuck")
    assert (wrong.code, "requires_action" in wrong.err, len(wrong.err.splitlines())) == (2, True, 1)


def test_a_list_for_programs(cli: Cli, store: str, path: Path) -> None:
    run = in_file(path, lambda tx: waiting(tx, at(10)))
    [told] = json.loads(cli("runs", "list", "--store", store, "--json").out)
    assert told == {
        "id": run.id,
        "status": "requires_action",
        "project": "default",
        "created_at": run.created_at,
        "thread_id": run.thread,
        "assistant_id": run.assistant,
        "model": "small",
        "waits_for": [{"id": call.id, "name": call.name} for call in CALLS],
        "last_error": None,
    }


@pytest.mark.parametrize("make", [queued, claimed, waiting, completed, failed])
def test_a_page_says_all_but_what_was_said(cli: Cli, store: str, path: Path, make: object) -> None:
    run: Run = in_file(path, lambda tx: make(tx, at(10)))
    said = cli("runs", "show", run.id, "--store", store)
    assert (said.code, said.err) == (0, "")
    assert max(map(len, said.out.splitlines())) <= 80
    for known in (run.id, run.thread, run.assistant, run.status, "small", "default"):
        assert known in said.out
    assert not any(secret in said.out for secret in SECRETS)
    assert cli("runs", "show", run.thread, "--store", store).out.splitlines()[0] == f"run        {run.id}"
    assert "secret instructions" in cli("runs", "show", run.id, "--store", store, "--content").out


def test_a_page_of_a_run_that_waits(cli: Cli, store: str, path: Path) -> None:
    run = in_file(path, lambda tx: waiting(tx, at(10)))
    said = cli("runs", "show", run.id, "--store", store).out
    assert "waits for  lookup (call_a), send (call_b)\n" in said
    assert "worker     none: it waits for its application" in said
    assert "  call_a lookup: not answered\n" in said
    said = cli("runs", "show", run.id, "--store", store, "--content").out
    assert '    asked {"who":"the secret question"}\n' in said


def test_a_page_of_a_run_that_is_over(cli: Cli, store: str, path: Path) -> None:
    run = in_file(path, lambda tx: completed(tx, at(7200)))
    said = cli("runs", "show", run.id, "--store", store, "--content").out
    assert " UTC, 2h ago\n" in said
    assert "usage      10 + 5 tokens\n" in said
    assert "message_creation: completed, 0 s, 10 + 5 tokens\n" in said
    assert "    the secret answer\n" in said
    assert "worker" not in said
    error = in_file(path, lambda tx: failed(tx, at(10)))
    said = cli("runs", "show", error.id, "--store", store).out
    assert "error      rate_limit_exceeded: The model endpoint says: slow down.\n" in said


def test_a_run_that_nobody_executes(cli: Cli, store: str, path: Path) -> None:
    run = in_file(path, lambda tx: claimed(tx, at(10)))
    in_file(path, lambda tx: tx.run("run.let_go", owner="engine"))
    assert "waits for a server" in cli("runs", "list", "--store", store).out
    assert "worker     none: start a server" in cli("runs", "show", run.id, "--store", store).out


def test_unlocking(cli: Cli, store: str, path: Path) -> None:
    run = in_file(path, lambda tx: waiting(tx, at(10)))
    said = cli("runs", "unlock", run.id, "--store", store)
    free = f"Run {run.id} was requires_action and is cancelled now.\nThread {run.thread} is free.\n"
    assert (said.code, said.out, said.err) == (0, free, "")
    again = cli("runs", "unlock", run.id, "--store", store)
    assert (again.code, again.out) == (0, f"Run {run.id} is cancelled; there was nothing to do.\n")
    by_thread = cli("runs", "unlock", run.thread, "--store", store)
    assert (by_thread.code, by_thread.out) == (
        0, f"Thread {run.thread} has no active run; there was nothing to do.\n"
    )  # fmt: skip


def test_a_lock_of_nobody(cli: Cli, store: str, path: Path) -> None:
    run = in_file(path, lambda tx: completed(tx, at(10)))
    in_file(path, lambda tx: tx.run("run.lock_thread", thread=run.thread, run=run.id, last_at=at(10)))
    said = cli("runs", "unlock", run.thread, "--store", store)
    assert (said.code, said.out) == (
        0, f"Run {run.id} is completed; its thread was locked all the same, and is free now.\n"
    )  # fmt: skip


def test_unlocking_beside_an_engine_that_is_at_it(cli: Cli, store: str) -> None:
    """The worker's model call is aborted, and nothing that it says afterwards is kept."""
    model = Scripted([[30.0, *answer("late")]])
    with Engine(store, model=model) as engine:
        client = engine.client()
        assistant = client.beta.assistants.create(model="small")
        run = client.beta.threads.create_and_run(
            assistant_id=assistant.id, thread={"messages": [{"role": "user", "content": "hi"}]}
        )
        deadline = time.monotonic() + 20
        while not model.requests and time.monotonic() < deadline:
            time.sleep(0.02)
        said = cli("runs", "unlock", run.thread_id, "--store", store)
        assert said.out.startswith(f"Run {run.id} was in_progress and is cancelled now.")
        client.beta.threads.messages.create(run.thread_id, role="user", content="again")
        while not model.aborted and time.monotonic() < deadline:
            time.sleep(0.02)
        assert model.aborted == 1
        assert client.beta.threads.runs.retrieve(run.id, thread_id=run.thread_id).status == "cancelled"


@pytest.mark.parametrize("command", ["show", "unlock"])
def test_an_id_that_is_not_there(cli: Cli, store: str, path: Path, command: str) -> None:
    in_file(path, lambda tx: None)
    left = cli("runs", command, "run_none", "--store", store)
    assert (left.code, left.out) == (1, "")
    assert left.err == "No run or thread with id 'run_none' in this store. See: toolkit runs list\n"
