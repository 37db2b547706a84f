"""The server as people start it: a process of its own, its first line, its mistakes, its end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.cli.conftest import Cli
from tests.cli.models import model_server
from tests.started.command import INSTALLED, started_often
from toolkit.cli.port import bound


@dataclass
class Server:
    """A server under way: what it printed at start."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.lines[0]


@contextlib.contextmanager
def serve(*arguments: str, command: str | None = None, **environment: str) -> Iterator[Server]:
    words = [command or started_often(), "serve", "--port", "0", *arguments]
    with subprocess.Popen(
        words, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        server = Server(process)
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            for line in process.stdout:
                server.lines.append(line.rstrip("\n"))
                if line.startswith("  stop"):
                    break
            assert server.lines, process.stderr.read()
            yield server
        finally:
            process.kill()


def test_the_first_line_is_the_address_and_it_answers(tmp_path: Path) -> None:
    with serve("--store", "sqlite:///a.db", command=INSTALLED) as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert server.url.endswith("/v1")
        assert len(server.lines) <= 10
        assert server.lines[1:4] == [
            "  store  sqlite:///a.db",
            "  model  offline only; see --model-url",
            "  key    not needed",
        ]
        answer = httpx2.get(f"{server.url}/models").json()
        assert [model["id"] for model in answer["data"]] == ["offline"]
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=20) == 0
        assert server.process.stderr is not None
        assert server.process.stderr.read() == ""
    assert (tmp_path / "a.db").exists()


def test_ctrl_c_is_a_clean_end() -> None:
    with serve("--data-dir", "data") as server:
        assert server.lines[1].endswith("/data/assistants.db")
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=20) == 0


def test_options_come_from_the_environment_too() -> None:
    with model_server(["llama3"]) as url:
        environment = {
            "TOOLKIT_MODEL_URL": url,
            "TOOLKIT_MODEL": "llama3",
            "TOOLKIT_MODEL_MAP": "gpt-4=gpt-9",
            "TOOLKIT_CHECK_MODEL": "0",
            "TOOLKIT_API_KEYS": "k1,shop=k2",
            "TOOLKIT_STORE": "sqlite:///:memory:",
            "TOOLKIT_LOG_LEVEL": "debug",
            "TOOLKIT_LOG_FORMAT": "json",
        }
        with serve(**environment) as server:
            assert f"  model  {url} (* -> llama3, gpt-4 -> gpt-9)" in server.lines
            assert "  key    needed, for default, shop" in server.lines
            assert httpx2.get(f"{server.url}/models").status_code == 401
            assert httpx2.get(f"{server.url}/models", headers={"authorization": "Bearer k2"}).status_code == 200
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(timeout=20) == 0
            assert server.process.stderr is not None
            logged = [json.loads(line) for line in server.process.stderr]
            assert {"time", "level", "logger", "message"} <= set(logged[0])


def test_a_port_in_use(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = cli("serve", "--port", str(port), "--store", "sqlite:///:memory:")
    assert (said.code, said.out) == (2, "")
    assert said.err == f"Port {port} is in use. Choose another with --port, or --port 0 for any free one.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "0.0.0.0"], "Without a key only this machine may reach the server, and 0.0.0.0 is open to others."),
        (["--host", "192.0.2.1", "--api-key", "k"], "192.0.2.1 is no address of this machine."),
        (["--model-url", "here"], "The model URL 'here' is not understood."),
        (["--model-url", "http://localhost:8000/v1"], "is this server's own address"),
        (["--model-url", "http://127.0.0.1:9/v1"], "The model endpoint http://127.0.0.1:9/v1"),
        (["--model-url", "https://api.openai.com/v1"], "https://api.openai.com/v1 needs a key"),
        (["--model", "llama3"], "The model 'llama3' needs an endpoint"),
        (["--model-map", "nonsense"], "--model-map 'nonsense' is not understood."),
        (["--store", "postgres://x"], "is not understood. Write sqlite:///"),
        (["--store", "sqlite:////proc/none/a.db"], "/proc/none"),
        (["--api-key-file", "nowhere"], "--api-key-file: nowhere cannot be read"),
        (["--config", "nowhere"], "--config: nowhere cannot be read (No such file or directory)."),
    ],
)
def test_mistakes_are_told_in_one_to_three_lines(cli: Cli, arguments: list[str], said: str) -> None:
    left = cli("serve", *arguments)
    assert (left.code, left.out) == (2, "")
    assert said in left.err
    assert 1 <= len(left.err.splitlines()) <= 3
    assert "Traceback" not in left.err


