"""The plugin in a pytest of its own, as users have it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from toolkit import run
from toolkit.testing import cassettes, snapshots  # noqa: F401
from toolkit.testing.server import ScriptedServer

pytest_plugins = ["pytester"]

PLAIN = ("-q", "-p", "no:cacheprovider", "-p", "no:schemathesis", "-p", "no:xdist", "-p", "no:cov")
Pytest = Callable[..., pytest.RunResult]


@pytest.fixture(scope="module")
def warm() -> None:
    """Import all that a run needs: what a pytest within this one imports first is forgotten behind it."""
    with ScriptedServer("Hi") as server:
        run(server.client(), assistant_id=server.assistant(), input="Hi")
        server.aclient()


@pytest.fixture
def pytest_in(warm: None, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Pytest:
    """Run pytest over one file in a folder of its own, in this process, whose imports are done."""

    def go(source: str, *options: str) -> pytest.RunResult:
        (pytester.path / "test_users.py").write_text(source, encoding="utf-8")
        monkeypatch.setattr(snapshots, "updates", False)
        return pytester.runpytest_inprocess(*PLAIN, *options)

    return go


FIXTURES = '''
import asyncio
import pytest
from toolkit import RunFailed, Toolset, run, tool
from toolkit.testing import ScriptedServer, call

@tool
def weather(city: str) -> str:
    """Weather in a city."""
    return f"Sunny in {city}."

TOOLS = Toolset(weather)

def test_client(toolkit_model, toolkit_client):
    toolkit_model.add(call("weather", city="Seoul"), "Sunny.")
    made = toolkit_client.beta.assistants.create(model="any", tools=TOOLS.definitions)
    assert run(toolkit_client, TOOLS, assistant_id=made.id, input="Weather?").text == "Sunny."

def test_aclient(toolkit_model, toolkit_aclient):
    async def main():
        made = await toolkit_aclient.beta.assistants.create(model="any")
        return await run(toolkit_aclient, assistant_id=made.id, input="Hi")
    toolkit_model.add("Hello")
    assert asyncio.run(main()).text == "Hello"

def test_server(toolkit_server):
    server = toolkit_server(call("weather", city="Seoul"), "Sunny.", faults={"submit": "drop-done"})
    assert isinstance(server, ScriptedServer)
    with server.client() as client:
        assert run(client, TOOLS, assistant_id=server.assistant(TOOLS), input="Weather?").text == "Sunny."

def test_engine(toolkit_engine):
    with toolkit_engine.client() as client, pytest.raises(RunFailed, match="Add a turn"):
        run(client, assistant_id=client.beta.assistants.create(model="any").id, input="Hi")
'''


def test_the_fixtures_work_without_an_import(pytest_in: Pytest) -> None:
    done = pytest_in(FIXTURES)
    done.assert_outcomes(passed=4)


def test_a_server_whose_faults_have_not_happened_fails_the_test(pytest_in: Pytest) -> None:
    done = pytest_in('def test_server(toolkit_server):\n    toolkit_server("Hi", faults={"submit": "drop"})\n')
    assert done.ret == 1
    assert "1 of 1 turns were not asked for" in done.stdout.str()


CASSETTE = '''
import asyncio
import pytest
from toolkit import run
from toolkit.testing import ReplayMismatch, ScriptedServer

class Service:
    """Stands for a real one: it can be reached only while recording."""
    def __init__(self): self.server = ScriptedServer("Hello there.")
    def client(self): return self.server.client()
    def aclient(self): return self.server.aclient()

@pytest.fixture
def service(request):
    return Service() if request.config.getoption("--toolkit-record") else None

def test_talk(service, toolkit_cassette):
    client = toolkit_cassette(lambda: service.client())
    made = client.beta.assistants.create(model="any")
    assert run(client, assistant_id=made.id, input="Hi").text == "Hello there."

@pytest.mark.parametrize("word", ["a b"])
def test_async_talk(service, toolkit_acassette, word):
    async def main():
        async with toolkit_acassette(lambda: service.aclient()) as client:
            made = await client.beta.assistants.create(model="any")
            return await run(client, assistant_id=made.id, input="Hi")
    assert asyncio.run(main()).text == "Hello there."
'''


def test_cassettes_are_recorded_when_asked_for_and_played_else(pytest_in: Pytest) -> None:
    missing = pytest_in(CASSETTE)
    assert missing.ret == 1
    assert "There is no cassette" in missing.stdout.str()
    recorded = pytest_in(CASSETTE, "--toolkit-record")
    recorded.assert_outcomes(passed=2)
    assert sorted(path.name for path in Path("cassettes").iterdir()) == ["test_async_talk-a-b.jsonl", "test_talk.jsonl"]
    played = pytest_in(CASSETTE)
    played.assert_outcomes(passed=2)
    changed = pytest_in(CASSETTE.replace('input="Hi"', 'input="Ho"'))
    assert '-        "content": "Hi"' in changed.stdout.str()
    assert '+        "content": "Ho"' in changed.stdout.str()


SNAPSHOT = '''
from pathlib import Path
from toolkit import Toolset, tool
from toolkit.testing import assert_schema

@tool
def weather(city: str) -> str:
    """Weather in a city."""
    return ""

def test_schema():
    assert_schema(Toolset(weather), Path(__file__).parent / "tools.json")
'''


@pytest.mark.parametrize(("option", "variable"), [(["--toolkit-update"], ""), ([], "1")])
def test_snapshots_are_written_when_asked_for(
    pytest_in: Pytest, monkeypatch: pytest.MonkeyPatch, option: list[str], variable: str
) -> None:
    assert pytest_in(SNAPSHOT).ret == 1
    monkeypatch.setenv("TOOLKIT_TESTING_UPDATE", variable)
    assert pytest_in(SNAPSHOT, *option).ret == 0
    monkeypatch.delenv("TOOLKIT_TESTING_UPDATE")
    assert json.loads(Path("tools.json").read_text())[0]["function"]["name"] == "weather"
    assert pytest_in(SNAPSHOT).ret == 0
    changed = pytest_in(SNAPSHOT.replace("city", "town"))
    assert '-        "city": {' in changed.stdout.str()


ALONE = """
import sys

def test_modules(request):
    assert request.config.pluginmanager.has_plugin("toolkit")
    ours = {name for name in sys.modules if name.partition(".")[0] == "toolkit"}
    assert ours == {"toolkit", "toolkit.testing", "toolkit.testing.plugin"}
    assert not {"openai", "pydantic", "httpx2", "asyncio"} & sys.modules.keys()
"""


def test_loading_it_imports_next_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_users.py").write_text(ALONE, encoding="utf-8")
    others = ("-p", "no:anyio", "-p", "no:hypothesispytest", "-p", "no:asyncio")
    command = [sys.executable, "-m", "pytest", *PLAIN, *others]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert "1 passed" in done.stdout, done.stdout
