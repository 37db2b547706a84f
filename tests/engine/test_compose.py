"""The Engine as people hold it: how it is made, reached, shared, forked and closed."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import OpenAI

from tests.contract.doors import served
from tests.engine.scripted import Scripted, answer
from toolkit.engine import Engine
from toolkit.errors import EngineError


def talk(client: OpenAI) -> str:
    assistant = client.beta.assistants.create(model="any")
    thread: Any = {"messages": [{"role": "user", "content": "hello"}]}
    run = client.beta.threads.create_and_run_poll(assistant_id=assistant.id, thread=thread)
    message = client.beta.threads.messages.list(run.thread_id).data[0]
    return message.content[0].text.value  # type: ignore[union-attr]  # only text here


def test_a_client_is_an_ordinary_openai_client(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/a.db", model=Scripted([answer("Hi")])) as engine:
        client = engine.client(timeout=7, max_retries=0)
        assert isinstance(client, OpenAI)
        assert (client.timeout, client.max_retries) == (7, 0)
        assert talk(client) == "Hi"

        async def main() -> list[str]:
            async with engine.aclient() as aclient:
                return [assistant.model async for assistant in aclient.beta.assistants.list()]

        assert asyncio.run(main()) == ["any"]


def test_using_the_api_warns_of_nothing(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/a.db", model=Scripted([answer("Hi")])) as engine:
        client = engine.client()
        with warnings.catch_warnings(record=True) as seen:
            talk(client)
        assert seen == []


def test_in_process_and_over_a_socket_are_the_same_engine(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/a.db", model=Scripted([answer("Hi")])) as engine:
        here = engine.client()
        assistant = here.beta.assistants.create(model="any", name="made in process")
        with served(engine.app) as address, httpx2.Client(verify=False) as http:
            there = OpenAI(base_url=f"{address}/v1", api_key="none", http_client=http)
            assert there.beta.assistants.retrieve(assistant.id).name == "made in process"
            assert talk(there) == "Hi"
        assert len(here.beta.assistants.list().data) == 2


def test_the_app_works_where_no_lifespan_is_spoken(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/a.db") as engine:

        async def main() -> int:
            transport = httpx2.ASGITransport(engine.app)  # type: ignore[arg-type]  # ours is typed more exactly
            async with httpx2.AsyncClient(transport=transport, base_url="http://engine") as http:
                status = (await http.get("/v1/models")).status_code
            await engine.app.aclose()
            return status

        assert asyncio.run(main()) == 200


def test_without_an_endpoint_the_offline_model_is_there_and_others_say_what_to_set(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/a.db") as engine:
        client = engine.client()
        assert [model.id for model in client.models.list()] == ["offline"]
        assistant = client.beta.assistants.create(model="gpt-4o")
        run = client.beta.threads.create_and_run_poll(assistant_id=assistant.id)
        assert run.status == "failed"
        assert run.last_error is not None
        assert "model_url" in run.last_error.message


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"store": "assistants.db"}, "sqlite:///"),
        ({"model_url": "http://localhost:1", "model": Scripted([])}, "not both"),
        ({"model_url": "localhost:1"}, "URL"),
    ],
)
def test_what_cannot_be_is_said_at_once(tmp_path: Path, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(EngineError, match=text):
        Engine(**{"store": f"sqlite:///{tmp_path}/a.db", **arguments})


def test_a_closed_engine_says_so_and_its_store_goes_on_elsewhere(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    engine = Engine(url)
    kept = engine.client().beta.assistants.create(model="any").id
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        engine.client()
    with Engine(url) as again:
        assert again.client().beta.assistants.retrieve(kept).id == kept


def test_closing_leaves_no_thread_behind(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    for number in range(3):
        with Engine(f"sqlite:///{tmp_path}/{number}.db", model=Scripted([answer("Hi")])) as engine:
            talk(engine.client())
    gc.collect()
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:
        thread.join(5)
    assert not any(thread.is_alive() for thread in left)


def test_a_model_that_cannot_be_closed_keeps_nothing_open(tmp_path: Path) -> None:
    class Stuck(Scripted):
        async def aclose(self) -> None:
            raise RuntimeError("on purpose")

    before = set(threading.enumerate())
    engine = Engine(f"sqlite:///{tmp_path}/a.db", model=Stuck([answer("Hi")]))
    talk(engine.client())
    with pytest.raises(RuntimeError, match="on purpose"):
        engine.close()
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:
        thread.join(5)
    assert not any(thread.is_alive() for thread in left)
    assert {path.name for path in tmp_path.iterdir()} <= {"a.db", "a.db-files"}, "the WAL is in the file"
    engine.close()


def test_a_run_cut_by_closing_goes_on_where_the_store_is_opened_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    slow = Scripted([[30.0, *answer("never")]])
    with Engine(url, model=slow) as engine:
        client = engine.client()
        assistant = client.beta.assistants.create(model="any")
        run = client.beta.threads.create_and_run(assistant_id=assistant.id)
        while not slow.requests:
            client.beta.threads.runs.retrieve(run.id, thread_id=run.thread_id)
    with Engine(url, model=Scripted([answer("Hi")])) as engine:
        client = engine.client()
        assert client.beta.threads.runs.poll(run.id, thread_id=run.thread_id).status == "completed"
        assert len(client.beta.threads.messages.list(run.thread_id).data) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_after_a_fork_it_says_what_to_do(tmp_path: Path) -> None:
    program = f"""
import os, sys
from toolkit.engine import Engine
engine = Engine("sqlite:///{tmp_path}/a.db")
client = engine.client(max_retries=0)
client.models.list()
child = os.fork()
if child == 0:
    for use in (engine.client, client.models.list):
        try:
            use()
        except Exception as error:
            print(error, "|", error.__cause__, flush=True)
    os._exit(0)
os.waitpid(child, 0)
client.models.list()
engine.close()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    first, second = done.stdout.splitlines()
    assert "Make a new one in the new process" in first
    assert "Make a new Engine in the new process" in second


def test_an_engine_that_is_never_closed_ends_with_its_process(tmp_path: Path) -> None:
    program = f"""
from toolkit.engine import Engine
client = Engine("sqlite:///{tmp_path}/a.db").client()
client.beta.threads.create()
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_the_default_place_is_one_for_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with Engine() as engine:
        engine.client().beta.threads.create()
    assert (tmp_path / "assistants-toolkit" / "assistants.db").exists()