def test_models_the_endpoint_does_not_have(cli: Cli) -> None:
    with model_server(["llama3:latest"]) as url:
        left = cli("serve", "--model-url", url, "--model", "gpt-9")
        assert left.code == 2
        assert left.err.startswith(f"The model endpoint {url} has no model 'gpt-9'. It has: llama3:latest\n")
        with serve("--model-url", url, "--model", "gpt-9", "--no-check-model", "--store", "sqlite:///:memory:"):
            pass
        with serve("--model-url", url, "--model", "llama3", "--store", "sqlite:///:memory:"):
            pass


def test_several_endpoints(cli: Cli, tmp_path: Path) -> None:
    config, key = tmp_path / "etc" / "toolkit.toml", tmp_path / "etc" / "key"
    config.parent.mkdir()
    key.write_text("sk-1\n")
    with model_server(["llama3"]) as local, model_server(["big"]) as other:
        config.write_text(
            f'[endpoints.local]\nurl = "{local}"\n[endpoints.far]\nurl = "{other}"\nkey_file = "key"\n'
            '[models]\n"gpt-4o" = "local/llama3"\n"*" = "far/big"\n'
        )
        environment = {"TOOLKIT_CONFIG": str(config), "OPENAI_API_KEY": "of another program"}
        with serve("--model-map", "gpt-4=local/llama3", "--store", "sqlite:///:memory:", **environment) as server:
            maps = "(gpt-4o -> local/llama3, * -> far/big, gpt-4 -> local/llama3)"
            assert server.lines[2] == f"  model  local {local}, far {other} {maps}"
            assert len(server.lines) <= 10
            listed = httpx2.get(f"{server.url}/models").json()["data"]
            assert [each["id"] for each in listed] == ["gpt-4o", "gpt-4", "local/llama3", "far/big", "offline"]
            said = {name: ask(server.url, name) for name in ("gpt-4o", "gpt-4", "o1", "local/llama3", "far/big")}
        assert said == {
            "gpt-4o": "I am llama3, at your service.",
            "gpt-4": "I am llama3, at your service.",
            "o1": "I am big, at your service.",
            "local/llama3": "I am llama3, at your service.",
            "far/big": "I am big, at your service.",
        }
        left = cli("serve", "--config", str(config), "--model-map", "o1=local/big")
        assert left.code == 2
        assert left.err.startswith(f"The model endpoint {local} has no model 'big'. It has: llama3\n")
        left = cli("serve", "--config", str(config), "--model-map", "o1=locl/big")
        assert left.err == "The model 'locl/big' names no endpoint that is there. There is: local, far\n"
        port = other.rpartition(":")[2].removesuffix("/v1")
        left = cli("serve", "--config", str(config), "--port", port)
        assert left.err.startswith(
            f"The model URL {other} is this server's own address. Give the model's in [endpoints.far]"
        )
    assert cli("serve", "--config", str(config)).err.startswith(f"The model endpoint {local} cannot be reached")


