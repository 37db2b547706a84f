"""Against real servers, in processes of their own: the official package's, of both of its protocols."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from toolkit import Call, DefinitionError, Image, ServerUnavailable, Toolset
from toolkit.mcp import Connection, mcp_tools
from toolkit.tools.dispatch import adispatch, dispatch

SERVER = str(Path(__file__).with_name("server.py"))


def started(*more: str, **options: Any) -> Connection:
    return mcp_tools(sys.executable, SERVER, *more, **options)


def wait_until(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    ends = time.monotonic() + seconds
    while not holds() and time.monotonic() < ends:
        time.sleep(0.01)
    return holds()


def is_cancelled_on_the_server(mark: Path, leave: Callable[[], None]) -> bool:
    """Make calls and leave them until one was heard to be cancelled: some never began there, on a busy machine."""
    mark.unlink(missing_ok=True)
    for _ in range(5):
        leave()
        if wait_until(mark.exists, 3.0):
            return True
    return False


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def call(tools: Toolset, name: str, **arguments: Any) -> str:
    return tools[name].call(json.dumps(arguments)).content


@pytest.fixture(scope="module")
def mark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mcp") / "mark"


@pytest.fixture(scope="module", params=["modern", "legacy"])
def connection(request: pytest.FixtureRequest, mark: Path) -> Iterator[Connection]:
    more = ["--legacy"] if request.param == "legacy" else []
    connection = started(*more, env={"MARK": str(mark)})
    with connection:
        yield connection


def test_the_tools_of_all_pages(connection: Connection) -> None:
    tools = connection.tools
    assert list(tools)[:3] == ["add", "files_read", "fail"]
    assert len(tools) >= 9
    assert tools.instructions == "Be kind."
    assert (tools["add"].strict, tools["add"].read_only, tools["files_read"].idempotent) == (True, True, True)
    assert call(tools, "add", a=1, b=None) == "3"
    assert call(tools, "add", a="x", b=None) == "a: must be of type integer"
    assert call(tools, "files_read").splitlines() == [
        "read",
        "held",
        "[a, file:///a]",
        "[An image (image/png, 2 bytes). Functions can only answer with text here: you cannot see it.]",
    ]
    assert tools["files_read"].call("{}").images == (Image(b"hi", "image/png"),)
    failed = tools["fail"].call("{}")
    assert not failed.ok
    assert failed.content.startswith("no such file xxx")
    assert len(failed.content) < 2100


def test_calls_that_are_refused_and_answers_that_cannot_be_read(connection: Connection) -> None:
    assert call(connection.tools, "refuse") == "not with these arguments"
    told = call(connection.tools, "mislead")
    assert told == f"The MCP server {connection.name} ran mislead, and its answer cannot be read."
    assert call(connection.tools, "add", a=1, b=1) == "2"


def test_under_both_run_loops_and_several_event_loops(connection: Connection) -> None:
    calls = [Call(f"call_{at}", "add", json.dumps({"a": at, "b": 1})) for at in range(5)]
    told = {at: finished.output.content for at, finished in dispatch(connection.tools, calls)}
    assert told == {at: str(at + 1) for at in range(5)}

    async def main() -> dict[int, str]:
        return {at: finished.output.content async for at, finished in adispatch(connection.tools, calls)}

    for _ in range(2):
        assert asyncio.run(main()) == told


def test_a_time_out_cancels_on_the_server(connection: Connection, mark: Path) -> None:
    def leave() -> None:
        ((_, finished),) = dispatch(connection.tools, [Call("call_1", "slow", "{}")], timeout_s=0.3)
        assert "gave no result within" in finished.output.content

    assert is_cancelled_on_the_server(mark, leave)


def test_leaving_a_run_cancels_on_the_server(connection: Connection, mark: Path) -> None:
    async def main() -> None:
        task = asyncio.create_task(connection.tools["slow"].acall("{}"))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert is_cancelled_on_the_server(mark, lambda: asyncio.run(main()))
    assert call(connection.tools, "add", a=1, b=1) == "2"


def test_news_of_the_list_are_heard(connection: Connection) -> None:
    before = connection.tools
    call(before, "grow")
    assert wait_until(lambda: len(connection.tools) > len(before))
    assert call(connection.tools, list(connection.tools)[-1]).isdecimal()


def test_a_server_that_dies_is_one_error_and_the_next_call_works(connection: Connection) -> None:
    tools = connection.tools
    first = int(call(tools, "pid"))
    calls = [Call("call_1", "slow", "{}"), Call("call_2", "die", "{}")]
    told = [finished.output for _, finished in dispatch(tools, calls)]
    assert [output.ok for output in told] == [False, False]
    for output in told:
        assert output.content.startswith(f"The MCP server {connection.name} went away during this call, which may")
    assert int(call(tools, "pid")) != first


def test_a_call_has_its_time() -> None:
    connection = started("--legacy", env={"MARK": os.devnull})
    with connection as tools:
        connection._timeout_s = 0.3  # which the start has too, and needs more of on a busy machine
        assert call(tools, "slow").startswith("The tool slow gave no result within 0.3 s. It may still have taken")
        connection._timeout_s = 60.0
        assert call(tools, "add", a=1, b=1) == "2"


def test_it_ends_with_the_block_and_gets_none_of_our_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "secret")
    connection = started(env={"GIVEN": "1"}, only=["pid", "environment"], prefix="my_", approve=["pid"])

    async def main() -> int:
        async with connection as tools:
            assert list(tools) == ["my_pid", "my_environment"]
            assert tools["my_pid"].approve is True
            variables = (await tools["my_environment"].acall("{}")).content.split()
            assert "GIVEN" in variables
            assert "SECRET_KEY" not in variables
            with pytest.raises(ServerUnavailable, match="is open already"):
                connection.__enter__()
            return int((await tools["my_pid"].acall("{}")).content)

    pid = asyncio.run(main())
    assert not is_alive(pid)
    assert call(connection.tools, "my_pid") == f"The connection to the MCP server {connection.name} is closed."
    assert repr(connection) == f"<Connection to {connection.name}, closed>"
    with connection as tools:  # it may be entered again
        assert int(call(tools, "my_pid")) != pid


STUBBORN = """
import os, signal, sys, time
sys.argv = ["server.py"]
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.path.insert(0, {folder!r})
import asyncio, server
asyncio.run(server.main())
time.sleep(600)
"""
LEFT_OPEN = """
import sys
from toolkit.mcp import mcp_tools
connection = mcp_tools(sys.executable, "-c", {stubborn!r})
print(connection.__enter__()["pid"].call("{{}}").content)
"""


def test_a_program_that_ends_leaves_no_server_behind() -> None:
    stubborn = STUBBORN.format(folder=str(Path(SERVER).parent))
    command = [sys.executable, "-W", "error", "-c", LEFT_OPEN.format(stubborn=stubborn)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert not is_alive(int(done.stdout))


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ([sys.executable, "-c", "raise SystemExit('no key')"], r"ended, or does not speak MCP .* It wrote: no key"),
        (["no-such-program"], "There is no program no-such-program to start as an MCP server"),
        (["/"], "/ cannot be started as an MCP server: Permission denied."),
        ([sys.executable, "-c", "import time; time.sleep(60)"], r"did not answer within 1 s\."),
        (["http://127.0.0.1:9/mcp"], r"No MCP server answers at 127.0.0.1:9/mcp: ConnectError"),
    ],
)
def test_what_does_not_start(command: list[str], why: str, caplog: pytest.LogCaptureFixture) -> None:
    timeout_s = 1.0 if "sleep" in command[-1] else 60.0
    with pytest.raises(ServerUnavailable, match=why) as caught, mcp_tools(*command, timeout_s=timeout_s):
        pass
    assert caught.value.__suppress_context__
    assert [record for record in caplog.records if record.levelno >= logging.WARNING and record.exc_info] == []


def test_what_does_not_start_without_blocking() -> None:
    async def main() -> None:
        async with mcp_tools("no-such-program"):
            pass

    with pytest.raises(ServerUnavailable, match="There is no program no-such-program"):
        asyncio.run(main())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_is_told_and_does_not_wait_for_ever(connection: Connection) -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, call(connection.tools, "pid").encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        assert told.read() == f"The connection to the MCP server {connection.name} was opened in another process."
    os.waitpid(child, 0)
    assert call(connection.tools, "add", a=1, b=1) == "2"


def test_tools_that_cannot_be_are_told_when_it_is_entered() -> None:
    with (
        pytest.raises(DefinitionError, match=r"the MCP server .* has no tool 'none'; it has add, files/read"),
        started(only=["none"]),
    ):
        pass


@pytest.fixture
def port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def served(port: int, mark: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "MARK": str(mark)}
    server = subprocess.Popen([sys.executable, SERVER, "--http", str(port)], env=environment)

    def is_up() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    assert wait_until(is_up, 30.0)
    return server


def test_over_http(port: int, mark: Path) -> None:
    server = served(port, mark)
    try:
        with mcp_tools(f"http://127.0.0.1:{port}/mcp", headers={"x-key": "secret"}) as tools:
            assert call(tools, "add", a=1, b=None) == "3"
            calls = [Call("call_1", "slow", "{}")]
            assert is_cancelled_on_the_server(mark, lambda: [*dispatch(tools, calls, timeout_s=0.3)].clear())
            server.send_signal(signal.SIGKILL)
            server.wait(10)
            assert "went away" in call(tools, "add", a=1, b=None)
            assert "No MCP server answers at" in call(tools, "add", a=1, b=None)
            server = served(port, mark)
            assert call(tools, "add", a=1, b=None) == "3"
    finally:
        server.kill()
        server.wait(10)
