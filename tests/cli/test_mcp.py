from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from tests.cli.conftest import Cli
from tests.started.command import INSTALLED, started_often

NOISY = '''
import os
from toolkit import Toolset, tool

print("printed while importing")
os.system("echo said by a program")


@tool
def add(a: int, b: int = 2) -> int:
    """Add."""
    print("printed by a tool")
    os.system("echo said by the program of a tool")
    return a + b


@tool(approve=True)
def pay(amount: int) -> str:
    """Pay."""
    return f"paid {amount}"


tools = Toolset(add, pay)
'''


@pytest.fixture(autouse=True)
def noisy(tmp_path: Path) -> Path:
    file = tmp_path / "noisy.py"
    file.write_text(NOISY)
    return file


def test_nothing_but_the_protocol_is_on_stdout(noisy: Path) -> None:
    begin = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}}
    requests = [
        {"id": 1, "method": "initialize", "params": begin},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": {"name": "add", "arguments": {"a": 1}}},
        {"id": 3, "method": "tools/call", "params": {"name": "pay", "arguments": {"amount": 1}}},
    ]
    with subprocess.Popen(
        [INSTALLED, "mcp", f"{noisy}:tools"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stderr is not None
        answers: dict[int, Any] = {}
        for request in requests:
            server.stdin.write(json.dumps({"jsonrpc": "2.0", **request}) + "\n")
            server.stdin.flush()
            if "id" in request:
                answer = json.loads(server.stdout.readline())
                answers[answer["id"]] = answer["result"]
        server.stdin.close()
        assert server.stdout.read() == ""
        said = server.stderr.read()
        assert server.wait(20) == 0
    assert answers[1]["serverInfo"]["name"] == "noisy"
    assert answers[2]["content"][0]["text"] == "3"
    assert answers[3]["isError"] is True
    for noise in ("printed while importing", "said by a program", "printed by a tool", "said by the program of a tool"):
        assert noise in said


def test_under_the_official_client(noisy: Path) -> None:
    async def main() -> str:
        server = StdioServerParameters(command=INSTALLED, args=["mcp", str(noisy), "--yes"])
        async with Client(server) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["add", "pay"]
            result = await client.call_tool("pay", {"amount": 1})
            return str(result.content[0].text)  # type: ignore[union-attr]

    assert asyncio.run(main()) == "paid 1"


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_ends_it_though_nothing_is_sent(noisy: Path) -> None:
    with subprocess.Popen(
        [INSTALLED, "mcp", str(noisy)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        assert server.stdin is not None
        server.stdin.write('{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
        server.stdin.flush()
        assert server.stdout is not None
        server.stdout.readline()  # it is up
        server.send_signal(signal.SIGINT)
        assert server.wait(20) == 130
        assert server.stderr.read().endswith("Stopped.\n")


@contextmanager
def served(*arguments: str) -> Iterator[tuple[str, list[str]]]:
    """Serve over HTTP, and give its URL and the lines below it."""
    command = [started_often(), "mcp", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = ""
        while not url.startswith("http://"):
            url = server.stdout.readline()
            assert url, "it has ended"
        below = [server.stdout.readline().rstrip() for _ in range(3)]
        try:
            yield url.strip(), below
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(20) == 0


async def asked(url: str, **headers: str) -> list[str]:
    async with httpx2.AsyncClient(headers=headers) as http_client:
        async with Client(streamable_http_client(url, http_client=http_client)) as client:
            return [tool.name for tool in (await client.list_tools()).tools]


def test_over_http_on_this_machine_alone(noisy: Path) -> None:
    with served(str(noisy), "--http", "0") as (url, below):
        assert url.startswith("http://127.0.0.1:")
        assert url.endswith("/mcp")
        assert below == ["  tools  add, pay", "  key    not needed", "  stop   Ctrl-C"]
        assert asyncio.run(asked(url)) == ["add", "pay"]
        port = url.split(":")[2].partition("/")[0]
        for name, value, status in (
            ("host", "evil.example", 421),
            ("host", f"evil.example:{port}", 421),
            ("origin", "http://evil.example", 403),
            ("origin", "null", 403),
            ("origin", f"http://localhost.evil.example:{port}", 403),
        ):
            sent = {"accept": "application/json, text/event-stream", name: value}
            answer = httpx2.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "ping"}, headers=sent)
            assert (name, value, answer.status_code) == (name, value, status)


def test_with_keys(noisy: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("sesame\n")
    with served(str(noisy), "--http", "0", "--host", "0.0.0.0", "--api-key-file", str(keys)) as (url, below):
        url = url.replace("0.0.0.0", "127.0.0.1")
        assert below[1] == "  key    needed"
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "sesame"}):
            answer = httpx2.post(url, json={}, headers=headers)
            assert (answer.status_code, answer.text) == (401, "Send a key: Authorization: Bearer KEY\n")
        assert asyncio.run(asked(url, authorization="Bearer sesame")) == ["add", "pay"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.py"], "There is no file none.py. TARGET is a file or a module: examples/notes.py, my_app.tools\n"),
        (["noisy.py:none"], "noisy.py has no none. Say which: noisy.py:tools, noisy.py:add, noisy.py:pay\n"),
        (
            ["noisy.py", "--host", "::1"],
            "are of a server over HTTP: give --http PORT, such as --http 8080.\n",
        ),
        (
            ["noisy.py", "--http", "0", "--host", "0.0.0.0"],
            "Without a key only this machine may reach the server, and 0.0.0.0 is open to others.\n"
            "Give --api-key-file FILE, or leave --host out.\n",
        ),
    ],
)
def test_mistakes(cli: Cli, arguments: list[str], said: str) -> None:
    done = cli("mcp", *arguments)
    assert done.code == 2
    assert done.err.endswith(said)


def test_a_port_in_use(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = cli("mcp", "noisy.py", "--http", str(port))
    assert (done.code, done.err.splitlines()[-1]) == (
        2,
        f"Port {port} is in use. Choose another with --http, or --http 0 for any free one.",
    )


def test_without_the_package(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    done = cli("mcp", "noisy.py")
    assert (done.code, done.out, done.err) == (
        2,
        "",
        'MCP needs one more package: pip install "assistants-toolkit[mcp]"\n',
    )