def ask(url: str, model: str) -> str:
    """Run an assistant of a server on one question, and give its answer."""
    with httpx2.Client(base_url=url, headers={"OpenAI-Beta": "assistants=v2"}, trust_env=False) as client:
        assistant = client.post("/assistants", json={"model": model}).json()["id"]
        thread = {"messages": [{"role": "user", "content": "Hello"}]}
        run = client.post(
            "/threads/runs", json={"assistant_id": assistant, "thread": thread, "stream": True}, timeout=30
        )
        assert "event: done" in run.text
        created = json.loads(run.text.partition("data: ")[2].partition("\n")[0])
        messages = client.get(f"/threads/{created['id']}/messages").json()["data"]
        return str(messages[0]["content"][0]["text"]["value"])


def test_a_key_the_endpoint_refuses(cli: Cli) -> None:
    with model_server([], status=401) as url:
        left = cli("serve", "--model-url", url)
    assert left.code == 2
    assert left.err.startswith(f"The model endpoint {url}")
    assert "refused the key" in left.err
    assert len(left.err.splitlines()) <= 3


def test_no_event_waits_for_another_to_be_acknowledged() -> None:
    with bound("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def logged(server: Server) -> list[dict[str, Any]]:
    """End a server, and read what it logged."""
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=20) == 0
    assert server.process.stderr is not None
    return [json.loads(line) for line in server.process.stderr]


def test_lines_have_the_ids_as_members_and_no_content_keys_or_queries() -> None:
    options = ["--log-format", "json", "--api-key", "shop=key-secret", "--store", "sqlite:///:memory:"]
    with serve(*options, TOOLKIT_LOG_LEVEL="info") as server:
        with httpx2.Client(headers={"authorization": "Bearer key-secret"}) as http:
            made = http.post(f"{server.url}/threads?a=query-secret", json={"metadata": {"k": "body-secret"}})
            thread_id = made.json()["id"]
            http.get(f"{server.url}/threads/{thread_id}")
            http.get(f"{server.url}/threads/{thread_id}", headers={"authorization": "Bearer wrong-secret"})
            root = server.url.removesuffix("/v1")
            for path in ("healthz", "readyz", "health", "metrics"):
                assert http.get(f"{root}/{path}").status_code == 200
            assert httpx2.get(f"{root}/healthz").status_code == httpx2.get(f"{root}/readyz").status_code == 200
            assert httpx2.get(f"{root}/metrics").status_code == 401
        lines = logged(server)
    told = [line for line in lines if line["logger"] == "toolkit.server"]
    assert [" ".join(line["message"].split()[1:4]) for line in told] == [
        "POST /v1/threads 200",
        f"GET /v1/threads/{thread_id} 200",
        f"GET /v1/threads/{thread_id} 401",
    ]
    assert told[0]["request_id"] == made.headers["x-request-id"]
    assert (told[1]["project"], told[1]["thread_id"]) == ("shop", thread_id)
    assert "project" not in told[2]
    assert "secret" not in json.dumps(lines)


def test_debug_shows_no_more_of_what_is_said(cli: Cli) -> None:
    with model_server(["llama3"]) as url:
        environment = {"TOOLKIT_MODEL_URL": f"{url}?q=url-secret", "TOOLKIT_MODEL_KEY": "key-secret"}
        with serve(
            "--log-level", "debug", "--log-format", "json", "--no-check-model", "--store", "sqlite:///:memory:",
            **environment,
        ) as server:  # fmt: skip
            with httpx2.Client(base_url=server.url, timeout=20) as http:
                assistant = http.post("/assistants?q=query-secret", json={"model": "llama3"}).json()["id"]
                body = {"assistant_id": assistant, "thread": {"messages": [{"role": "user", "content": "body-secret"}]}}
                http.post("/threads/runs", json={**body, "stream": True}).read()
            lines = logged(server)
    assert len(lines) > 3
    assert "secret" not in json.dumps(lines)


def test_a_connection_that_says_nothing_sensible_is_refused_as_the_api_refuses() -> None:
    with serve("--store", "sqlite:///:memory:") as server:
        host, port = server.url.removeprefix("http://").removesuffix("/v1").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as line:
            line.sendall(b"GET /v1/models?" + b"x" * 10_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n")
            assert b'"The URL is too long."' in line.makefile("rb").read()
